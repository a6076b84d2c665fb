"""Taking unusable rows out of a table, each with the reason, so that nothing disappears in silence."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.data.raw import QUARANTINE_COLUMNS, empty_quarantine

INTERACTION_KEY = ("user_id", "item_id")


class RowFilter:
    """A table that loses its unusable rows one reason at a time.

    Attributes:
        kept: the rows still in use, in their first order and with their first index.
    """

    def __init__(self, table: str, frame: pd.DataFrame, key: Sequence[str], rows: pd.Series | None = None) -> None:
        """Start with all rows of `frame`.

        Args:
            table: what the quarantine calls it.
            frame: its columns.
            key: the columns that a reader would look a row up by.
            rows: where each row stood in its file, with the index of `frame`; None where that is not known.
        """
        self.kept = frame
        self._table = table
        self._key = tuple(key)
        self._rows = rows
        self._rejected: list[pd.DataFrame] = []

    def reject(self, bad: pd.Series | np.ndarray, reason: str) -> None:
        """Move the rows where `bad` (bool, aligned with `kept`) is true to the quarantine."""
        mask = np.asarray(bad, dtype=bool)
        if mask.any():
            self._rejected.append(quarantine_of(self._table, self.kept[mask], self._key, reason, self._rows))
            self.kept = self.kept[~mask]

    def quarantine(self) -> pd.DataFrame:
        """All rejected rows, in the order of the reasons."""
        return collect(self._rejected)


def quarantine_of(
    table: str, frame: pd.DataFrame, key: Sequence[str], reason: str | Sequence[str], rows: pd.Series | None = None
) -> pd.DataFrame:
    """Quarantine entries for all rows of `frame`; `rows` says where they stood, by the index of `frame`."""
    labels = frame[key[0]].astype("string").fillna("?")
    for column in key[1:]:
        labels = labels + " / " + frame[column].astype("string").fillna("?")
    stood = pd.Series(pd.NA, index=frame.index) if rows is None else rows.loc[frame.index]
    columns = {"table": table, "row": stood.astype("Int64"), "key": labels.astype("object"), "reason": reason}
    return pd.DataFrame(columns, columns=list(QUARANTINE_COLUMNS)).reset_index(drop=True)


def named_aside(table: str, named: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Quarantine entries of what stands in no row, such as a file, by its name and the reason."""
    keys, reasons = [name for name, _ in named], [reason for _, reason in named]
    cells = {"table": table, "row": None, "key": keys, "reason": reasons}
    return collect([pd.DataFrame(cells, columns=list(QUARANTINE_COLUMNS)).astype({"row": "Int64"})])


def collect(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One quarantine table of several."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty_quarantine()
