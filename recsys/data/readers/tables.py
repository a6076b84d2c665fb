"""Files of rows, however they were written, as tables of strings that remember the line each row stood in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.quarantine import collect
from recsys.data.readers.decoding import unpacked
from recsys.data.readers.delimited import read_delimited
from recsys.data.readers.layout import UNKNOWN, BadRow, Layout, Rows
from recsys.data.readers.structured import read_json, read_parquet
from recsys.errors import UserError, hint

__all__ = ["Layout", "Table", "existing", "read_table"]

JSON = (".json", ".jsonl", ".ndjson")
KNOWN_BINARY = {
    ".xlsx": "a workbook",
    ".xls": "a workbook",
    ".ods": "a workbook",
    ".pkl": "a pickle, which could run any program",
    ".pickle": "a pickle, which could run any program",
    ".pt": "a pickle, which could run any program",
    ".npy": "an array; vectors of items are read by the encoder 'matrix_file'",
    ".npz": "an array; vectors of items are read by the encoder 'matrix_file'",
    ".pdf": "a document",
}
NULL = "\\N"
"""How SQL dumps write that there is no value."""


@dataclass(frozen=True)
class Table:
    """A file's rows.

    Attributes:
        path: the file.
        frame: the file's own columns as strings, missing, empty and blank values as NaN; a list of strings stays
            a list; columns of bytes or structs are left out and named in `notes`.
        rows: the number of each row's first line in the file (of the record in Parquet and in a JSON list, from
            1), with the index of `frame`.
        quarantine: rows that cannot be used.
        notes: what was found out about the file, a sentence each.
    """

    path: Path
    frame: pd.DataFrame
    rows: pd.Series
    quarantine: pd.DataFrame
    notes: tuple[str, ...] = ()

    def need(self, columns: Sequence[str]) -> None:
        """UserError unless the file has these columns, and a row."""
        for column in columns:
            if column not in self.frame:
                raise UserError(
                    f"{self.path}: there is no column '{column}': rename it in the file or name the right one in the "
                    f"dataset's options{hint(column, [str(name) for name in self.frame])}"
                )
        if self.frame.empty and self.quarantine.empty:
            raise UserError(f"{self.path}: holds no row; give a file with data")


def existing(folder: Path, name: str, option: str) -> Path:
    """The path of a file, or of a folder of part files, that an option names; UserError where there is none."""
    path = folder / name
    if not path.exists() or path == folder:
        raise UserError(f"{path}: there is no such file; put it there or set the option '{option}'")
    return path


def read_table(path: Path, table: str, layout: Layout = UNKNOWN) -> Table:
    """Read a file of rows, or a folder of part files as Spark writes them.

    Args:
        path: delimited text with any suffix, `.json`, `.jsonl` or `.parquet`, compressed or not; or a folder
            whose files are one table, with columns in the names of its folders (`year=2020`).
        table: what the quarantine calls it.
        layout: how it is written, where that is known.

    Raises:
        UserError: the file is missing, empty or of another kind, its encoding cannot be detected, or none of its
            rows can be used.
    """
    rows = _read_folder(path, layout) if path.is_dir() else _read_file(path, layout)
    if rows.bad and not len(rows.table):
        raise UserError(_nothing_read(path, rows.bad))
    frame = pa.table({name: _blank_as_missing(rows.table[name]) for name in rows.table.column_names}).to_pandas()
    frame.index = pd.RangeIndex(len(rows.numbers))
    numbers = pd.Series(rows.numbers, index=frame.index, dtype="int64", name="row")
    return Table(path, frame, numbers, _quarantine(table, rows.bad), rows.notes)


def _read_file(path: Path, layout: Layout) -> Rows:
    try:
        with TemporaryDirectory() as scratch:
            return _read_plain(path, layout, Path(scratch))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); fix or replace the file") from None
    except (duckdb.Error, pa.ArrowException, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({str(error).splitlines()[0]}); fix or replace the file") from None


def _read_plain(path: Path, layout: Layout, scratch: Path) -> Rows:
    suffix = path.suffix.lower()
    if suffix in KNOWN_BINARY:
        raise UserError(f"{path}: is {KNOWN_BINARY[suffix]}; save the table as CSV, JSON lines or Parquet")
    plain, notes = unpacked(path, scratch)
    suffix = plain.suffix.lower()
    with plain.open("rb") as file:
        start = file.read(64)
    if start.startswith(b"PAR1") or suffix == ".parquet":
        return read_parquet(plain).noting(*notes)
    if suffix in JSON or start.lstrip(b"\xef\xbb\xbf \r\n").startswith((b'{"', b"{'", b'[{"', b"[\n")):
        return read_json(plain, layout.encoding, scratch).noting(*notes)
    try:
        return read_delimited(plain, suffix, layout, scratch).noting(*notes)
    except UserError as error:
        raise UserError(str(error).replace(str(plain), str(path))) from None


def _read_folder(path: Path, layout: Layout) -> Rows:
    """All part files below a folder, in the order of their names; hidden files are none."""
    names = [file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file() and file.stat().st_size]
    names = [name for name in names if not any(part.startswith((".", "_")) for part in name.parts)]
    if not names:
        raise UserError(f"{path}: a folder without a file of rows; name the file that is meant")
    if len({name.suffix.lower() for name in names}) > 1:
        raise UserError(f"{path}: a folder of files of several kinds; name the file that is meant")
    parts = list[Rows]()
    for name in names:
        part = _read_file(path / name, layout)
        layout = replace(layout, header=part.has_header)
        parts.append(_with_columns_of_folders(part, name))
    columns = parts[0].table.column_names
    for name, part in zip(names, parts, strict=True):
        if set(part.table.column_names) != set(columns):
            raise UserError(f"{path / name}: has other columns than {names[0]}, so they are not parts of one table")
    return Rows(
        pa.concat_tables([part.table.select(columns) for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        [
            replace(row, reason=f"{row.reason} ({name})")
            for name, part in zip(names, parts, strict=True)
            for row in part.bad
        ],
        (f"{len(parts)} part files; rows are numbered within each", *parts[0].notes),
    )


def _with_columns_of_folders(part: Rows, name: Path) -> Rows:
    table = part.table
    for folder in name.parts[:-1]:
        column, equals, value = folder.partition("=")
        if equals and column not in table.column_names:
            known = None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
            table = table.append_column(column, pa.array([known] * len(table), pa.string()))
    return replace(part, table=table)


def _blank_as_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    bare = pc.utf8_trim_whitespace(column)
    blank = pc.or_(pc.equal(bare, ""), pc.equal(bare, NULL))
    return pc.if_else(blank, pa.scalar(None, pa.string()), column) if pc.any(blank).as_py() else column


def _nothing_read(path: Path, bad: Sequence[BadRow]) -> str:
    reasons = pd.Series([row.reason for row in bad]).value_counts()
    most = str(reasons.index[0])
    first = next(row for row in bad if row.reason == most)
    n = int(reasons.iloc[0])
    said = f"{n:,} of {len(bad):,} rows have {most}" if "where" in most else f"{n:,} of {len(bad):,} rows: {most}"
    return (
        f"{path}: no row can be used: {said} (line {first.number}: {first.text[:80]!r}); "
        "put fields that hold a delimiter in quotes, or say how the file is written (`delimiter`, `header`)"
    )


def _quarantine(table: str, bad: Sequence[BadRow]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "table": table,
            "row": pd.array([row.number for row in bad], dtype="Int64"),
            # Bytes that are no UTF-8 stand as halves of letters there, and a table cannot hold them.
            "key": [row.text[:80].encode(errors="replace").decode() for row in bad],
            "reason": [row.reason for row in bad],
        }
    )
    return collect([rows])
