"""Which rows of a long table a reader sees first: the best arm of each model; the rest is folded away."""

from collections.abc import Sequence
from typing import TypeVar

from recsys.report.model import DatasetReport
from recsys.report.rows import ComparisonRow, ResultRow, TuningCurve

Row = TypeVar("Row")
ArmRow = TypeVar("ArmRow", ResultRow, ComparisonRow, TuningCurve)
Folded = tuple[list[Row], list[Row]]
"""The rows to show, and those to fold away."""
FEW = 25
"""So many rows are shown at once, whatever they are: the demo's, for one."""


def fold(rows: Sequence[Row], models: Sequence[str], real: Sequence[bool] | None = None) -> Folded[Row]:
    """Where there are many rows, the first of each model apart from the others; the order stays.

    Args:
        rows: best first.
        models: the model of each row.
        real: False for the rows of controls, which stand for their model only where it has no other; None: all True.
    """
    if len(rows) <= FEW:
        return list(rows), []
    first: dict[str, int] = {}
    for position in sorted(range(len(rows)), key=lambda each: real is not None and not real[each]):
        first.setdefault(models[position], position)
    kept = set(first.values())
    return [rows[n] for n in sorted(kept)], [row for n, row in enumerate(rows) if n not in kept]


def fold_arms(rows: Sequence[ArmRow]) -> Folded[ArmRow]:
    """The same for rows of the report, each of which is about a (model, arm)."""
    return fold(rows, [row.model for row in rows], [row.kind != "control" for row in rows])


def results(dataset: DatasetReport) -> list[ResultRow]:
    """Every (model, arm) on the test part, best first."""
    return sorted(dataset.results, key=lambda row: row.metrics[dataset.metric].mean, reverse=True)


def comparisons(dataset: DatasetReport) -> list[ComparisonRow]:
    """Every (model, arm) against the best rival, best first."""
    return sorted(dataset.comparisons, key=lambda row: row.comparison.mean_a, reverse=True)


def curves(dataset: DatasetReport) -> list[TuningCurve]:
    """Every (model, arm) whose tuning reached something, best end first."""
    reached = [curve for curve in dataset.tuning if len(curve.best) > 1 and curve.best[-1] > 0]
    return sorted(reached, key=lambda curve: curve.best[-1], reverse=True)
