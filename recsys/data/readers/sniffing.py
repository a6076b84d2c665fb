"""What a delimited file does not say about itself: its delimiter, its quotes, and whether it has a header."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from recsys.data.readers.layout import Layout
from recsys.data.readers.records import Splitter, lines_of, records

SAMPLE_LINES = 1000
USUAL = {".csv": ",", ".tsv": "\t", ".inter": "\t", ".dat": "::"}
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "::": "'::'", " ": "blanks"}
COMMENTS = ("#", "%")


class Sniffed:
    """What was found out about a delimited file.

    Attributes:
        delimiter, quote: `quote` is '' where quotation marks are letters like any other.
        comment: what lines begin with that are no rows; None where there are none.
        skip: lines before the first row of data.
        names: of the columns.
        has_header: whether the names are the file's own.
        notes: what was found out.
    """

    def __init__(self, path: Path, suffix: str, layout: Layout) -> None:
        """Look at the first lines of a UTF-8 file."""
        self.notes: list[str] = []
        sample = list(islice(lines_of(path), SAMPLE_LINES))
        first, self.comment, said = _opening(sample)
        sample = [(number, line) for number, line in sample[first:] if not _is_comment(line, self.comment)]
        sample = [(number, line) for number, line in sample if line.strip()]
        if _is_matrix_market(path):
            sample, said = sample[1:], " "
            self.notes.append("the line of sizes of a Matrix Market file is no row")
        lines = [line for _, line in sample] or [""]
        self.delimiter = layout.delimiter or said or _delimiter(lines, suffix, layout.quoted)
        if self.delimiter != USUAL.get(suffix):
            self.notes.append(f"separated by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}")
        self.quote = _quote(lines, self.delimiter, suffix, layout.quoted)
        if self.quote and (suffix != ".csv" or self.quote != '"') and layout.quoted is None:
            self.notes.append(f"fields stand in {self.quote}")
        self.skip = sample[0][0] - 1 if sample else first
        if self.comment:
            self.notes.append(f"lines that begin with {self.comment} are comments")
        self.splitter = Splitter(self.delimiter, self.quote)
        rows = _rows(lines, self.splitter)
        self._find_names(path, rows, layout)
        self._values = _columns_of_values(rows[self.has_header :], len(self.names))

    def is_row(self, fields: list[str]) -> bool:
        """Whether fields look like a whole row: as many as there are columns, with numbers where rows have them."""
        if len(fields) != len(self.names) or len(fields) < 2:
            return False
        if not self._values:
            return len(fields) > 2 and all(field.strip() for field in fields)
        return all(not fields[place].strip() or _is_value(fields[place].strip()) for place in self._values) and any(
            fields[place].strip() for place in self._values
        )

    def _find_names(self, path: Path, rows: list[list[str]], layout: Layout) -> None:
        self.has_header = layout.header if layout.header is not None else _is_header(rows) and layout.names is None
        if layout.names is not None and layout.header is None and rows and tuple(rows[0]) == layout.names:
            self.has_header = True
        if self.has_header:
            self.skip += 1
        elif layout.names is None and layout.header is None and _counts_columns(rows):
            self.skip += 1
            rows = rows[1:]
            self.notes.append("the first row numbers the columns from 0 and is no row of data")
        if layout.names is not None:
            self.names = layout.names
        elif self.has_header:
            head = rows[0] if rows else []
            self.names = tuple(name.strip() or str(place) for place, name in enumerate(head, 1))
            if unnamed := [name for name, given in zip(self.names, head, strict=True) if not given.strip()]:
                self.notes.append(f"the header leaves columns without a name: {', '.join(unnamed)}")
        else:
            self._number_columns(path, rows)

    def _number_columns(self, path: Path, rows: list[list[str]]) -> None:
        width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 1
        commented = _line(path, self.skip).lstrip("#% ").strip() if self.comment and self.skip else ""
        head = [name.strip() for name in commented.split(self.delimiter)]
        if len(head) == width > 1 and all(head) and len(set(head)) == width and _is_header([head, *rows]):
            self.names, self.has_header = tuple(head), True
            self.notes.append("the comment above the first row names the columns")
            return
        self.names = tuple(str(place) for place in range(1, width + 1))
        self.notes.append(f"no header: columns are numbered 1 to {width}")


def _is_matrix_market(path: Path) -> bool:
    """Whether a file of coordinates begins as Matrix Market files do."""
    return _line(path, 1).lower().startswith("%%matrixmarket matrix coordinate")


def _rows(lines: Sequence[str], splitter: Splitter) -> list[list[str]]:
    return [record.fields for record in records(iter(enumerate(lines)), splitter) if record.fields is not None]


def _columns_of_values(rows: Sequence[Sequence[str]], width: int) -> tuple[int, ...]:
    """Columns in which nearly every cell is a number or a date."""
    columns = zip(*(row for row in rows if len(row) == width), strict=True)
    cells = [[cell.strip() for cell in column if cell.strip()] for column in columns]
    return tuple(place for place, known in enumerate(cells) if known and sum(map(_is_value, known)) > 0.9 * len(known))


def _line(path: Path, number: int) -> str:
    return next((line for _, line in islice(lines_of(path), number - 1, number)), "")


def _is_comment(line: str, comment: str | None) -> bool:
    return comment is not None and line.startswith(comment)


def _opening(sample: Sequence[tuple[int, str]]) -> tuple[int, str | None, str | None]:
    """Lines before the header, what comments begin with, and the delimiter that Excel's `sep=;` names."""
    said = re.fullmatch(r'"?sep=(.)"?', sample[0][1]) if sample else None
    if said:
        return 1, None, said[1]
    comment = next((mark for mark in COMMENTS if sample and sample[0][1].startswith(mark)), None)
    first = 0
    while first < len(sample) and (not sample[first][1].strip() or _is_comment(sample[first][1], comment)):
        first += 1
    if first == len(sample):
        return 0, None, None
    return first, comment, None


def _delimiter(lines: Sequence[str], suffix: str, quoted: bool | None) -> str:
    """The candidate that gives most lines, the header among them, one number of fields, two or more."""
    usual = USUAL.get(suffix, "\t")

    def fit(delimiter: str) -> tuple[float, ...]:
        quote = (
            '"'
            if quoted is not False and any(line.startswith('"') or f'{delimiter}"' in line for line in lines)
            else ""
        )
        splitter = Splitter(delimiter, quote)
        counts = Counter(map(len, _rows(lines, splitter)))
        if not counts or max(counts) < 2:
            return (0, 0, 0, 0)
        width, n = counts.most_common(1)[0]
        share = n / sum(counts.values()) if width > 1 else 0.0
        head = splitter.split(lines[0])
        fits = not isinstance(head, str) and len(head) == width
        if delimiter == " ":  # words have blanks too
            share = 0.5 if share == 1 and len(lines) > 2 else 0
        return (round(share, 1), fits, width, delimiter == usual)

    scores = {delimiter: fit(delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    if scores[best][0] > 0:
        return best
    return next((d for d in (usual, *DELIMITERS) if d != " " and d in lines[0]), USUAL.get(suffix, ","))


def _quote(lines: Sequence[str], delimiter: str, suffix: str, quoted: bool | None) -> str:
    if quoted is not None:
        return '"' if quoted else ""
    for quote in ('"', "'"):
        if all(_stands_in(quote, cell.strip()) for cell in lines[0].split(delimiter)):
            return quote
        plain = [row for line in lines if len(row := line.split(delimiter)) == len(lines[0].split(delimiter))]
        for column in zip(*plain, strict=True):
            cells = [cell.strip() for cell in column if cell.strip()]
            if len(cells) > 2 and all(_stands_in(quote, cell) for cell in cells[1:]):
                return quote
    return '"' if suffix == ".csv" else ""


def _stands_in(quote: str, cell: str) -> bool:
    return len(cell) > 1 and cell[0] == quote == cell[-1]


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it does unless it looks like the rows below it."""
    head = [cell.strip() for cell in rows[0]] if rows else []
    below = [row for row in rows[1:] if len(row) == len(head)]
    if not below:
        return not all(_is_value(cell) for cell in head)
    numbers = alike = 0
    for name, *cells in zip(head, *below, strict=True):
        column = [cell.strip() for cell in cells if cell.strip()]
        if not name or not column:
            continue
        if sum(map(_is_value, column)) > 0.9 * len(column):
            if not _is_value(name):
                return True
            numbers += 1
        else:
            alike += _is_of_kind(name, column)
    return not numbers and alike < 0.5 * sum(map(bool, head))


def _counts_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is 0, 1, 2, ..., as pandas writes columns without names.

    A first row 0, 1 may be a person and an item, and so may 0, 1, 2 with a rating, where all below are numbers too.
    """
    head = [cell.strip() for cell in rows[0]] if rows else []
    if len(head) < 2 or len(rows) < 2 or head != [str(place) for place in range(len(head))]:
        return False
    return len(head) > 3 or any(cell.strip() and not _is_value(cell.strip()) for cell in rows[1])


def _is_of_kind(name: str, column: Sequence[str]) -> bool:
    """Whether a cell is one more of a column's values: a code like most of them, or one that comes again."""
    codes = _has_digits(name) and sum(map(_has_digits, column)) > 0.9 * len(column)
    return (codes and _shape(name) in map(_shape, column)) or (name in column and len(set(column)) < len(column))


def _is_value(cell: str) -> bool:
    """A number or a date: what is no name."""
    return re.fullmatch(r"[-+]?[0-9]*[.,]?[0-9]+(e[-+]?[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*", cell, re.I) is not None


def _has_digits(cell: str) -> bool:
    return any(letter.isdigit() for letter in cell)


def _shape(cell: str) -> str:
    return re.sub(r"[A-Z]+", "A", re.sub(r"[a-z]+", "a", re.sub(r"[0-9]", "9", cell)))
