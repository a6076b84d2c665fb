"""Progress of trainings says what is done and what is left, also where time is the budget."""

from pathlib import Path
from typing import Any

import pytest

from orchestration.home import Home
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from orchestration.training_progress import in_cells, in_seconds
from orchestration.trainings import Trainings
from recsys.engine.stored import StoredCell
from recsys.study.results import ModelResult
from recsys.study.training import ModelWork
from tests.orchestration.conftest import TINY, write_study

LABEL = "shop: BM3, 2 arms"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def progress(lines: list[str]) -> LogProgress:
    return LogProgress(lambda line: lines.append(line.partition(" after 1 s")[0].partition(" in under")[0]), every=0)


def cell(arm: str, seconds: float = 0.0, stage: str = "tuning", repeat: int = 1, failure: str = "") -> StoredCell:
    record: dict[str, Any] = {
        "arm": arm,
        "stage": stage,
        "repeat": repeat,
        "seconds": {"fit": seconds},
        "failure": failure,
    }
    return StoredCell("one", Path("cells", "one"), record)


def test_one_cell_is_not_cells(progress: LogProgress, lines: list[str]) -> None:
    with in_cells(progress, LABEL, 1) as tell:
        tell(cell("both"))
    assert lines[0] == f"{LABEL}: 1 cell to do"
    assert lines[-1] == f"{LABEL}: 1 of 1 cell"


def test_cells_that_a_search_did_not_need_count_at_its_end(progress: LogProgress, lines: list[str]) -> None:
    with in_cells(progress, LABEL, 4) as tell:
        tell(cell("both"))
        tell(cell("both", stage="final"))
    assert lines == [
        f"{LABEL}: 4 cells to do",
        f"{LABEL}: 1 of 4 cells",
        f"{LABEL}: 2 of 4 cells",
        f"{LABEL}: 4 of 4 cells",
        f"{LABEL}: 4 of 4 cells",
    ]


def test_a_final_cell_that_failed_and_the_next_best_are_counted_as_one(
    progress: LogProgress, lines: list[str]
) -> None:
    with in_cells(progress, LABEL, 2) as tell:
        tell(cell("both", failure="its loss is NaN"))
        tell(cell("both", stage="final", failure="its loss is NaN"))
        tell(cell("both", stage="final"))
    assert lines[1:3] == [f"{LABEL}: 1 of 2 cells", f"{LABEL}: 2 of 2 cells"]
    assert lines[-1] == f"{LABEL}: 2 of 2 cells"


def test_seconds_are_shown_until_every_arm_spent_its_own_and_cells_after_them(
    progress: LogProgress, lines: list[str]
) -> None:
    with in_seconds(progress, LABEL, ["both", "text"], 30.0, lambda trials: 10 * trials) as tell:
        tell(cell("both", 100.0))  # a slow arm spends its own budget, not the other's
        tell(cell("text", 20.0))
        tell(cell("text", 20.0))
        tell(cell("text", 20.0))  # what another arm chose
        tell(cell("both", 100.0, stage="final"))
    assert lines == [
        f"{LABEL}: 60 seconds of tuning to do",
        f"{LABEL}: 30 of 60 seconds of tuning",
        f"{LABEL}: 50 of 60 seconds of tuning",
        f"{LABEL}: 60 of 60 seconds of tuning",
        f"{LABEL}: 60 of 60 seconds of tuning",
        f"{LABEL}: 60 of 60 seconds of tuning",
        f"{LABEL}, after tuning: 20 cells to do",
        f"{LABEL}, after tuning: 1 of 20 cells",
        f"{LABEL}, after tuning: 2 of 20 cells",
        f"{LABEL}, after tuning: 20 of 20 cells",
        f"{LABEL}, after tuning: 20 of 20 cells",
    ]


def test_arms_with_few_settings_are_done_before_their_time(progress: LogProgress, lines: list[str]) -> None:
    with in_seconds(progress, LABEL, ["both"], 30.0, lambda trials: 2) as tell:
        tell(cell("both", 1.0))
        tell(cell("both", 1.0, stage="final"))
    assert lines[1:3] == [f"{LABEL}: 1 of 30 seconds of tuning", f"{LABEL}: 30 of 30 seconds of tuning"]
    assert lines[-1] == f"{LABEL}, after tuning: 2 of 2 cells"


def test_where_nothing_was_trained_all_is_done(progress: LogProgress, lines: list[str]) -> None:
    with in_seconds(progress, LABEL, ["both"], 30.0, lambda trials: 2):
        pass
    assert lines[-1] == f"{LABEL}: 30 of 30 seconds of tuning"


def test_a_model_without_anything_to_tune_is_shown_in_cells_whatever_the_budget(
    progress: LogProgress, lines: list[str], tmp_path: Path
) -> None:
    study = write_study(tmp_path, TINY.replace("trials: 3", "minutes: 5"))
    trainings = Trainings(Home(Settings(home=tmp_path), progress), study, "tiny", asset="tiny/models/TopPop", run="")
    work = ModelWork(lambda runner: ModelResult())
    for model in ("TopPop", "ItemKNN"):
        with trainings._progress(model, model, study.arms_of("tiny", model), work):
            pass
    assert lines[0] == "TopPop: 3 cells to do"
    assert "ItemKNN: 300 seconds of tuning to do" in lines
