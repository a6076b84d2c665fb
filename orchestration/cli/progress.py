"""Long work on the command line: bars in a terminal, and a line now and then where there is none."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from orchestration.progress import Advance, LogProgress


class RichProgress:
    """Bars with counts, time passed and time left; work that has ended leaves one line above them."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        """Shown on `console`; where that is no terminal, a line `every` so many seconds."""
        self.console = console
        self._lines = LogProgress(self._say, every)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        """Start to draw."""
        if self.console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if self.console.is_terminal:
            self._bars.stop()

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Advance]:
        """Show work of so many steps."""
        if not self.console.is_terminal:
            with self._lines.track(label, total) as advance:
                yield advance
            return
        started = time.monotonic()
        task = self._bars.add_task(escape(label), total=total)
        try:
            yield lambda steps: self._bars.advance(task, steps)
            self._say(f"{label}: {total} in {time.monotonic() - started:.1f} s")
        finally:
            self._bars.remove_task(task)

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)
