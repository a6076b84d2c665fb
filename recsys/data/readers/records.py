"""Rows of delimited text, one careful step at a time: quotes, their escapes, and quotes that never close.

DuckDB reads whatever is written by the book; this is for files that are not. A quotation mark that opens a
field and does not close it properly costs its own line only, never the rows below it.
"""

import re
from collections.abc import Iterator
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
    path: Path, skip: int, splitter: "Splitter", n_fields: int | None, comment: str | None
) -> Iterator[Record]:
    """The rows of a file after `skip` lines.

    Args:
        path: a UTF-8 file.
        skip: lines before the first row.
        splitter: of a row into fields.
        n_fields: fields that a row should have, by which a quote left open is told from a long text; None
            where that is not known yet.
        comment: what a line that is no row begins with.
    """
    lines = lines_of(path, skip)
    waiting: list[tuple[int, str]] = []
    while True:
        try:
            number, line = waiting.pop(0) if waiting else next(lines)
        except StopIteration:
            return
        if not line.strip() or (comment and line.startswith(comment)):
            continue
        fields = splitter.split(line)
        taken = [line]
        if fields == OPEN:
            fields, taken = _continued(line, lines, waiting, splitter)
        if n_fields is not None and len(taken) > 1 and _swallows(taken[1:-1], splitter, n_fields):
            fields = OPEN
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


def _swallows(inner: list[str], splitter: "Splitter", n_fields: int) -> bool:
    """Whether lines inside a quoted field are rows themselves."""
    written = [line for line in inner if line.strip()]
    rows = [line for line in written if len(found := splitter.split(line)) == n_fields and not isinstance(found, str)]
    return n_fields > 1 and len(rows) >= (1 if n_fields > 2 else 3) and len(rows) > 0.5 * len(written)


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
