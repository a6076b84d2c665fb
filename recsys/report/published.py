"""Our figures beside those that others published for the same data."""

from collections.abc import Mapping

from recsys.evidence.wording import metric_name, percent
from recsys.report.rows import ResultRow, Table


def beside_published(source: str, published: Mapping[str, Mapping[str, float]], results: list[ResultRow]) -> Table:
    """A table of our figures, the published ones and the relative gap between them.

    Args:
        source: who published them.
        published: by model, then by metric such as `recall_at_20`.
        results: ours; a model that ran on several arms stands for itself by its first, controls aside; one that did
            not run has no row.
    """
    ours = {row.model: row for row in reversed(results) if row.kind != "control"}
    return Table(
        title="Beside the published figures",
        caption=f"Published: {source}. Ours with 95 % intervals; the gap is relative to the published figure.",
        columns=["Model and arm", "Metric", "Ours", "95 % interval", "Published", "Gap"],
        rows=[
            _row(ours[model], metric, figure)
            for model, figures in published.items()
            if model in ours
            for metric, figure in figures.items()
        ],
    )


def _row(ours: ResultRow, metric: str, published: float) -> list[str]:
    found = ours.metrics[metric]
    gap = percent(found.mean / published - 1, signed=True)
    interval = f"{found.low:.4f} to {found.high:.4f}"
    return [ours.name, metric_name(metric), f"{found.mean:.4f}", interval, f"{published:.4f}", gap]
