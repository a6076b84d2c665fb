"""How a file of rows is written, and what reading one gives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Layout:
    """How a file is written; what is None is found out by looking at the file and said in `Table.notes`.

    Attributes:
        delimiter: what separates the fields, such as `,` or `::`.
        names: names of the columns, in order; None takes the header's.
        header: whether the first row names the columns.
        quoted: whether quotation marks may hold a field; None: yes in a `.csv`, and elsewhere where a whole
            column stands in them.
        encoding: such as `utf-8`, `utf-16` or `cp1252`.
    """

    delimiter: str | None = None
    names: tuple[str, ...] | None = None
    header: bool | None = None
    quoted: bool | None = None
    encoding: str | None = None


UNKNOWN = Layout()


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its number in the file, its text, and why."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True)
class Rows:
    """Rows of one file.

    Attributes:
        table: strings, or lists of strings, with missing values as nulls.
        numbers: line or record of each row, int64, shape (rows,).
        bad: what cannot be used.
        notes: what was found out about the file.
        has_header: whether the names of the columns stand in the file.
    """

    table: pa.Table
    numbers: np.ndarray
    bad: Sequence[BadRow] = ()
    notes: tuple[str, ...] = ()
    has_header: bool = True

    def noting(self, *notes: str) -> "Rows":
        """The same rows with further notes in front."""
        return replace(self, notes=(*notes, *self.notes))
