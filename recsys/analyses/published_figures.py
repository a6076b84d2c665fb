"""Our figures beside those that others published for the same data."""

from typing import Any

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.evidence.scores import label
from recsys.evidence.wording import metric_name, percent
from recsys.study.study import Study


class PublishedFigures(Analysis):
    """The relative gap of each published figure; a model that ran on several arms stands for itself by its first."""

    title = "Beside the published figures"
    needs = ("metrics",)
    tables = ("figures",)
    position = 30

    def applies(self, study: Study, name: str) -> bool:
        """Where the study names published figures."""
        return study.datasets[name].published is not None

    def settings(self, study: Study, name: str) -> object:
        """The published figures."""
        published = study.datasets[name].published
        return published.model_dump() if published else None

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row a figure: `model`, `arm`, `metric`, `mean`, `ci_low`, `ci_high`, `published`, `gap`, `source`."""
        published = inputs.study.datasets[inputs.name].published
        assert published is not None
        ours = {arm.model: arm for arm in reversed(inputs.results.arms) if arm.control is None}
        measured = {(row["model"], row["arm"], row["metric"]): row for row in inputs.summary.to_dict("records")}
        rows: list[dict[str, Any]] = []
        for model, figures in published.rows.items():
            for metric, figure in figures.items() if model in ours else ():
                found = measured[*ours[model].pair, metric]
                rows.append(
                    {
                        "model": model,
                        "arm": ours[model].arm,
                        "metric": metric,
                        **{name: found[name] for name in ("mean", "ci_low", "ci_high")},
                        "published": figure,
                        "gap": found["mean"] / figure - 1,
                        "source": published.source,
                    }
                )
        return {"figures": pd.DataFrame(rows)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        figures = tables["figures"]
        if figures.empty:
            return []
        return [
            Table(
                title=self.title,
                caption=f"Published: {figures['source'].iloc[0]}. Ours with 95 % intervals; the gap is relative to "
                "the published figure.",
                columns=["Model and arm", "Metric", "Ours", "95 % interval", "Published", "Gap"],
                rows=[
                    [
                        label(row["model"], row["arm"]),
                        metric_name(row["metric"]),
                        f"{row['mean']:.4f}",
                        f"{row['ci_low']:.4f} to {row['ci_high']:.4f}",
                        f"{row['published']:.4f}",
                        percent(row["gap"], signed=True),
                    ]
                    for row in figures.to_dict("records")
                ],
            )
        ]
