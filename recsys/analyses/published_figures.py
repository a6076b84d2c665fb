"""Our figures beside those that others published for the same data."""

from typing import Any

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.evidence.scores import label
from recsys.evidence.wording import metric_name
from recsys.models.registry import class_name
from recsys.published.figures import row_name
from recsys.study.study import Study
from recsys.wording import percent

COLUMNS = ["model", "arm", "metric", "mean", "ci_low", "ci_high", "published", "gap", "doubt", "source"]


class PublishedFigures(Analysis):
    """The relative gap of each published figure.

    A model that ran on several arms stands for itself by its first; likewise its row `BM3@published/baby`.
    """

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
        """One row per figure.

        Columns: `COLUMNS`.
        """
        published = inputs.study.datasets[inputs.name].published
        assert published is not None
        first = {arm.model: arm.arm for arm in reversed(inputs.results.arms) if arm.control is None}
        rows: list[dict[str, Any]] = []
        for found in inputs.summary.to_dict("records"):
            model, arm = class_name(found["model"]), found["arm"]
            names = [row_name(model, arm), *([model] if first.get(found["model"]) == arm else [])]
            for name in names:
                if figure := published.rows.get(name, {}).get(found["metric"]):
                    rows.append(
                        {
                            **{key: found[key] for key in ("model", "arm", "metric", "mean", "ci_low", "ci_high")},
                            "published": figure,
                            "gap": found["mean"] / figure - 1,
                            "doubt": published.doubts.get(name, ""),
                            "source": published.source,
                        }
                    )
                    break
        return {"figures": pd.DataFrame(rows, columns=COLUMNS)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        figures = tables["figures"]
        if figures.empty:
            return []
        doubted = bool(figures["doubt"].any())
        about_doubts = " A figure that is no target has the reason beside it." if doubted else ""
        return [
            Table(
                title=self.title,
                caption=f"Published: {figures['source'].iloc[0]}. Ours with 95 % intervals; the gap is relative to "
                f"the published figure.{about_doubts}",
                columns=["Model and arm", "Metric", "Ours", "95 % interval", "Published", "Gap"]
                + ["No target, because"] * doubted,
                rows=[
                    [
                        label(row["model"], row["arm"]),
                        metric_name(row["metric"]),
                        f"{row['mean']:.4f}",
                        f"{row['ci_low']:.4f} to {row['ci_high']:.4f}",
                        f"{row['published']:.4f}",
                        percent(row["gap"], signed=True),
                        *([row["doubt"]] if doubted else []),
                    ]
                    for row in figures.to_dict("records")
                ],
            )
        ]
