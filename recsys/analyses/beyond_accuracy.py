"""Beyond accuracy: how much of the catalogue lists show, how evenly, and how popular it is."""

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.evidence.scores import label
from recsys.evidence.wording import percent

SHOWN = {"coverage": percent, "gini": "{:.3f}".format, "popularity": "{:,.1f}".format, "novelty": "{:.2f} bits".format}


class BeyondAccuracy(Analysis):
    """Coverage, Gini, popularity and novelty of every (model, arm) but the controls."""

    title = "Beyond accuracy: coverage, evenness, popularity, novelty"
    needs = ("metrics",)
    tables = ("lists",)
    position = 20

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row a (model, arm), the best by the primary metric first; one column a metric at that one's cut-off."""
        k = inputs.study.evaluation.primary_k
        real = {arm.pair for arm in inputs.results.arms if arm.control is None}
        wide = inputs.summary.pivot_table(index=["model", "arm"], columns="metric", values="mean", sort=False)
        kept = wide[[pair in real for pair in wide.index]]
        best_first = kept.sort_values(inputs.study.evaluation.primary, ascending=False, kind="stable")
        return {"lists": best_first[[f"{metric}_at_{k}" for metric in SHOWN]].reset_index()}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        lists = tables["lists"]
        k = str(lists.columns[-1]).rpartition("_at_")[2]
        return [
            Table(
                title="Beyond accuracy",
                caption=f"Lists of {k} items. Gini: 0 where all items are shown equally often, towards 1 where one "
                "fills the lists. Popularity: mean training interactions of the items shown.",
                columns=["Model and arm", "Coverage", "Gini", "Popularity", "Novelty"],
                rows=[
                    [label(row["model"], row["arm"]), *(form(row[f"{name}_at_{k}"]) for name, form in SHOWN.items())]
                    for row in lists.to_dict("records")
                ],
                models=lists["model"].tolist(),
            )
        ]
