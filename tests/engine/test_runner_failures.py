"""What becomes of a cell that fails, and of one that another run trains, replaces or takes the inputs of."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.data.dataset import INTERACTIONS
from recsys.engine.cell import Cell, CellResult, run_cell
from recsys.engine.runner import CellInputs, CellRunner, Watcher
from recsys.engine.slots import Slots
from recsys.engine.stored import StoredCell
from recsys.intact import damaged
from recsys.store import Store
from tests.engine.runs import ALONE, BOTH, finals, inputs, runner


def test_what_the_machine_failed_at_is_tried_again_by_the_next_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = inputs(tmp_path, "EASE")
    with monkeypatch.context() as patched:
        patched.setattr("recsys.engine.runner.run_cell", full)
        first = runner(given, tmp_path)
        assert [cell.valid for cell in first(finals(ALONE))] == [None] * 3
        assert first(finals(ALONE)) and first.computed == 3  # within one search a failure stands
    again = runner(given, tmp_path)
    assert all(cell.valid is not None for cell in again(finals(ALONE))) and again.computed == 3


@pytest.mark.parametrize("name", ["dataset", "text"])
def test_an_input_that_vanishes_is_no_error_of_the_model(tmp_path: Path, name: str) -> None:
    given = inputs(tmp_path, "HybridItemKNN", drawn=False)
    gone = given.folder if name == "dataset" else given.content["text"]
    gone.rename(tmp_path / "aside")
    (failed, *_) = runner(given, tmp_path)(finals(BOTH))
    assert failed.valid is None and failed.worth_another_try and str(gone) in failed.message
    (tmp_path / "aside").rename(gone)
    assert runner(given, tmp_path)(finals(BOTH))[0].valid is not None


def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[CellInputs], Exception]) -> StoredCell:
    """A cell whose inputs are all there, and which raises an error about them."""
    given = inputs(tmp_path, "HybridItemKNN", drawn=False)

    def fail(*_: object) -> CellResult:
        raise error(given)

    with monkeypatch.context() as patched:
        patched.setattr("recsys.engine.runner.run_cell", fail)
        return runner(given, tmp_path)(finals(BOTH, (1,)))[0]


@pytest.mark.parametrize(
    "error",
    [
        lambda given: FileNotFoundError(errno.ENOENT, "No such file or directory", str(given.folder / INTERACTIONS)),
        lambda given: FileNotFoundError(errno.ENOENT, f"Failed to open local file '{given.folder / INTERACTIONS}'"),
        lambda given: FileNotFoundError(errno.ENOENT, "No such file or directory", str(given.content["text"])),
        lambda given: FileNotFoundError(f"No such file or directory: {given.content['text']}"),
    ],
)
def test_an_input_that_is_back_by_the_time_the_cell_has_failed_is_no_error_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[CellInputs], Exception]
) -> None:
    assert failing(tmp_path, monkeypatch, error).worth_another_try


def test_a_file_of_the_models_own_is_its_error_even_while_an_input_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def error(given: CellInputs) -> Exception:
        given.folder.rename(tmp_path / "aside")
        return FileNotFoundError(errno.ENOENT, "No such file or directory", "words.txt")

    assert not failing(tmp_path, monkeypatch, error).worth_another_try


def test_json_of_an_input_that_is_cut_off_is_no_error_of_the_model(tmp_path: Path) -> None:
    given = inputs(tmp_path, "HybridItemKNN", drawn=False)
    (given.folder / "facts.json").write_text("{")
    assert runner(given, tmp_path)(finals(BOTH, (1,)))[0].worth_another_try


def test_json_that_a_model_cannot_read_is_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = json.JSONDecodeError("Expecting value", "", 0)
    assert not failing(tmp_path, monkeypatch, lambda given: error).worth_another_try


def full(*_: object) -> CellResult:
    raise OSError(errno.ENOSPC, "No space left on device")


def out_of_memory(*_: object) -> CellResult:
    raise MemoryError("too large")


def singular(*_: object) -> CellResult:
    raise ValueError("the matrix is singular")


def outcomes_of_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: Callable[..., CellResult], theirs: Callable[..., CellResult]
) -> tuple[StoredCell, StoredCell]:
    """Our cell and theirs, of two runs that found one failed for want of disk space; theirs ends first."""
    given = inputs(tmp_path, "EASE", drawn=False)
    other = runner(given, tmp_path)
    ended: list[StoredCell] = []

    def compute(cell: Cell, out: Path) -> CellResult:
        monkeypatch.setattr("recsys.engine.runner.run_cell", theirs)
        ended.extend(other(finals(ALONE, (1,))))
        return ours(cell, out)

    monkeypatch.setattr("recsys.engine.runner.run_cell", full)
    runner(given, tmp_path)(finals(ALONE, (1,)))
    monkeypatch.setattr("recsys.engine.runner.run_cell", compute)
    (our_cell,) = runner(given, tmp_path)(finals(ALONE, (1,)))
    return our_cell, ended[0]


@pytest.mark.parametrize("ours", [full, out_of_memory, singular, run_cell])
def test_a_cell_that_another_run_trained_meanwhile_counts_for_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: Callable[..., CellResult]
) -> None:
    our_cell, their_cell = outcomes_of_two_runs(tmp_path, monkeypatch, ours, run_cell)
    assert their_cell.valid is not None and our_cell == their_cell
    assert len(their_cell.lists("test").users)


@pytest.mark.parametrize(
    ("ours", "theirs", "counts"),
    [
        (singular, out_of_memory, "theirs"),  # theirs is another record than the one that was to be replaced
        (out_of_memory, singular, "theirs"),
        (singular, full, "ours"),
        (run_cell, out_of_memory, "ours"),
    ],
)
def test_of_two_failures_the_one_that_was_found_is_replaced(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ours: Callable[..., CellResult],
    theirs: Callable[..., CellResult],
    counts: str,
) -> None:
    our_cell, their_cell = outcomes_of_two_runs(tmp_path, monkeypatch, ours, theirs)
    stored = StoredCell.load(our_cell.folder)
    assert our_cell == stored and (their_cell == stored) == (counts == "theirs")


def test_cells_are_stored_by_one_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []

    class Watched(Store):
        def write(self, *args: Any, **more: Any) -> Path:
            with self.lock_all("m") as locked:
                free.append(locked)
            return super().write(*args, **more)

    store = Watched(tmp_path / "store")
    CellRunner(store, inputs(tmp_path, "EASE", drawn=False), Slots(1), Watcher())(finals(ALONE))
    assert free == [False]
    with store.lock_all("m") as locked:
        assert locked


def test_a_cell_that_another_run_is_replacing_counts_as_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given, looks = inputs(tmp_path, "EASE", drawn=False), []
    (first, *_) = runner(given, tmp_path)(finals(ALONE))

    def gone_once(folder: Path) -> Path | None:
        looks.append(folder)
        return damaged(folder / "gone" if len(looks) == 1 else folder)

    monkeypatch.setattr("recsys.engine.runner.damaged", gone_once)
    (second, *_) = runner(given, tmp_path)(finals(ALONE))
    assert second == first and caplog.messages == []
