"""Rows of delimited text, one careful step at a time: quotes, their escapes, and quotes that never close.

DuckDB reads whatever is written by the book; this is for files that are not. A quotation mark that opens a
field and does not close it properly costs its own line only, never the rows below it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

MAX_LINES = 200
"""A field in quotes is followed over so many lines."""
OPEN, BROKEN = "open", "broken"


@dataclass(frozen=True)
class Record:
    """One row: the line it starts at, its text, and its fields, or the reason why it has none."""

    line: int
    text: str
    fields: list[str] | None
    reason: str = ""


def lines_of(path: Path, skip: int = 0) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without their ends; bytes that are not UTF-8 stay as lone surrogates."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(islice(file, skip, None), skip + 1):
            yield number, line.rstrip("\r\n")


def records(
    lines: Iterator[tuple[int, str]],
    splitter: "Splitter",
    comment: str | None = None,
    is_row: Callable[[list[str]], bool] | None = None,
) -> Iterator[Record]:
    """The rows that lines hold.

    Args:
        lines: with their numbers, from the first row on.
        splitter: of a row into fields.
        comment: what a line that is no row begins with.
        is_row: whether fields look like a whole row, by which a quote left open is told from a text of many
            lines; None where that is not known yet.
    """
    waiting: list[tuple[int, str]] = []
    is_lost = False
    while (following := waiting.pop(0) if waiting else next(lines, None)) is not None:
        number, line = following
        if not line.strip() or (comment and line.startswith(comment)):
            continue
        fields = splitter.split(line)
        if is_lost and is_row and not (isinstance(fields, list) and is_row(fields)) and fields != OPEN:
            yield Record(number, line, None, "it follows a quotation mark that is not closed")
            continue
        taken = [line]
        if fields == OPEN:
            fields, taken = _continued(line, lines, waiting, splitter)
        if is_row and len(taken) > 1 and _swallows(taken[1:-1], splitter, is_row):
            fields = OPEN
        is_lost = isinstance(fields, str)
        text = "\n".join(taken)
        if isinstance(fields, str):
            waiting[:0] = list(enumerate(taken[1:], number + 1))
            yield Record(number, line, None, "a quotation mark opens a field and is not closed as one")
        elif "\0" in text:
            yield Record(number, text, None, "it holds a NUL byte")
        elif not text.isascii() and re.search("[\ud800-\udfff]", text):
            yield Record(number, text.encode(errors="replace").decode(), None, "it is not UTF-8")
        else:
            yield Record(number, text, fields)


def _continued(
    line: str, lines: Iterator[tuple[int, str]], waiting: list[tuple[int, str]], splitter: "Splitter"
) -> tuple[list[str] | str, list[str]]:
    """The fields of a row whose field goes on over further lines, and the lines that were looked at."""
    taken, fields = [line], OPEN
    while len(taken) < MAX_LINES:
        following = waiting.pop(0) if waiting else next(lines, None)
        if following is None:
            break
        taken.append(following[1])
        if splitter.quote in following[1]:
            found = splitter.split("\n".join(taken))
            if found != OPEN:
                return found, taken
    return fields, taken


def _swallows(inner: list[str], splitter: "Splitter", is_row: Callable[[list[str]], bool]) -> bool:
    """Whether most lines inside a quoted field are rows themselves."""
    written = [splitter.split(line) for line in inner if line.strip()]
    rows = [fields for fields in written if isinstance(fields, list) and is_row(fields)]
    return len(rows) > 0.5 * len(written)


class Splitter:
    """Splits a row into fields at a delimiter, with or without quotation marks."""

    def __init__(self, delimiter: str, quote: str) -> None:
        """A delimiter of one or more characters, and a quotation mark, or '' where there is none."""
        self.delimiter = delimiter
        self.quote = quote
        mark = re.escape(quote or '"')
        blanks = r"[ ]*" if delimiter != " " else ""
        ends = rf"{blanks}(?={re.escape(delimiter)}|\Z)"
        self._doubled = re.compile(rf"{blanks}{mark}((?:[^{mark}]|{mark}{mark})*){mark}{ends}")
        self._escaped = re.compile(rf"{blanks}{mark}((?:[^{mark}\\]|\\.|{mark}{mark})*){mark}{ends}", re.DOTALL)
        self._opening = re.compile(rf"{blanks}{mark}")
        self._unclosed = re.compile(rf"{blanks}{mark}(?:[^{mark}]|{mark}{mark})*\Z")
        self._unclosed_escaped = re.compile(rf"{blanks}{mark}(?:[^{mark}\\]|\\.|{mark}{mark})*\\?\Z", re.DOTALL)

    def split(self, text: str) -> list[str] | str:
        """The fields; OPEN where a quote goes on beyond the text, BROKEN where one closes in mid-field."""
        if not self.quote or self.quote not in text:
            return text.split(self.delimiter)
        fields = self._walk(text, self._doubled)
        if isinstance(fields, str) and f"\\{self.quote}" in text:
            escaped = self._walk(text, self._escaped)
            return fields if escaped == BROKEN else escaped
        return fields

    def _walk(self, text: str, quoted: re.Pattern[str]) -> list[str] | str:
        fields: list[str] = []
        at = 0
        while True:
            if self._opening.match(text, at):
                closed = quoted.match(text, at)
                if not closed:
                    unclosed = self._unclosed_escaped if quoted is self._escaped else self._unclosed
                    return OPEN if unclosed.match(text, at) else BROKEN
                fields.append(self._unescaped(closed[1], quoted is self._escaped))
                at = closed.end()
            else:
                end = text.find(self.delimiter, at)
                fields.append(text[at:] if end < 0 else text[at:end])
                at = len(text) if end < 0 else end
            if at >= len(text):
                return fields
            at += len(self.delimiter)

    def _unescaped(self, field: str, escaped: bool) -> str:
        field = field.replace(self.quote * 2, self.quote)
        return re.sub(r"\\([\"'\\])", r"\1", field) if escaped else field
