"""Where commands write: results to stdout, everything else to stderr; pipes get lines that are not cut short.

Ids, titles and messages of others are printed as they are: nothing in them is taken for markup or for an emoji's code,
and what would move the cursor, colour the terminal or turn a line round is shown as its code.
"""

import json
import math
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement, measure_renderables
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from recsys.wording import listed

PIPE_WIDTH = 140
UNBOUNDED = 10_000
TICK, CROSS = "✓", "✗"
# Control characters but for tab and new line, marks and overrides of direction, separators of lines, lone surrogates.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
NEW_LINE = re.compile(r"[ \t\r\n\x0b\x0c\x85\u2028\u2029]*[\t\r\n\x0b\x0c\x85\u2028\u2029]+[ ]*")


def visible(text: str) -> str:
    r"""Text whose control characters are shown as codes, such as `\x1b`."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The same, with a space in the place of new lines and tabs."""
    return visible(NEW_LINE.sub(" ", text))


class PlainConsole(Console):
    """A console that prints strings as they are; ticks and crosses that begin one are coloured."""

    def __init__(self, **options: Any) -> None:
        """Options are those of Rich."""
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """What Rich makes of every string: of a line, of a cell, of a title."""
        made = super().render_str(visible(text), **(options | {"markup": False, "emoji": False}))
        made.highlight_regex(f"^{TICK}", "green")
        made.highlight_regex(f"^{CROSS}", "red")
        return made


class PlainTable(Table):
    """A table with one line of text in a cell, whatever a user's text holds; words are not cut where there is room."""

    def add_row(
        self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False
    ) -> None:
        """Add a row of cells."""
        plain = [one_line(cell) if isinstance(cell, str) else cell for cell in cells]
        super().add_row(*plain, style=style, end_section=end_section)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What Rich prints; no column is narrower than its longest word where there is room for all of these."""
        shown = copy(self)
        if widths := self._widths(console, options):
            shown.columns = [replace(column, width=width) for column, width in zip(self.columns, widths, strict=True)]
        yield from super(PlainTable, shown).__rich_console__(console, options)

    def _widths(self, console: Console, options: ConsoleOptions) -> list[int]:
        """Widths of the columns, the widest of them made narrower as far as needed; empty where nothing is enough."""
        unbounded = options.update(max_width=UNBOUNDED)
        cells = [(column.header, *column.cells) for column in self.columns]
        measured = [measure_renderables(console, unbounded, each) for each in cells]
        frame = Measurement.get(console, unbounded, self).minimum - sum(each.minimum for each in measured)
        for widest in range(max((each.maximum for each in measured), default=0), 0, -1):
            widths = [max(each.minimum, min(each.maximum, widest)) for each in measured]
            if frame + sum(widths) <= options.max_width:
                return widths
        return []


out = PlainConsole(width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = PlainConsole(stderr=True, width=None if sys.stderr.isatty() else PIPE_WIDTH)


def tick(good: bool) -> str:
    """A tick or cross, coloured where it begins what is printed."""
    return TICK if good else CROSS


def complain(line: str) -> None:
    """One red line on stderr, whatever its length."""
    err.print(one_line(line), style="red", soft_wrap=True)


def note(line: str) -> None:
    """One plain line on stderr."""
    err.print(one_line(line), soft_wrap=True)


def say(line: str) -> None:
    """One plain line on stdout."""
    out.print(one_line(line), soft_wrap=True)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table; a column that begins with `>` is one of figures and stands to the right.

    A word that is wider than its column goes on in the next line: of names nothing is cut off.
    """
    title = title and one_line(title)
    made = PlainTable(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        is_figure = column.startswith(">")
        name = one_line(column.removeprefix(">"))
        made.add_column(name, justify="right" if is_figure else "left", overflow="fold")
    return made


def natural_width(shown: Table) -> Measurement:
    """How wide a table is with no word cut in two, and with no line broken, whatever the terminal's width."""
    return Measurement.get(out, out.options.update(max_width=UNBOUNDED), shown)


def print_rows(rows: Sequence[Mapping[str, str | Text]], *dispensable: str, title: str | None = None) -> None:
    """A table without empty columns, and without as many dispensable ones as are in the way of whole words.

    Args:
        rows: each by column; there is one at least.
        dispensable: columns that a narrow terminal does without, the first of them first.
        title: above the table.
    """
    for n_left_out in range(len(dispensable) + 1):
        left_out = dispensable[:n_left_out]
        columns = [name for name in rows[0] if name not in left_out and any(row[name] for row in rows)]
        shown = table(*columns, title=title)
        for row in rows:
            shown.add_row(*(row[name] for name in columns))
        if natural_width(shown).minimum <= out.width:
            break
    out.print(shown)
    if left_out:
        say(f"A wider terminal also shows: {listed([name.removeprefix('>') for name in left_out])}.")


def print_list(title: str, entries: Iterable[str]) -> None:
    """Paragraphs under a title, each with a hanging indent and broken between words; nothing where there are none."""
    lines = [
        textwrap.fill(
            one_line(entry),
            width=out.width,
            initial_indent="  ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for entry in entries
    ]
    if lines:
        say(title)
        out.print("\n".join(lines), soft_wrap=True)


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
