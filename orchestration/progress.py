"""How long work is shown: bars in a terminal, lines in Dagster's event log."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

logger = logging.getLogger(__name__)
Advance = Callable[[int], None]


class Progress(Protocol):
    """Something that can show how far a piece of work has come."""

    def track(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """Show work of so many steps; the context gives a function to be called with the steps done since."""


class LogProgress:
    """Lines in a log: at the start, at the end, and at least every half minute between."""

    def __init__(self, log: Callable[[str], None] = logger.info, every: float = 30.0, silence: float = 30.0) -> None:
        """A progress that writes lines.

        Args:
            log: takes a line; it must be safe to call from another thread.
            every: seconds between two lines while steps are done.
            silence: seconds after which a line is written although no step was done.
        """
        self.log = log
        self.every = every
        self.silence = silence

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Advance]:
        """Show work of so many steps."""
        started = written = time.monotonic()
        done = 0
        ended = threading.Event()

        def write() -> None:
            nonlocal written
            written = time.monotonic()
            passed = written - started
            left = f", about {passed / done * (total - done):.0f} s left" if done else ""
            self.log(f"{label}: {done} of {total} after {passed:.0f} s{left}")

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            if time.monotonic() - written >= self.every and done:
                write()

        def break_silence() -> None:
            while not ended.wait(max(written + self.silence - time.monotonic(), 0.01)):
                if time.monotonic() - written >= self.silence:
                    write()

        self.log(f"{label}: {total} to do")
        watch = threading.Thread(target=break_silence, name=f"progress of {label}", daemon=True)
        watch.start()
        try:
            yield advance
        finally:
            ended.set()
            watch.join()
        self.log(f"{label}: {done} of {total} in {time.monotonic() - started:.1f} s")


class CombinedProgress:
    """Work that is shown in several places at once."""

    def __init__(self, *places: Progress) -> None:
        """Each of the places shows all work."""
        self.places = places

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Advance]:
        """Show work of so many steps."""
        with ExitStack() as stack:
            advances = [stack.enter_context(place.track(label, total)) for place in self.places]

            def advance(steps: int) -> None:
                for one in advances:
                    one(steps)

            yield advance


@contextmanager
def counted(progress: Progress, label: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Show work that reports (steps done, steps in all), as encoders do; equal items are steps done at once."""
    with progress.track(label, total) as advance:
        shown = 0

        def report(done: int, steps: int) -> None:
            nonlocal shown
            now = total * done // max(steps, 1)
            advance(now - shown)
            shown = now

        yield report
        advance(total - shown)
