"""What a study will take is said before anything is trained, and a model that would not fit is left out in a line."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.cli.costs import Cost, cost_table, costs, timed_cells, total
from orchestration.content_widths import KnownDataset
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.settings import Settings
from recsys.recommender import DataSize
from recsys.study.estimate import TimedCell
from recsys.study.study import Study
from tests.orchestration.command_line import call, printed
from tests.orchestration.conftest import TINY, cells, write_study

MANY = """
title: More items than fit
datasets:
  many:
    source: {reader: table, folder: rows, interactions: rows.csv}
    split: {protocol: ratio, seed: 1}
models: [TopPop, ItemKNN, EASE]
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 300}
"""
N_ITEMS = 40_537
LINE = (
    "EASE left out of many: it needs about 26 GB of memory for 1,000 users and 40,537 items, more than is free; "
    "leave the model out, raise 'k_core', use a machine with more, or set MODALIFT_MEMORY (GB) if more is free"
)


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Study]:
    """Each item is taken by one user, 1,000 users take turns."""
    (tmp_path / "rows").mkdir()
    rows = "".join(f"u{item % 1000},i{item}\n" for item in range(N_ITEMS))
    (tmp_path / "rows" / "rows.csv").write_text(f"user_id,item_id\n{rows}", encoding="utf-8")
    monkeypatch.setenv("MODALIFT_MEMORY", "4")
    settings = Settings(home=tmp_path / "home", studies=tmp_path, data=tmp_path, workers=1)
    return settings, write_study(tmp_path, MANY, "many")


def test_a_model_that_does_not_fit_is_left_out_in_a_line(many: tuple[Settings, Study]) -> None:
    settings, _ = many
    checked = printed(settings, "check", "many")
    assert checked.count(LINE) == 1
    assert cells(settings) == {}
    result = call(settings, "run", "many")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines().count(LINE) == 1
    home = Home(settings)
    assert home.current("many/models/EASE").facts == {"left_out": LINE}
    assert LINE in printed(settings, "results", "many")
    assert (settings.reports / "many.html").read_text(encoding="utf-8").count(LINE.partition(";")[0]) == 1
    before = home.current("many/metrics").fingerprint
    assert call(settings, "run", "many").exit_code == 0
    assert Home(settings).current("many/metrics").fingerprint == before


def test_costs_come_from_the_cells_that_ran(finished: tuple[Settings, Study], tmp_path: Path) -> None:
    settings = finished[0].model_copy(update={"home": tmp_path / "home", "studies": tmp_path})
    shutil.copytree(finished[0].home, settings.home)
    write_study(tmp_path, TINY.replace("n_neighbours: 20", "n_neighbours: 7").replace("TopPop:", "EASE:"))
    shown = printed(settings, "run", "tiny", "--dry-run")
    assert "│ tiny │ ItemKNN │ 8 │ about 0.1 GB and under 1 s a cell │ under 1 s │" in shown
    assert "│ tiny │ EASE │ 8 │ about 0.1 GB and under 1 s a cell │" in shown  # by what is shipped: none has run here
    assert "│ tiny │ HybridItemKNN │" not in shown
    assert "All models: about " in shown
    assert "│ tiny │ HybridItemKNN │ 55 │ about 0.1 GB and under 1 s a cell │" in printed(settings, "check", "tiny")


def test_where_time_is_the_budget_later_cells_follow_from_what_it_is_enough_for(
    many: tuple[Settings, Study],
) -> None:
    settings, study = many
    timed = study.model_copy(update={"tuning": study.tuning.model_copy(update={"minutes": 1.0, "trials": 500})})
    known = {"many": KnownDataset({"counts": {"users": 50, "items": 40, "train": 900}}, {})}
    ran = {("ItemKNN", False): [TimedCell(DataSize(50, 40, 900), 40.0)]}
    found = {
        repeats: costs(
            timed.model_copy(update={"repeats": repeats}), Home(settings), known, [("many", "ItemKNN")], ran
        )
        for repeats in (1, 3)
    }
    # A minute is enough to begin two trials; each later repeat tries both, and each repeat ends with a training.
    assert {repeats: [cost.total for cost in of] for repeats, of in found.items()} == {
        1: [(2 + 1) * 40],
        3: [(2 + 2 * 2 + 3) * 40],
    }


@pytest.mark.parametrize(("model", "hours", "said"), [("BM3", 2, True), ("BM3", 0.5, False), ("EASE", 2, False)])
def test_long_training_by_gradient_is_said_to_be_on_processors(model: str, hours: float, said: bool) -> None:
    assert ("what a GPU takes" in total([Cost("many", model, 4, total=3600 * hours)], workers=2)) is said


def test_the_time_of_the_workers_is_not_taken_for_that_of_the_cells() -> None:
    costs = [Cost("many", "BM3", 4, total=3600 * hours) for hours in (1, 2)]
    line = total(costs, workers=2)
    assert line.startswith("All models: about 90 minutes with 2 workers; ")
    assert "time on processor cores" in line and "hours of" not in line
    assert [column.header for column in cost_table(costs).columns][-1] == "all, one after another"


def test_cells_on_an_older_version_of_a_dataset_tell_nothing_of_the_newest(tmp_path: Path) -> None:
    home = Home(Settings(home=tmp_path))
    event = Event(
        asset="d/dataset",
        run="r",
        started=datetime.now(UTC),
        code_version="1",
        transitive_version="1",
        fingerprint="1",
        content_hash="1",
        path="d/dataset/1",
        facts={"versions": ["now"], "counts": {"users": 9, "items": 8, "train": 7}},
    )
    home.lineage.record(event)
    for version, seconds in (("before", 99.0), ("now", 1.0)):
        folder = home.settings.store / "d" / "cells" / version
        folder.mkdir(parents=True)
        record = {"dataset": "d", "model": "EASE", "arm": "interactions_only", "data_version": version, "failure": ""}
        record |= {"seconds": {"fit": seconds}, "curve": []}
        (folder / "cell.json").write_text(json.dumps(record), encoding="utf-8")
    (timed,) = timed_cells(home)["EASE", False]
    assert timed.seconds == 1
