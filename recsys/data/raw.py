"""What a reader hands on: tables as they were found, and what it could not use."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from recsys.errors import UserError, hint

ITEM_COLUMNS = ("item_id", "title", "text", "image_path", "image_digest")
QUARANTINE_COLUMNS = ("table", "row", "key", "reason")


@dataclass(frozen=True)
class RawData:
    """A catalogue and its interactions before cleaning.

    Attributes:
        items: one row an item: `item_id` (string, unique), `title`, `text`, `image_path` (a path, relative
            ones are relative to the dataset's own folder), `image_digest` (hash of the file's bytes), each
            None where the item has none, and any further column as an attribute (such as `genres`). Where items have
            several pictures, `recsys.data.images` says where the others stand.
        interactions: `user_id`, `item_id` (strings) and, where the source has them, `rating` (float),
            `timestamp` (datetime64[ns], UTC; NaT where it cannot be read), `part` (`train`, `valid` or `test`: a split
            by file), `row` (number of the record in the source, so that rows that cleaning leaves out can be looked
            up).
        quarantine: what cannot be used: `table`, `row` (record in the source, the header being 1;
            None if it has none), `key`, `reason`.
        truth: what is known about a synthetic source, empty for real data.
        notes: what was found out about the files, a sentence each.
    """

    items: pd.DataFrame
    interactions: pd.DataFrame
    quarantine: pd.DataFrame = field(default_factory=lambda: empty_quarantine())
    truth: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def lacks_column(who: str, column: str, items: pd.DataFrame) -> UserError:
    """The error of whoever asks an item table for a column that it does not have."""
    return UserError(f"{who}: items have no column '{column}'{hint(column, [str(name) for name in items])}")


def empty_quarantine() -> pd.DataFrame:
    """A quarantine table without rows."""
    return pd.DataFrame({column: pd.Series(dtype="object") for column in QUARANTINE_COLUMNS})
