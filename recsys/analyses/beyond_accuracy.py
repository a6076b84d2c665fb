"""Beyond accuracy: how much of the catalogue lists show, how evenly, how popular and how alike what they hold is."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.content.coherence import coherence
from recsys.content.features import Content
from recsys.evidence.interval import N_RESAMPLES, Interval, mean_intervals
from recsys.evidence.scores import Pair, label
from recsys.study.study import Study
from recsys.wording import percent

MEASURED = ("coverage", "gini", "novelty", "popularity_lift")
DIVERSITY = "diversity"
FORMS = {
    "coverage": percent,
    "gini": "{:.3f}".format,
    "novelty": "{:.2f}".format,
    "popularity_lift": lambda value: percent(value, signed=True),
    DIVERSITY: "{:.3f}".format,
}


class BeyondAccuracy(Analysis):
    """Coverage, Gini, novelty, popularity lift and diversity of every (model, arm) but the controls."""

    title = "Beyond accuracy: coverage, evenness, novelty, popularity lift, diversity"
    needs = ("dataset", "embeddings", "metrics")
    tables = ("lists",)
    position = 20

    def settings(self, study: Study, name: str) -> object:
        """The statistics, how lists are evaluated, and which content they are compared by."""
        return study.statistics.model_dump(), study.evaluation.model_dump(), repr(study.datasets[name].fused)

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row per (model, arm), the best by the primary metric first.

        A column per measure at that metric's cut-off and, where it has a value for every user, the 95 % interval in
        `<measure>_low` and `<measure>_high`.
        """
        evaluation = inputs.study.evaluation
        figures = {(row["model"], row["arm"], row["metric"]): row for row in inputs.summary.to_dict("records")}
        pairs = [arm.pair for arm in inputs.results.arms if arm.control is None]
        pairs.sort(key=lambda pair: -figures[*pair, evaluation.primary]["mean"])
        content = _shown(inputs)
        rows: list[dict[str, Any]] = []
        for pair in pairs:
            row: dict[str, Any] = {"model": pair[0], "arm": pair[1], "k": evaluation.primary_k}
            for measure in MEASURED:
                found = figures[*pair, f"{measure}_at_{evaluation.primary_k}"]
                row |= _columns(measure, found["mean"], found["ci_low"], found["ci_high"])
            if content:
                diversity = _diversity(inputs, pair, content)
                row |= _columns(DIVERSITY, diversity.mean, diversity.low, diversity.high)
            rows.append(row)
        return {"lists": pd.DataFrame(rows)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        lists = tables["lists"]
        heads = {
            "coverage": "Coverage",
            "gini": "Gini",
            "novelty": "Novelty (bits)",
            "popularity_lift": "Popularity lift",
            DIVERSITY: "Diversity",
        }
        shown = [measure for measure in heads if measure in lists]
        diversity = " Diversity: 1 less the mean cosine of two listed items' content." if DIVERSITY in shown else ""
        return [
            Table(
                title="Beyond accuracy",
                caption=f"Lists of {lists['k'].iloc[0]} items, with half the width of the 95 % interval where a user "
                "has a value. Gini: 0 where all items are shown equally often, towards 1 where one fills the lists. "
                f"Popularity lift: popularity of the list beside that of the user's own items.{diversity}",
                columns=["Model and arm", *(heads[measure] for measure in shown)],
                rows=[
                    [label(row["model"], row["arm"]), *(_cell(row, measure) for measure in shown)]
                    for row in lists.to_dict("records")
                ],
                pairs=list(zip(lists["model"], lists["arm"], strict=True)),
            )
        ]


def _shown(inputs: Inputs) -> Content:
    """The raw content that lists are compared by, the same for all models; empty where the dataset has none."""
    fused = inputs.study.datasets[inputs.name].fused
    return {source: inputs.features[source] for source in fused.sources} if fused else {}


def _diversity(inputs: Inputs, pair: Pair, content: Content) -> Interval:
    """Mean distance by content within lists, over the users whose lists have two items with content in each repeat."""
    values = np.stack(list(_distances(inputs, pair, content)))
    values = values[:, np.isfinite(values).all(axis=0)]
    if values.shape[1] < 2:
        return Interval(np.nan, np.nan, np.nan)
    statistics = inputs.study.statistics
    n_resamples = min(statistics.resamples, N_RESAMPLES)
    return mean_intervals({pair: values}, n_resamples=n_resamples, seed=statistics.seed)[pair]


def _distances(inputs: Inputs, pair: Pair, content: Content) -> Iterator[np.ndarray]:
    """Mean distance within each user's list, an array over the users of the study's scores for each repeat."""
    lists, evaluation = inputs.lists(pair), inputs.study.evaluation
    for ranking, data in zip(lists.masked(evaluation.mask), lists.datasets, strict=True):
        items = ranking.items[:, : evaluation.primary_k]
        rows, places = np.nonzero(items >= 0)
        ones = np.ones(len(rows), dtype=np.float32)
        shape = (data.n_users, data.n_items)
        listed = sparse.csr_array((ones, (ranking.users[rows], items[rows, places])), shape=shape)
        yield 1 - coherence(listed[lists.scores.users], content)


def _columns(measure: str, mean: float, low: float, high: float) -> dict[str, float]:
    return {measure: mean, f"{measure}_low": low, f"{measure}_high": high}


def _cell(row: dict[Any, Any], measure: str) -> str:
    form, mean = FORMS[measure], row[measure]
    low, high = row[f"{measure}_low"], row[f"{measure}_high"]
    if not np.isfinite([low, high]).all():
        return form(mean)
    half = percent((high - low) / 2) if measure == "popularity_lift" else form((high - low) / 2)
    return f"{form(mean)} ± {half}"
