"""How long work is shown: bars in a terminal, lines in Dagster's event log."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from recsys.wording import duration

logger = logging.getLogger(__name__)
Advance = Callable[[int], None]


class Progress(Protocol):
    """Something that can show how far a piece of work has come."""

    def track(self, label: str, total: int, unit: str) -> AbstractContextManager[Advance]:
        """Show work of so many steps.

        The context gives a function to be called with the steps done since; `unit` is what steps are, such as `cells`.
        """

    def note(self, line: str) -> None:
        """Show something that a person should know, and that stops nothing."""


class LogProgress:
    """Lines in a log: at the start, at the end, and at least every quarter of a minute between."""

    def __init__(self, log: Callable[[str], None] = logger.info, every: float = 15.0, silence: float = 15.0) -> None:
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
    def track(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        """Show work of so many steps."""
        started = written = time.monotonic()
        done, units = 0, agreeing(unit, total)
        ended = threading.Event()

        def write() -> None:
            nonlocal written
            written = time.monotonic()
            self.log(f"{label}: {done:,} of {total:,} {units} after {duration(max(written - started, 1))}{left()}")

        def left() -> str:
            seconds = (time.monotonic() - started) / done * (total - done) if done else 0
            return f", about {duration(max(seconds, 1))} left" if seconds else ""

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            if time.monotonic() - written >= self.every and done:
                write()

        def break_silence() -> None:
            while not ended.wait(max(written + self.silence - time.monotonic(), 0.01)):
                if time.monotonic() - written >= self.silence:
                    write()

        self.log(f"{label}: {total:,} {units} to do")
        watch = threading.Thread(target=break_silence, name=f"progress of {label}", daemon=True)
        watch.start()
        try:
            yield advance
        finally:
            ended.set()
            watch.join()
        self.log(f"{label}: {done:,} of {total:,} {units} in {duration(time.monotonic() - started)}")

    def note(self, line: str) -> None:
        """A line of its own."""
        self.log(line)


def agreeing(unit: str, n: int) -> str:
    """What so many steps are: `cells`, or one `cell`; `seconds of tuning`, or one `second of tuning`."""
    return re.sub(r"s\b", "", unit, count=1) if n == 1 else unit


class CombinedProgress:
    """Work that is shown in several places at once."""

    def __init__(self, *places: Progress) -> None:
        """Each of the places shows all work."""
        self.places = places

    @contextmanager
    def track(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        """Show work of so many steps."""
        with ExitStack() as stack:
            advances = [stack.enter_context(place.track(label, total, unit)) for place in self.places]

            def advance(steps: int) -> None:
                for one in advances:
                    one(steps)

            yield advance

    def note(self, line: str) -> None:
        """Show it in all of them."""
        for place in self.places:
            place.note(line)


@contextmanager
def counted(progress: Progress, label: str, total: int, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show work that reports (steps done, steps in all), as encoders do; equal items are steps done at once.

    Work that reports nothing had nothing to do; work that stopped in between is not shown as done.
    """
    with progress.track(label, total, unit) as advance:
        shown, ended = 0, True

        def report(done: int, steps: int) -> None:
            nonlocal shown, ended
            ended = done >= steps
            now = total * done // max(steps, 1)
            advance(now - shown)
            shown = now

        yield report
        if ended:
            advance(total - shown)
