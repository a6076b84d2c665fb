"""Cells as they are kept in the store, each in a folder named by its fingerprint."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.home import Home


@dataclass(frozen=True)
class StoredCell:
    """A cell that has been run and kept.

    Attributes:
        fingerprint: names its folder.
        folder: `cell.json`, and for final cells `test.parquet` and `ranking.parquet`.
        record: what `cell.json` holds.
    """

    fingerprint: str
    folder: Path
    record: dict[str, Any]

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part, None for a cell that failed."""
        return self.record["valid"].get(self.record["primary"])

    @property
    def message(self) -> str:
        """Why the cell failed, empty where it did not."""
        return self.record["failure"]

    @property
    def curve(self) -> list[dict[str, float]]:
        """One dict an epoch, for models trained by gradient."""
        return self.record["curve"]

    @property
    def pruned(self) -> bool:
        """Whether training was given up; `valid` is then what it had reached."""
        return self.record["pruned"]

    @property
    def seconds(self) -> float:
        """Of the fit, and of ranking with metrics."""
        return sum(self.record["seconds"].values())

    def test(self) -> pd.DataFrame:
        """One row a user with every metric."""
        return pd.read_parquet(self.folder / "test.parquet")

    def ranking(self) -> pd.DataFrame:
        """Top lists: `user`, `rank` (from 1), `item`, `score`."""
        return pd.read_parquet(self.folder / "ranking.parquet")


def place(dataset: str) -> str:
    """Where a dataset's cells are kept in the store."""
    return f"{dataset}/cells"


def cell_files(store: Path) -> Iterator[Path]:
    """The `cell.json` of every cell that is whole, whatever its dataset."""
    return store.glob(f"{place('*')}/[!.]*/cell.json")  # what begins with a dot is being written


def load_cell(home: Home, dataset: str, mark: str) -> StoredCell:
    """A stored cell by its fingerprint."""
    folder = home.settings.store / place(dataset) / mark
    return StoredCell(mark, folder, json.loads((folder / "cell.json").read_text(encoding="utf-8")))
