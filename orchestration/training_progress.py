"""Progress of a model's trainings: in cells, and where time is the budget, before these in seconds of tuning."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from orchestration.progress import Progress
from recsys.engine.stored import StoredCell

Tell = Callable[[StoredCell], None]


@contextmanager
def in_cells(progress: Progress, label: str, total: int) -> Iterator[Tell]:
    """Show cells, of which there are `total` at most."""
    done = 0
    with progress.track(label, total, "cells") as advance:

        def tell(_: StoredCell) -> None:
            nonlocal done
            done += 1
            advance(1)

        yield tell
        # A search can end before its budget does.
        advance(max(total - done, 0))


@contextmanager
def in_seconds(
    progress: Progress, label: str, arms: Sequence[str], budget: float, cells_after: Callable[[int], int]
) -> Iterator[Tell]:
    """Show seconds of tuning until every arm has spent its budget, and then the cells that are left.

    Args:
        progress: where they are shown.
        label: whose they are.
        arms: by name, each with the same budget.
        budget: seconds.
        cells_after: cells after tuning, at most, where arms had so many trials.
    """
    spent, trials = dict.fromkeys(arms, 0.0), Counter[str]()
    total = int(len(arms) * budget)
    with ExitStack() as stack:
        tuning, shown = ExitStack(), 0
        stack.enter_context(tuning)
        advance = tuning.enter_context(progress.track(label, total, "seconds of tuning"))
        after: Tell | None = None

        def tell(cell: StoredCell) -> None:
            nonlocal shown, after
            is_trial = cell.record["stage"] == "tuning" and cell.record["repeat"] == 1
            if after is None and (not is_trial or min(spent.values()) >= budget):
                advance(total - shown)
                tuning.close()
                left = cells_after(max(trials.values(), default=0))
                after = stack.enter_context(in_cells(progress, f"{label}, after tuning", left))
            if after is not None:
                after(cell)
                return
            arm = cell.record["arm"]
            trials[arm] += 1
            spent[arm] += cell.seconds
            before, shown = shown, int(sum(min(each, budget) for each in spent.values()))
            advance(shown - before)

        yield tell
        if after is None:
            advance(total - shown)
