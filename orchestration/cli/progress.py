"""Long work on the command line: bars in a terminal, and a line now and then where there is none."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from orchestration.cli.console import one_line
from orchestration.progress import Advance, LogProgress, agreeing
from recsys.wording import duration


class Left(ProgressColumn):
    """The time left in words, once a step is done."""

    max_refresh = 1.0

    def render(self, task: Task) -> Text:
        """About how long it still takes."""
        seconds = task.time_remaining
        return Text("" if seconds is None or task.finished else f"about {duration(max(seconds, 1))} left")


class RichProgress:
    """Bars with counts, time passed and time left; work that has ended leaves one line above them."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        """Shown on `console`; where that is no terminal, a line `every` so many seconds."""
        self.console = console
        self._lines = LogProgress(self._say, every)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.fields[unit]}", markup=False),
            Left(),
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
    def track(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        """Show work of so many steps."""
        if not self.console.is_terminal:
            with self._lines.track(label, total, unit) as advance:
                yield advance
            return
        started = time.monotonic()
        task = self._bars.add_task(one_line(label), total=total, unit=unit)
        try:
            yield lambda steps: self._bars.advance(task, steps)
            done = next(bar.completed for bar in self._bars.tasks if bar.id == task)
            of = f"{total:,}" if done >= total else f"{done:,.0f} of {total:,}"
            self._say(f"{label}: {of} {agreeing(unit, total)} in {time.monotonic() - started:.1f} s")
        finally:
            self._bars.remove_task(task)

    def note(self, line: str) -> None:
        """A line above the bars."""
        self._say(line)

    def _say(self, line: str) -> None:
        self.console.print(one_line(line), markup=False, highlight=False, emoji=False, soft_wrap=True)
