"""Pruning: stop trials early by the validation curves of those that finished before them.

To be behind the median at the same epoch (the median rule of Vizier, Golovin et al., KDD 2017) is not enough: a low
learning rate starts late and may end best. A trial is pruned when, besides, the pace of its last evaluations would
not bring it to where the others ended.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

Curve = Sequence[dict[str, float]]
"""One dict an epoch, with `valid` where the epoch ended with an evaluation."""
FINISHED = 4
"""Trials that must have finished before another is measured by them."""
WINDOW = 5
"""Evaluations over which the pace is taken, and before which nothing is judged."""


@dataclass(frozen=True)
class PruningCurve:
    """How far finished trials of the same model and arm had come by each epoch.

    Attributes:
        epochs: at which one of them was evaluated, ascending.
        medians: of the best values that each had reached by then, kept to the end where one had stopped before.
    """

    epochs: tuple[int, ...]
    medians: tuple[float, ...]

    def should_prune(self, curve: Curve, last_epoch: int) -> bool:
        """Whether a trial is behind the median and would, at its present pace, not reach its end by `last_epoch`."""
        epochs, best = _reached(curve)
        if len(best) <= WINDOW or epochs[-1] >= last_epoch or epochs[-1] < self.epochs[0]:
            return False
        behind = best[-1] < self.medians[bisect_right(self.epochs, epochs[-1]) - 1]
        pace = (best[-1] - best[-1 - WINDOW]) / (epochs[-1] - epochs[-1 - WINDOW])
        return behind and best[-1] + pace * (last_epoch - epochs[-1]) < self.medians[-1]


def pruning_curve(finished: Sequence[Curve]) -> PruningCurve | None:
    """The curve by which finished trials prune the next; None while they are too few, or for models without one."""
    reached = [_reached(curve) for curve in finished]
    reached = [(epochs, best) for epochs, best in reached if best]
    if len(reached) < FINISHED:
        return None
    # From the epoch at which all of them had been evaluated at least once.
    first = max(epochs[0] for epochs, _ in reached)
    grid = sorted({epoch for epochs, _ in reached for epoch in epochs if epoch >= first})
    medians = (median(best[bisect_right(epochs, at) - 1] for epochs, best in reached) for at in grid)
    return PruningCurve(tuple(grid), tuple(medians))


def _reached(curve: Curve) -> tuple[list[int], list[float]]:
    """The epochs that were evaluated, and the best value up to each."""
    evaluated = [(int(row["epoch"]), row["valid"]) for row in curve if "valid" in row]
    return [epoch for epoch, _ in evaluated], list(accumulate((value for _, value in evaluated), max))
