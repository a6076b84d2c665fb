"""For whom: the chosen content against its best rival within strata of users and items, and who loses by it."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table, comparison_cells
from recsys.evidence.comparison import Comparison
from recsys.evidence.hidden_losers import HiddenLosers, find_hidden_losers
from recsys.evidence.scores import Scores
from recsys.evidence.strata import (
    StratumResult,
    compare_strata,
    compare_weighted,
    families_that_differ,
    losers,
)
from recsys.evidence.stratum import Stratum
from recsys.evidence.wording import p_cell, probability
from recsys.study.populations import (
    ACTIVITY,
    LIKENESS,
    POPULARITY,
    by_activity,
    by_likeness,
    by_popularity,
    by_presence,
)
from recsys.study.selection import has_verdict
from recsys.study.stored_lists import StoredLists
from recsys.study.study import Study
from recsys.wording import percent

ALL = "all users"
FIGURES = ("n_users", "mean_a", "mean_b", "lift", "lift_low", "lift_high", "p_value", "p_holm")


class Strata(Analysis):
    """Lift by users' activity and likeness of their items, and by items' popularity and missing content."""

    title = "For whom: lift among users and items, and who loses"
    needs = ("dataset", "embeddings", "controls", "metrics")
    tables = ("strata", "differences", "losers")
    position = 10

    def applies(self, study: Study, name: str) -> bool:
        """Where content is compared."""
        return has_verdict(study, name)

    def settings(self, study: Study, name: str) -> object:
        """The statistics, and how lists are evaluated."""
        return study.statistics.model_dump(), study.evaluation.model_dump()

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """A row per stratum, per family with the p-value of its strata being alike, and per sentence on who loses."""
        content, rival = inputs.lists(inputs.selection.content), inputs.lists(inputs.selection.rival)
        primary, options = inputs.study.evaluation.primary, inputs.study.statistics.options
        n_rows = content.n_rows()
        a, b = content.measure([primary])[primary], rival.measure([primary])[primary]
        strata = [*_of_users(inputs, content, a, b, n_rows), *_of_items(inputs, content, rival)]
        results = compare_strata(strata, n_rows, options)
        everybody = [compare_weighted(a, b, weights, options) for weights in ((n_rows > 0).astype(float), n_rows)]
        hidden = _hidden(inputs, content, a, b)
        sentences = losers(results, everybody[0], primary)
        if hidden and hidden.shown and not everybody[0].b_better:
            sentences.append(hidden.sentence)
        differing = families_that_differ(results)
        return {
            "strata": pd.DataFrame([_row("", ALL, 1.0, 1.0, *everybody), *(_row_of(each) for each in results)]),
            "differences": pd.DataFrame({"family": differing.keys(), "p_value": differing.values()}),
            "losers": pd.DataFrame({"sentence": pd.Series(sentences, dtype="str")}),
        }

    def headline(self, tables: dict[str, pd.DataFrame]) -> list[str]:
        """Who loses."""
        return list(tables["losers"]["sentence"])

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table; under it who loses, and whether strata differ."""
        differences = [
            f"by {row['family']}, {probability(row['p_value'])}" for row in tables["differences"].to_dict("records")
        ]
        said = [
            *tables["losers"]["sentence"],
            f"That lifts differ between strata: {'; '.join(differences)}." if differences else "",
        ]
        return [
            Table(
                title="For whom",
                caption="Lift of the chosen content over its best rival. A user whose training items differ from "
                "repeat to repeat may be in several strata. Of items: only they count as relevant, among users who "
                "have one of them to be found. By interaction: each user counts as often as it has test rows. "
                f"p is corrected by Holm over the strata. {' '.join(said)}".strip(),
                columns=["Who", "Users", "With content", "Rival", "Lift", "95 % interval", "p", "By interaction"],
                rows=[
                    [
                        row["name"],
                        f"{row['n_users']:,}",
                        *comparison_cells(row),
                        p_cell(row["p_value"] if pd.isna(row["p_holm"]) else row["p_holm"]),
                        percent(row["interaction_lift"], signed=True),
                    ]
                    for row in tables["strata"].to_dict("records")
                ],
            )
        ]


def _of_users(inputs: Inputs, content: StoredLists, a: Scores, b: Scores, n_rows: np.ndarray) -> Iterator[Stratum]:
    shown = {source: inputs.features[source] for source in inputs.arm(inputs.selection.content).sources}
    families = {
        ACTIVITY: by_activity(content.datasets, a.users),
        LIKENESS: by_likeness(content.datasets, a.users, shown),
    }
    for family, populations in families.items():
        for name, members in populations.items():
            yield Stratum(family, name, a, b, n_rows * members)


def _of_items(inputs: Inputs, content: StoredLists, rival: StoredLists) -> Iterator[Stratum]:
    primary = inputs.study.evaluation.primary
    shown = {source: inputs.features[source] for source in inputs.arm(inputs.selection.content).sources}
    families = {POPULARITY: by_popularity(content.datasets), **by_presence(shown, len(content.datasets))}
    for family, populations in families.items():
        for name, items in populations.items():
            a, b = (each.measure([primary], items=list(items))[primary] for each in (content, rival))
            yield Stratum(family, name, a, b, content.n_rows(list(items)), of_items=True)


def _hidden(inputs: Inputs, content: StoredLists, a: Scores, b: Scores) -> HiddenLosers | None:
    """What both held-out parts of the other repeats say of a user is more than what their test parts say."""
    primary = inputs.study.evaluation.primary
    pairs = (inputs.selection.content, inputs.selection.rival)
    of_valid = [inputs.lists(pair, "valid").measure([primary])[primary].values for pair in pairs]
    picked_by = (a.values - b.values + of_valid[0] - of_valid[1]) / 2
    tested = [data.test[a.users] for data in content.datasets]
    held_out = [data.test[a.users] + data.valid[a.users] for data in content.datasets]
    overlaps = np.array([[(mine * other).sum(axis=1) > 0 for other in held_out] for mine in tested])
    return find_hidden_losers(a, b, picked_by, overlaps, inputs.study.statistics.options)


def _row_of(result: StratumResult) -> dict[str, Any]:
    row = _row(
        result.family, result.name, result.share_of_users, result.share_of_rows, result.by_user, result.by_interaction
    )
    return row | {"contrast": result.contrast, "p_contrast": result.p_contrast}


def _row(
    family: str, name: str, users: float, rows: float, by_user: Comparison, by_rows: Comparison
) -> dict[str, Any]:
    figures = asdict(by_user)
    return {
        "family": family,
        "name": name,
        "share_of_users": users,
        "share_of_rows": rows,
        **{figure: figures[figure] for figure in FIGURES},
        **{f"interaction_{figure}": getattr(by_rows, figure) for figure in ("lift", "lift_low", "lift_high")},
    }
