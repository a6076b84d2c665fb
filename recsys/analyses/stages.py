"""Where content helps: in recalling items from the whole catalogue, or in re-ranking those that a model recalled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table, comparison_cells
from recsys.evaluation.ranking import Ranking
from recsys.evidence.comparison import Comparison, compare, holm
from recsys.evidence.scores import Scores, label
from recsys.evidence.wording import metric_name
from recsys.study.selection import has_verdict
from recsys.study.stored_lists import StoredLists
from recsys.study.study import Study
from recsys.wording import percent

FOUND = ("recall_at_50", "recall_at_100")
N_CANDIDATES = 100
ORDERED, K = "ndcg_at_10", 10


class Stages(Analysis):
    """Recall over the catalogue, and the order of the best rival's candidates when content re-ranks them."""

    title = "Where: the recall stage, and re-ranking what another model recalled"
    needs = ("dataset", "controls", "metrics")
    tables = ("stages",)
    position = 25

    def applies(self, study: Study, name: str) -> bool:
        """Where content is compared and all items are ranked."""
        return has_verdict(study, name) and study.evaluation.n_negatives is None

    def settings(self, study: Study, name: str) -> object:
        """The statistics, and how lists are evaluated."""
        return study.statistics.model_dump(), study.evaluation.model_dump()

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row per stage and metric."""
        content, rival = inputs.lists(inputs.selection.content), inputs.lists(inputs.selection.rival)
        options = inputs.study.statistics.options.without_p_users
        found = [each.measure(FOUND) for each in (content, rival)]
        pairs = [(found[0][metric], found[1][metric]) for metric in FOUND]
        ordered, exact = _reranked(content, rival)
        compared = holm([compare(a, b, options) for a, b in (*pairs, (ordered, rival.measure([ORDERED])[ORDERED]))])
        stages = [("recall", metric) for metric in FOUND] + [("re-ranking", ORDERED)]
        rows = [_row(*stage, each) for stage, each in zip(stages, compared, strict=True)]
        return {"stages": pd.DataFrame(rows).assign(recall_model=label(*inputs.selection.rival), exact=exact)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        stages = tables["stages"]
        rows = stages.to_dict("records")
        finder, exact = rows[0]["recall_model"], rows[0]["exact"]
        return [
            Table(
                title="Recall stage and re-ranking",
                caption=f"Recall: the whole catalogue is ranked. Re-ranking: the {N_CANDIDATES} candidates of "
                f"{finder} are ranked anew by the model with content, against their own order; from stored lists, "
                f"which give the exact first {K} for {percent(exact)} of the users, and the candidates' own order "
                "fills up the others. p is corrected by Holm.",
                columns=["Stage", "Metric", "With content", "Rival", "Lift", "95 % interval", "Relation"],
                rows=[
                    [
                        row["stage"],
                        metric_name(row["metric"]),
                        *comparison_cells(row),
                        row["relation"],
                    ]
                    for row in rows
                ],
                n_names=2,
            )
        ]


def rerank(candidates: Ranking, by: Ranking) -> tuple[Ranking, np.ndarray]:
    """Candidates in the order in which another model lists them; those that it does not list follow as they stand.

    What a model does not list it scores below all that it lists, so that the first ranks are exact as far as its list
    reaches.

    Args:
        candidates: lists of one model.
        by: longer or shorter lists of another, of the same users in the same order.

    Returns:
        The lists, with ranks for scores, and how many candidates of each user the other model lists.
    """
    # One more than there are items: -1, where a list ends, is then no item of the user before.
    n_items = 2 + max(int(candidates.items.max()), int(by.items.max()))
    row = np.arange(len(candidates.users))[:, None] * n_items
    order = np.argsort((row + by.items).ravel(), kind="stable")
    ascending = (row + by.items).ravel()[order]
    wanted = row + candidates.items
    at = np.searchsorted(ascending, wanted).clip(max=len(ascending) - 1)
    listed = (ascending[at] == wanted) & (candidates.items >= 0)
    depth = by.items.shape[1]
    rank = np.where(listed, order[at] % depth, depth + np.arange(wanted.shape[1]))
    best = np.argsort(rank, axis=1, kind="stable")
    items = np.take_along_axis(candidates.items, best, axis=1)
    scores = -np.take_along_axis(rank, best, axis=1).astype(np.float32)
    return Ranking(candidates.users, items, scores), listed.sum(axis=1)


def _reranked(content: StoredLists, rival: StoredLists) -> tuple[Scores, float]:
    """Content's scores on the rival's candidates, and the share of users whose first ranks are exact."""
    mask = content.protocol.mask
    made, exact = [], []
    for by, candidates in zip(content.masked(mask), rival.masked(mask), strict=True):
        cut = replace(candidates, items=candidates.items[:, :N_CANDIDATES], scores=candidates.scores[:, :N_CANDIDATES])
        lists, n_listed = rerank(cut, by)
        made.append(lists)
        exact.append(float(np.mean(n_listed >= np.minimum(K, (cut.items >= 0).sum(axis=1)))))
    return content.measure([ORDERED], rankings=made)[ORDERED], float(np.mean(exact))


def _row(stage: str, metric: str, comparison: Comparison) -> dict[str, Any]:
    figures = ("mean_a", "mean_b", "lift", "lift_low", "lift_high", "p_value", "p_holm", "relation")
    return {"stage": stage, "metric": metric} | {figure: getattr(comparison, figure) for figure in figures}
