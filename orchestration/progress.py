"""How long work is shown: bars in a terminal, lines in Dagster's log."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

logger = logging.getLogger(__name__)
Advance = Callable[[int], None]


class Progress(Protocol):
    """Something that can show how far a piece of work has come."""

    def track(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """Show work of so many steps; the context gives a function to be called with the steps done since."""


class LogProgress:
    """A line in a log at the start, at the end, and every half minute between, with the time left."""

    def __init__(self, log: Callable[[str], None] = logger.info, every: float = 30.0) -> None:
        """Lines go to `log`, `every` so many seconds."""
        self.log = log
        self.every = every

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Advance]:
        """Show work of so many steps."""
        started = said = time.monotonic()
        done = 0

        def advance(steps: int) -> None:
            nonlocal done, said
            done += steps
            now = time.monotonic()
            if now - said >= self.every and done:
                said = now
                left = (now - started) / done * (total - done)
                self.log(f"{label}: {done} of {total}, about {left:.0f} s left")

        yield advance
        self.log(f"{label}: {done} of {total} in {time.monotonic() - started:.1f} s")


@contextmanager
def counted(progress: Progress, label: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Show work that tells (steps done, steps there are), as encoders do; equal items are steps done at once."""
    with progress.track(label, total) as advance:
        shown = 0

        def tell(done: int, steps: int) -> None:
            nonlocal shown
            now = total * done // max(steps, 1)
            advance(now - shown)
            shown = now

        yield tell
        advance(total - shown)
