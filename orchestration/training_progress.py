"""Progress of a model's trainings: in cells, and where time is the budget, before these in seconds of tuning."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from orchestration.progress import Progress
from recsys.engine.stored import StoredCell

OnCell = Callable[[StoredCell], None]


@contextmanager
def in_cells(progress: Progress, label: str, total: int) -> Iterator[OnCell]:
    """Show cells, of which there are `total` at most; a final cell that failed leaves its place to the next best."""
    done = 0
    with progress.track(label, total, "cells") as advance:

        def tell(cell: StoredCell) -> None:
            nonlocal done
            if cell.record["stage"] == "final" and cell.message:
                return
            done += 1
            advance(1)

        yield tell
        # A search can end before its budget does.
        advance(max(total - done, 0))


@contextmanager
def in_seconds(
    progress: Progress, label: str, arms: Sequence[str], budget: float, cells_after: Callable[[int], int]
) -> Iterator[OnCell]:
    """Show seconds of tuning until every arm has spent its budget, and then the cells that are left.

    Args:
        progress: where they are shown.
        label: whose they are.
        arms: by name, each with the same budget.
        budget: seconds.
        cells_after: cells after tuning, at most, where arms had so many trials.
    """
    tuning = _Tuning(arms, budget)
    with ExitStack() as shown:
        tell_seconds = shown.enter_context(_in_seconds_of(tuning, progress, label))
        tell_cells: OnCell | None = None

        def tell(cell: StoredCell) -> None:
            nonlocal tell_cells
            if tell_cells is None and tuning.is_over_at(cell):
                shown.close()
                left = cells_after(tuning.most_trials)
                tell_cells = shown.enter_context(in_cells(progress, f"{label}, after tuning", left))
            (tell_cells or tell_seconds)(cell)

        yield tell


class _Tuning:
    """What arms have spent of their budgets of seconds, and the trials they had for it."""

    def __init__(self, arms: Sequence[str], budget: float) -> None:
        self._budget, self._spent, self._trials = budget, dict.fromkeys(arms, 0.0), Counter[str]()
        self.total = int(len(arms) * budget)

    def is_over_at(self, cell: StoredCell) -> bool:
        """Whether this cell is none of tuning's, or one beyond all budgets."""
        is_trial = cell.record["stage"] == "tuning" and cell.record["repeat"] == 1
        return not is_trial or min(self._spent.values()) >= self._budget

    def add(self, trial: StoredCell) -> None:
        arm = trial.record["arm"]
        self._trials[arm] += 1
        self._spent[arm] += trial.seconds

    @property
    def seconds(self) -> int:
        """Spent by all arms, none with more than its budget."""
        return int(sum(min(each, self._budget) for each in self._spent.values()))

    @property
    def most_trials(self) -> int:
        return max(self._trials.values(), default=0)


@contextmanager
def _in_seconds_of(tuning: _Tuning, progress: Progress, label: str) -> Iterator[OnCell]:
    with progress.track(label, tuning.total, "seconds of tuning") as advance:

        def tell(trial: StoredCell) -> None:
            before = tuning.seconds
            tuning.add(trial)
            advance(tuning.seconds - before)

        yield tell
        # Settings can run out before their time does.
        advance(tuning.total - tuning.seconds)
