"""Where commands write: results to stdout, everything else to stderr; pipes get lines that are not cut short."""

import json
import math
import sys
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 140

out = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, width=None if sys.stderr.isatty() else PIPE_WIDTH)


def tick(good: bool) -> str:
    """A coloured tick or cross."""
    return "[green]✓[/green]" if good else "[red]✗[/red]"


def complain(line: str) -> None:
    """One red line on stderr, whatever its length."""
    err.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def note(line: str) -> None:
    """One plain line on stderr."""
    err.print(line, markup=False, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """One plain line on stdout."""
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def count(n: int, what: str) -> str:
    """A number of things: 1 asset, 2 assets."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table; a column that begins with `>` is one of figures and stands to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return made


def print_json(content: Any) -> None:
    """JSON on stdout that any parser reads: NaN and infinities are null."""
    typer.echo(json.dumps(_finite(content), indent=2, allow_nan=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
