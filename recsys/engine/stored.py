"""Cells as they are kept, each in a folder named by its fingerprint: `cell.json`, and what a final cell wrote."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.engine.cell import STATE
from recsys.engine.failure import PASSING
from recsys.evaluation.evaluate import Part
from recsys.evaluation.ranking import Ranking
from recsys.models import registry
from recsys.recommender import Recommender

RECORD = "cell.json"


@dataclass(frozen=True)
class StoredCell:
    """A cell that has been run and kept.

    Attributes:
        fingerprint: names its folder.
        folder: where its files are.
        record: what `cell.json` holds.
    """

    fingerprint: str
    folder: Path
    record: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> "StoredCell":
        """Read a cell from its folder."""
        return cls(folder.name, folder, json.loads((folder / RECORD).read_text(encoding="utf-8")))

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part, None for a cell that failed."""
        return self.record["valid"]

    @property
    def message(self) -> str:
        """Why the cell failed, empty where it did not."""
        return self.record["failure"]

    @property
    def worth_another_try(self) -> bool:
        """Whether it failed for what was wrong with the machine at the time, and may do better now."""
        return self.record["failure_kind"] in PASSING

    @property
    def curve(self) -> list[dict[str, float]]:
        """One dict an epoch, for models trained by gradient."""
        return self.record["curve"]

    @property
    def pruned(self) -> bool:
        """Whether training was pruned; `valid` is then what it had reached."""
        return self.record["pruned"]

    @property
    def seconds(self) -> float:
        """How long the fit took, and ranking."""
        return sum(self.record["seconds"].values())

    def lists(self, part: Part) -> Ranking:
        """Top lists of a final cell."""
        return Ranking.load(self.folder / f"{part}.safetensors")

    def model(self) -> Recommender | None:
        """The fitted model of a final cell; None where its state was not kept."""
        path = self.folder / STATE
        return registry.load(self.record["model"]).load(path) if path.exists() else None


def place(dataset: str) -> str:
    """Where a dataset's cells are kept in the store."""
    return f"{dataset}/cells"


def stored_cells(folders: Iterable[Path]) -> Iterator[StoredCell]:
    """The cells in folders; one whose record is damaged counts as not there."""
    for folder in folders:
        try:
            cell = StoredCell.load(folder)
        except ValueError:  # JSON without its end, or bytes that are no text
            continue
        yield cell


def cell_folders(store: Path) -> Iterator[Path]:
    """The folder of every cell that is whole, whatever its dataset."""
    # What begins with a dot is being written.
    return (file.parent for file in store.glob(f"{place('*')}/[!.]*/{RECORD}"))
