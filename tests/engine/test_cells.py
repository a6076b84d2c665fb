"""Real cells: the same in this process and in a pool, trained by gradient or not, and one that cannot be trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.content.arms import Arm
from recsys.content.features import Features
from recsys.engine.cell import Cell, CellResult, run_cell
from recsys.engine.failure import CellOutcome
from recsys.engine.pool import run_cells
from recsys.engine.slots import Needs, Slots
from recsys.evaluation.protocol import Protocol
from tests.engine.markets import market, save_content

CELLS: list[tuple[str, dict[str, Any]]] = [
    ("ItemKNN", {}),
    ("LightGCN", {"max_epochs": 3}),
    ("EASE", {}),
    ("LightGCN", {"max_epochs": 3, "learning_rate": 1e30}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A saved dataset of the planted market."""
    folder = tmp_path_factory.mktemp("dataset")
    market().save(folder)
    return str(folder)


def ranked(cell: Cell) -> CellResult:
    """A tuning cell writes no files."""
    return run_cell(cell, Path("unused"))


def outcomes(folder: str, workers: int) -> list[CellOutcome]:
    arm = Arm("interactions_only")
    cells = [Cell(folder, 1, {}, model, params, arm, 1, "tuning", Protocol()) for model, params in CELLS]
    return [
        outcome
        for _, outcome in sorted(run_cells(cells, Slots(workers), ranked, lambda _: Needs()), key=lambda pair: pair[0])
    ]


def test_cells_give_the_same_in_this_process_and_in_a_pool(folder: str) -> None:
    here, pooled = outcomes(folder, 1), outcomes(folder, 2)
    for one, other in zip(here[:3], pooled[:3], strict=True):
        assert isinstance(one, CellResult) and isinstance(other, CellResult)
        assert one.valid == other.valid
        assert [row["loss"] for row in one.curve] == [row["loss"] for row in other.curve]
    assert here[3].message == pooled[3].message != ""


def test_data_and_content_written_anew_in_the_same_place_are_read_again(tmp_path: Path) -> None:
    files = {source: str(file) for source, file in save_content(tmp_path).items()}
    cell = Cell(str(tmp_path), 1, files, "HybridItemKNN", {}, Arm("text", ("text",)), 1, "tuning", Protocol())
    market().save(tmp_path)
    first = ranked(cell).valid
    market(2, seed=8).save(tmp_path)
    second = ranked(cell).valid
    assert second != first
    assert ranked(replace(cell, repeat=2)).valid != second
    market().save(tmp_path)
    assert ranked(cell).valid == first
    Features.where(np.arange(40) < 0, np.ones((40, 2))).save(
        tmp_path / "text.safetensors", [str(n) for n in range(40)]
    )
    assert ranked(cell).valid != first and not ranked(cell).content_used
