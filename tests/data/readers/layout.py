"""Small folders in the layouts of published datasets, and what was read of them, in short."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from recsys.data.raw import RawData


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
