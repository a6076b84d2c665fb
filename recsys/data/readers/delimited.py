"""Delimited text: DuckDB reads it, and where its rows are not the file's lines, we look closer."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from recsys.data.readers.decoding import Text, as_utf8, chunks
from recsys.data.readers.layout import BadRow, Layout, Rows
from recsys.data.readers.records import Splitter, lines_of, records
from recsys.data.readers.sniffing import Sniffed
from recsys.errors import UserError

BATCH = 10_000
WIDTHS = {"MISSING COLUMNS", "TOO MANY COLUMNS"}


def read_delimited(path: Path, suffix: str, layout: Layout, scratch: Path) -> Rows:
    """The rows of a delimited file as strings.

    Args:
        path: a file that is not compressed.
        suffix: what kind of file it is called, such as `.csv`.
        layout: what is known of it.
        scratch: an empty folder for a decoded copy.

    Raises:
        UserError: it is empty, its encoding cannot be detected, or two columns have one name.
    """
    text = as_utf8(path, layout.encoding, scratch)
    sniffed = Sniffed(text.path, suffix, layout)
    names = sniffed.names
    if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
        raise UserError(f"{path}: two columns have the same name '{twice}' in the header; rename one")
    rows = _by_the_book(text, sniffed) or _closely(text, sniffed)
    rows = replace(_without_empty_columns(rows, sniffed), has_header=sniffed.has_header)
    return rows.noting(*text.notes, *sniffed.notes)


def _by_the_book(text: Text, sniffed: Sniffed) -> Rows | None:
    """What DuckDB reads; None where a row is not exactly a line, so that it may have misread quotes."""
    quote = sniffed.quote if sniffed.quote.encode() in text.seen else ""
    # Where lines end in two ways, DuckDB counts some of them twice.
    odd = {b"\0", b"\r", b"\r\n"} & text.seen or (quote and b'\\"' in text.seen)
    if odd or not text.is_valid or sniffed.comment or len(sniffed.delimiter) > 4:
        return None
    columns = {str(place): "VARCHAR" for place in range(len(sniffed.names))}
    options = {
        "auto_detect": False,
        "delim": sniffed.delimiter,
        "quote": quote,
        "escape": quote,
        "header": False,
        "skip": sniffed.skip,
        "columns": columns,
        "store_rejects": True,
        "rejects_limit": 0,
    }
    with duckdb.connect() as con:
        given = ", ".join(f"{name} = ?" if name != "columns" else f"columns = {columns}" for name in options)
        values = [value for name, value in options.items() if name != "columns"]
        try:
            table = con.execute(f"SELECT * FROM read_csv(?, {given})", [str(text.path), *values]).to_arrow_table()
            rejects = con.execute(
                "SELECT line, any_value(csv_line), list(error_type) FROM reject_errors GROUP BY line ORDER BY line"
            ).fetchall()
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise
        except duckdb.Error:
            return None
    if table.num_rows + len(rejects) != text.n_lines - sniffed.skip:
        return None
    if any((quote and quote in line) or not set(kinds) <= WIDTHS for _, line, kinds in rejects):
        return None
    empty_ends = table.column(table.num_columns - 1).null_count + (sniffed.names[-1] == str(len(sniffed.names)))
    if _n_ended_by(text.path, sniffed.delimiter) > empty_ends + len(rejects):
        return None  # DuckDB lets a row end with a delimiter too many
    splitter = Splitter(sniffed.delimiter, quote)
    bad = [_of_other_width(number, line, splitter.split(line), sniffed) for number, line, _ in rejects]
    numbers = np.arange(sniffed.skip + 1, text.n_lines + 1)
    return Rows(
        table.rename_columns(list(sniffed.names)),
        np.delete(numbers, [row.number - sniffed.skip - 1 for row in bad]),
        bad,
    )


def _n_ended_by(path: Path, delimiter: str) -> int:
    """Lines that end with a delimiter."""
    found, left = 0, b""
    ends = [delimiter.encode() + end for end in (b"\n", b"\r\n")]
    for chunk in chunks(path):
        found += sum((left + chunk).count(end) - left.count(end) for end in ends)
        left = chunk[-8:]
    return found


def _closely(text: Text, sniffed: Sniffed) -> Rows:
    """Row by row."""
    width = len(sniffed.names)
    numbers, bad, batches = list[int](), list[BadRow](), list[pa.Table]()
    found = records(lines_of(text.path, sniffed.skip), sniffed.splitter, sniffed.comment, sniffed.is_row)
    while True:
        batch = list(islice(found, BATCH))
        rows = [
            (record.line, record.fields)
            for record in batch
            if record.fields is not None and len(record.fields) == width
        ]
        numbers += [line for line, _ in rows]
        columns = list(zip(*(fields for _, fields in rows), strict=True)) if rows else [()] * width
        batches.append(
            pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], list(sniffed.names))
        )
        for record in batch:
            if record.fields is None:
                bad.append(BadRow(record.line, record.text, record.reason))
            elif len(record.fields) != width:
                bad.append(_of_other_width(record.line, record.text, record.fields, sniffed))
        if len(batch) < BATCH:
            return Rows(pa.concat_tables(batches), np.asarray(numbers, dtype=np.int64), bad)


def _of_other_width(number: int, text: str, fields: Sequence[str], sniffed: Sniffed) -> BadRow:
    n = len(fields)
    where = "the header has" if sniffed.has_header else "there are columns:"
    return BadRow(number, text, f"{n} field{'s' * (n != 1)} where {where} {len(sniffed.names)}")


def _without_empty_columns(rows: Rows, sniffed: Sniffed) -> Rows:
    """Leave out columns that have neither a name nor a value, as a delimiter at the end of each line makes them."""
    if not sniffed.has_header:
        return rows
    table = rows.table
    nameless = [name for place, name in enumerate(sniffed.names, 1) if name == str(place)]
    empty = [name for name in nameless if not any(value and value.strip() for value in table[name].to_pylist())]
    return Rows(table.drop_columns(empty), rows.numbers, rows.bad, rows.notes) if empty else rows
