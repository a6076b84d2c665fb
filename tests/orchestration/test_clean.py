"""What nothing refers to is freed, and nothing else."""

import json
import os
import time
from pathlib import Path

import pytest

from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.settings import Settings
from orchestration.tracked import run_id
from orchestration.unused import free, unused
from recsys.engine.stored import place
from recsys.study.preparing import VERSIONS
from recsys.study.record import AssetRecord
from tests.orchestration.command_line import call, printed

NO_PROCESS = 2**22 + 1
"""More than Linux gives."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Settings(home=tmp_path / "home", studies=tmp_path))


def make(home: Home, asset: str, code: str, *inputs: str, cells: tuple[str, ...] = ()) -> Event:
    def build(out: Path, read: Home) -> AssetRecord:
        (out / "file").write_text(code * 1000)
        facts = {VERSIONS: [f"{code}, split {repeat}" for repeat in (1, 2)]} if asset.endswith("/dataset") else {}
        return AssetRecord(facts=facts, mlflow_runs=[run_id(asset.split("/")[0], each) for each in cells])

    return home.produce(asset, run="r", code_version=code, inputs=inputs, build=build)


def train(home: Home, fingerprint: str, data_version: str, model: str = "M") -> Path:
    record = {"model": model, "data_version": data_version, "ended": time.time()}
    return home.store.write(place("d"), fingerprint, lambda out: (out / "cell.json").write_text(json.dumps(record)))


def names(home: Home) -> list[tuple[str, str]]:
    return [(each.kind, str(each.path.relative_to(home.settings.home))) for each in unused(home)]


def test_replaced_versions_go_and_inputs_of_the_newest_stay(home: Home) -> None:
    read = make(home, "d/dataset", "1")
    old = make(home, "d/models/M", "1", "d/dataset")
    new = make(home, "d/models/M", "2", "d/dataset")
    # The newest model was made from the first dataset, which therefore stays; the second is the newest of all.
    make(home, "d/dataset", "2"), make(home, "d/dataset", "3")
    gone = home.lineage.events()
    second = next(event for event in gone if event.asset == "d/dataset" and event.code_version == "2")
    assert set(names(home)) == {("versions", f"store/{each.path}") for each in (old, second)}
    freed = free(home)
    assert freed.busy == [] and freed.bytes > 2000
    assert unused(home) == []
    assert home.folder(read).is_dir() and home.folder(new).is_dir() and not home.folder(old).exists()
    assert len(list(home.lineage.events())) == 5


def test_a_version_that_has_no_event_yet_stays(home: Home) -> None:
    event = make(home, "d/dataset", "1")
    folder = home.folder(event).with_name("later")
    home.folder(event).rename(folder)  # as a process leaves it that is killed before it writes the event
    os.utime(folder / "outcome.json", (time.time() + 9, time.time() + 9))
    assert names(home) == []


def test_cells_of_current_results_and_of_a_stopped_run_stay(home: Home) -> None:
    data, second = make(home, "d/dataset", "1").facts[VERSIONS]
    train(home, "replaced", data), train(home, "trial", data), train(home, "elsewhere", "other data")
    make(home, "d/models/M", "1", "d/dataset", cells=("replaced",))
    make(home, "d/models/M", "2", "d/dataset", cells=("trial", "elsewhere"))
    train(home, "of_a_stopped_run", data), train(home, "of_its_second_repeat", second)
    train(home, "of_old_data", "other data"), train(home, "unmade", data, "N")
    cells = {path for kind, path in names(home) if kind == "cells"}
    assert cells == {"store/d/cells/replaced", "store/d/cells/of_old_data"}


def test_controls_that_were_stopped_go_on_with_their_cells(home: Home) -> None:
    data = make(home, "d/dataset", "1").facts[VERSIONS][0]
    make(home, "d/controls", "1", "d/dataset")
    train(home, "control", data)
    make(home, "d/models/M", "1", "d/dataset")
    assert names(home) == []


def test_batches_that_the_newest_making_did_not_use_go(home: Home) -> None:
    batches = {name: home.settings.work / "d/embeddings/text" / name for name in ("before", "used")}
    for folder in batches.values():
        folder.mkdir(parents=True)
        (folder / "0.parquet").write_text("rows")
    assert names(home) == []  # nothing was made of them yet
    os.utime(batches["before"], (1, 1))
    event = make(home, "d/embeddings/text", "1")
    os.utime(batches["used"], (event.started.timestamp() + 1,) * 2)
    assert names(home) == [("batches", "work/d/embeddings/text/before")]


def test_what_killed_processes_left_goes(home: Home) -> None:
    event = make(home, "d/dataset", "1")
    for pid in (NO_PROCESS, os.getpid()):
        (home.folder(event).parent / f".pending-{pid}-0a").mkdir()
        (home.settings.home / f".pending-{pid}.duckdb").touch()
    left = {f"store/d/dataset/.pending-{NO_PROCESS}-0a", f".pending-{NO_PROCESS}.duckdb"}
    assert set(names(home)) == {("leftovers", path) for path in left}
    free(home)
    assert names(home) == []
    assert (home.folder(event).parent / f".pending-{os.getpid()}-0a").is_dir()


def test_the_only_copy_of_a_version_is_kept(home: Home) -> None:
    """A process was killed after it had moved the version aside, and before the new one had its name."""
    folder = home.folder(make(home, "d/dataset", "1"))
    folder.rename(folder.with_name(f".pending-{NO_PROCESS}-0a-{folder.name}"))
    free(home)
    assert names(home) == [] and home.has("d/dataset")


def test_a_dataset_at_work_is_skipped(home: Home) -> None:
    for dataset in ("d", "e"):
        make(home, f"{dataset}/dataset", "1"), make(home, f"{dataset}/dataset", "2")
    with Home(home.settings).store.lock("d/models/M"):
        freed = free(home)
    assert freed.busy == ["d"]
    assert [path.split("/")[1] for _, path in names(home)] == ["d"]


def test_the_command_asks_and_says_how_much(home: Home) -> None:
    old = make(home, "d/dataset", "1")
    make(home, "d/dataset", "2")
    shown = printed(home.settings, "clean", "--dry-run")
    assert "versions of assets that newer ones replaced │ 1 │ 1.2 kB" in shown
    assert shown.endswith("1.2 kB in 1 place can be freed")
    assert call(home.settings, "clean").exit_code == 1  # nobody answers
    assert home.folder(old).is_dir()
    assert printed(home.settings, "clean", "--yes").endswith("Freed 1.2 kB")
    assert not home.folder(old).exists()
    assert home.settings.catalog.is_file()
    assert printed(home.settings, "clean").endswith("nothing to free")
