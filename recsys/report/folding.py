"""Which rows of a long table a reader sees first: each model on the arm that validation chose; the rest is folded.

The best arm by the figures that are shown would be chosen on the test part, and flatter most the model with most arms.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from recsys.evidence.scores import Pair
from recsys.report.model import DatasetReport
from recsys.report.rows import ComparisonRow, ResultRow, TuningCurve
from recsys.study.results import ArmResult

Row = TypeVar("Row")
ArmRow = TypeVar("ArmRow", ResultRow, ComparisonRow, TuningCurve)
Folded = tuple[list[Row], list[Row]]
"""The rows to show, and those to fold away."""
FEW = 25
"""So many rows are shown at once, whatever they are: the demo's, for one."""


def fold(rows: Sequence[Row], models: Sequence[str], standing: Sequence[Any] | None = None) -> Folded[Row]:
    """Where there are many rows, one of each model apart from the others; the order stays.

    Args:
        rows: in the order in which they are shown.
        models: the model of each row.
        standing: of each row among those of its model, of which the highest is shown; None: the first row is.
    """
    if len(rows) <= FEW:
        return list(rows), []
    shown: dict[str, int] = {}
    for position, model in enumerate(models):
        if model not in shown or (standing is not None and standing[position] > standing[shown[model]]):
            shown[model] = position
    kept = set(shown.values())
    return [rows[n] for n in sorted(kept)], [row for n, row in enumerate(rows) if n not in kept]


def fold_measured(rows: Sequence[dict[Hashable, Any]], arms: Sequence[ArmResult]) -> Folded[dict[Hashable, Any]]:
    """The same for rows of a summary (see `recsys.study.measuring`) of these arms, on one metric."""
    standing = {arm.pair: arm.standing for arm in arms}
    return fold(rows, [row["model"] for row in rows], [standing[row["model"], row["arm"]] for row in rows])


def fold_arms(rows: Sequence[ArmRow], dataset: DatasetReport) -> Folded[ArmRow]:
    """The same for rows of the report, each of which is about a (model, arm)."""
    return fold(rows, [row.model for row in rows], [standing(dataset)((row.model, row.arm)) for row in rows])


def standing(dataset: DatasetReport) -> Callable[[Pair], tuple[bool, float]]:
    """How a (model, arm) stands among those of its model: by validation alone, and controls come last."""
    known = {(row.model, row.arm): (row.kind != "control", row.valid) for row in dataset.results}
    return lambda pair: known.get(pair, (False, float("-inf")))


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
