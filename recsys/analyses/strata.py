"""For whom: the chosen content against its best rival among users of like activity."""

from typing import Any

import numpy as np
import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.evidence.comparison import compare
from recsys.evidence.wording import percent
from recsys.study.selection import has_verdict
from recsys.study.study import Study

ACTIVITY = (0, 5, 10, 20, 50)
"""Training interactions at which a stratum begins."""
ENOUGH_USERS = 30


class Strata(Analysis):
    """Lift by the number of a user's training interactions; strata of fewer than 30 users are left out."""

    title = "For whom: lift by activity of users"
    needs = ("dataset", "controls", "metrics")
    tables = ("users",)
    position = 10

    def applies(self, study: Study, name: str) -> bool:
        """Where content is compared."""
        return has_verdict(study, name)

    def settings(self, study: Study, name: str) -> object:
        """The statistics."""
        return study.statistics.model_dump()

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row a stratum: `stratum`, `n_users` and the figures of the comparison."""
        content, rival = inputs.scores[inputs.selection.content], inputs.scores[inputs.selection.rival]
        statistics = inputs.study.statistics
        users = np.intersect1d(content.users, rival.users)
        activity = np.diff(inputs.dataset.train.indptr)[users]
        rows: list[dict[str, Any]] = []
        for low, high in zip(ACTIVITY, (*ACTIVITY[1:], None), strict=True):
            among = users[(activity >= low) & ((activity < high) if high else True)]
            if len(among) < ENOUGH_USERS:
                continue
            found = compare(
                content.restricted(among),
                rival.restricted(among),
                n_resamples=statistics.resamples,
                seed=statistics.seed,
            )
            rows.append({"stratum": f"{low} to {high - 1}" if high else f"{low} or more", **vars(found)})
        return {"users": pd.DataFrame(rows)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        return [
            Table(
                title="For whom",
                caption="Lift of the chosen content over its best rival, by the user's training interactions; "
                "p is not corrected, and decides nothing.",
                columns=["Training interactions", "Users", "With content", "Rival", "Lift", "95 % interval", "p"],
                rows=[
                    [
                        row["stratum"],
                        f"{row['n_users']:,}",
                        f"{row['mean_a']:.4f}",
                        f"{row['mean_b']:.4f}",
                        percent(row["lift"], signed=True),
                        f"{percent(row['lift_low'], signed=True)} to {percent(row['lift_high'], signed=True)}",
                        "< 0.001" if row["p_value"] < 0.001 else f"{row['p_value']:.3f}",
                    ]
                    for row in tables["users"].to_dict("records")
                ],
            )
        ]
