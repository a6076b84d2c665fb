"""Small folders in the layouts of published datasets, single tables, and what was read of them, in short."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from recsys.data.raw import RawData
from recsys.data.readers.layout import Layout
from recsys.data.readers.tables import Table, read_table

ROWS = [[str(user), str((7 * user + k) % 40), str(1 + (user + k) % 5)] for user in range(12) for k in range(5)]
HEADER = ["user_id", "item_id", "rating"]


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Files by path: text as UTF-8, bytes as they are, either compressed where the name ends in `.gz`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return folder


def picture(path: Path) -> Path:
    """A small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return path


def column(raw: RawData, name: str) -> dict[str, Any]:
    """What the items that have it say in a column, by item."""
    said = raw.items.set_index("item_id")[name].dropna()
    return {str(item): value for item, value in said.items()}


def rows(raw: RawData, *names: str) -> list[tuple[Any, ...]]:
    """Users, items and the named columns of all interactions in the order of the file; times in seconds."""
    frame = raw.interactions[["user_id", "item_id", *names]]
    if "timestamp" in frame:
        frame = frame.assign(timestamp=seconds(raw))
    return list(frame.itertuples(index=False, name=None))


def seconds(raw: RawData) -> list[float]:
    """When interactions were, in seconds since 1970."""
    since = (raw.interactions["timestamp"] - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
    return [float(value) for value in since]


def quarantined(raw: RawData) -> list[tuple[Any, ...]]:
    """Table, row, key and reason of all that was left out."""
    return list(raw.quarantine.itertuples(index=False, name=None))


def written(delimiter: str, rows: list[list[str]], head: list[str] | None = None, end: str = "\n") -> str:
    """Rows as delimited text; no cell is quoted."""
    return "".join(delimiter.join(row) + end for row in ([head] if head else []) + rows)


def table(folder: Path, name: str, content: str | bytes, layout: Layout | None = None) -> Table:
    """A file with this content, read as the items."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, "items", layout or Layout())


def cells(found: Table) -> list[list[Any]]:
    """All cells of a table, None where one is missing."""
    return found.frame.astype(object).where(found.frame.notna(), None).to_numpy().tolist()


def bad_rows(found: Table) -> list[tuple[int, str]]:
    """Number and reason of each row that cannot be used."""
    return list(found.quarantine[["row", "reason"]].itertuples(index=False, name=None))
