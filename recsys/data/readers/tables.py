"""CSV and Parquet files as tables of strings that remember the line each row stood in."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from recsys.data.quarantine import collect
from recsys.errors import UserError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".inter": "\t"}


@dataclass(frozen=True)
class Table:
    """A file's rows.

    Attributes:
        path: the file.
        frame: all columns as strings, missing and empty values as NaN, and `row`: the number of the record in
            the file, the header being 1 (in Parquet the first record is 1).
        quarantine: rows that have too many or too few fields.
    """

    path: Path
    frame: pd.DataFrame
    quarantine: pd.DataFrame

    def need(self, columns: Sequence[str]) -> None:
        """UserError unless the file has these columns."""
        for column in columns:
            if column not in self.frame:
                known = ", ".join(self.frame.columns.drop("row"))
                raise UserError(
                    f"{self.path}: there is no column '{column}' (it has {known}); "
                    "rename it in the file or name the right one in the dataset's options"
                )


def existing(folder: Path, name: str, option: str) -> Path:
    """The path of a file that an option names; UserError where there is none."""
    path = folder / name
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; put it there or set the option '{option}'")
    return path


def read_table(path: Path, table: str) -> Table:
    """Read a `.csv`, `.tsv`, `.inter` or `.parquet` file; `table` is what the quarantine calls it.

    Raises:
        UserError: the file is unreadable, empty, not UTF-8, or of another kind.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            found, bad = _read_parquet(path), list[arrow_csv.InvalidRow]()
        elif suffix in DELIMITERS:
            found, bad = _read_delimited(path, DELIMITERS[suffix])
        else:
            kinds = ", ".join([*DELIMITERS, ".parquet"])
            raise UserError(f"{path}: '{suffix}' files are not read; convert it to one of {kinds}")
    except (OSError, pa.ArrowException, UnicodeDecodeError, StopIteration) as error:
        raise UserError(f"{path}: cannot be read ({_reason(error)}); fix or replace the file") from None
    frame = found.to_pandas()
    first = 1 if suffix == ".parquet" else 2
    numbers = np.arange(first, first + len(frame) + len(bad))
    frame["row"] = np.delete(numbers, [row.number - first for row in bad])
    return Table(path, frame, _quarantine(table, bad))


def _read_parquet(path: Path) -> pa.Table:
    found = parquet.read_table(path)
    # Casting in Arrow keeps integer ids exact where pandas would make 1.0 of them beside a missing one.
    return pa.table({name: found[name].cast(pa.string()) for name in found.column_names})


def _read_delimited(path: Path, delimiter: str) -> tuple[pa.Table, list[arrow_csv.InvalidRow]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=delimiter))
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two columns have the same name in the header; rename one")
    bad: list[arrow_csv.InvalidRow] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    found = arrow_csv.read_csv(
        path,
        # One thread, because only then a bad row knows its number.
        read_options=arrow_csv.ReadOptions(use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    return found, bad


def _quarantine(table: str, bad: Sequence[arrow_csv.InvalidRow]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "table": table,
            "row": pd.array([row.number for row in bad], dtype="Int64"),
            "key": [str(row.text)[:80] for row in bad],
            "reason": [f"{row.actual_columns} fields where the header has {row.expected_columns}" for row in bad],
        }
    )
    return collect([rows])


def _reason(error: Exception) -> str:
    if isinstance(error, StopIteration):
        return "it is empty"
    if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
        return "it is not UTF-8"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0]
