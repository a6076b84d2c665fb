"""Whatever state MLflow is in, a study is trained to its end; a line says so, and the runs are written later."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.entities import ViewType
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from orchestration.home import Home
from orchestration.materialise import Materialised, materialise
from orchestration.mlflow_guard import GuardedTracker
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from orchestration.tracked import TrackedDataset, TrackedTraining
from orchestration.tracking import Tracker
from recsys.study.study import Study
from tests.orchestration.conftest import write_study

SMALL = """
title: A small market
datasets:
  small:
    source: {reader: market, n_users: 60, n_items: 40, seed: 5}
    split: {protocol: ratio, seed: 1}
models: {TopPop: , ItemKNN: {n_neighbours: 20}}
tuning: {trials: 1}
repeats: 1
statistics: {resamples: 100}
"""
MORE = SMALL.replace("n_neighbours: 20", "n_neighbours: 10")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("away")
    settings = Settings(home=folder / "home", studies=folder, workers=1)
    done, lines = ran(settings)
    assert (done.failures, said(lines)) == ((), [])
    return settings


@pytest.fixture
def settings(finished: Settings, tmp_path: Path) -> Settings:
    """A home in which the study was run."""
    shutil.copytree(finished.home, tmp_path / "home")
    return finished.model_copy(update={"home": tmp_path / "home", "studies": tmp_path})


def study(settings: Settings, text: str = SMALL) -> Study:
    return write_study(settings.studies, text, "small")


def ran(settings: Settings, text: str = SMALL) -> tuple[Materialised, list[str]]:
    """What a run came to, and its lines."""
    lines: list[str] = []
    return materialise(study(settings, text), settings, LogProgress(lines.append)), lines


def said(lines: list[str]) -> list[str]:
    return [line for line in lines if "MLflow" in line]


def names(settings: Settings) -> set[str]:
    client = Home(settings).tracker.direct.client
    ids = [one.experiment_id for one in client.search_experiments(ViewType.ALL)]
    return {run.info.run_name or "" for run in client.search_runs(ids, max_results=1000)}


def damaged(settings: Settings) -> Callable[[], None]:
    file = settings.home / "mlflow.db"
    before = file.read_bytes()
    file.write_text("this was never a database", encoding="utf-8")
    return lambda: _put_back(file, before)


def newer(settings: Settings) -> Callable[[], None]:
    """As another version of MLflow leaves it."""
    file = settings.home / "mlflow.db"
    before = file.read_bytes()
    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = 'of_the_future'")
    return lambda: _put_back(file, before)


def locked(settings: Settings) -> Callable[[], None]:
    database = sqlite3.connect(settings.home / "mlflow.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    return database.close


def _put_back(file: Path, content: bytes) -> None:
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [damaged, newer, locked])
def test_a_study_ends_well_and_what_was_not_written_is_written_later(
    harm: Callable[[Settings], Callable[[], None]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.mlflow_database.LOCKED_SECONDS", 0.2)
    mend = harm(settings)
    done, lines = ran(settings, MORE)
    assert done.failures == () and "small/report" in done.assets
    first, *rest = said(lines)
    assert first.startswith("MLflow cannot be written to (") and first.endswith(
        "wait, they are written when it works again"
    )
    assert len(rest) <= 1  # one for training, one for what waits at the end
    mend()
    done, lines = ran(settings, MORE)
    assert done.failures == () and said(lines) == []
    client = Home(settings).tracker.direct.client
    runs = client.search_runs([Home(settings).tracker.direct.experiment("small")], "tags.model = 'ItemKNN'")
    assert {run.data.params["n_neighbours"] for run in runs} == {"10", "20"}
    finals = [run for run in runs if run.data.tags["stage"] == "final"]
    assert finals and all("test/ndcg_at_20" in run.data.metrics for run in finals)
    assert list((settings.home / "mlflow_waiting").glob("*")) == []


@pytest.fixture
def guarded(tmp_path: Path) -> tuple[GuardedTracker, list[object], list[str]]:
    """A tracker of an empty home, the metrics that it writes, and its notes."""
    settings = Settings(home=tmp_path / "home", studies=tmp_path)
    settings.mlflow_waiting.mkdir(parents=True)
    notes: list[str] = []
    tracker, metrics = Tracker(settings, notes.append), list[object]()
    tracker.add_metrics = metrics.append  # type: ignore[method-assign]
    return GuardedTracker(tracker, notes.append), metrics, notes


@pytest.mark.parametrize("content", ["{cut off", "[]", '{"trainings": [{"name": "x"}]}', '{"trainings": 1}'])
def test_an_unreadable_waiting_file_is_renamed_and_the_others_are_written(
    guarded: tuple[GuardedTracker, list[object], list[str]], content: str
) -> None:
    tracker, metrics, notes = guarded
    bad, good = tracker.waiting / "1.json", tracker.waiting / "2.json"
    bad.write_text(content, encoding="utf-8")
    good.write_text('{"metrics": {"run": {"ndcg": 0.5}}}', encoding="utf-8")
    tracker.catch_up()
    assert [file.name for file in tracker.waiting.iterdir()] == ["1.unreadable"]
    assert metrics == [{"run": {"ndcg": 0.5}}]
    (line,) = notes
    assert line.startswith(f"{bad}: cannot be read (") and line.endswith("; its runs are left out of MLflow")


def training(name: str, metric: str) -> TrackedTraining:
    return TrackedTraining(
        dataset=TrackedDataset("small", "digest", "/store", {}, ""),
        name=name,
        tags={"fingerprint": name},
        params={},
        metrics={},
        curve=[{"epoch": 1, metric: 0.5}],
    )


def test_a_run_that_mlflow_refuses_does_not_hold_up_the_others(
    guarded: tuple[GuardedTracker, list[object], list[str]],
) -> None:
    tracker, _, notes = guarded
    taken, refused = (training(name, curve) for name, curve in (("taken", "loss"), ("refused", "recall@20")))
    tracker.log_all([refused, taken])
    tracker.log_all([refused])
    (experiment,) = (one.experiment_id for one in tracker.direct.client.search_experiments() if one.name == "small")
    assert [run.info.run_name for run in tracker.direct.client.search_runs([experiment])] == ["taken"]
    assert list(tracker.waiting.iterdir()) == []
    (line,) = notes
    assert line.startswith("MLflow does not take runs of small (") and "recall@20" in line


def test_a_waiting_file_that_another_process_has_written_is_skipped(
    guarded: tuple[GuardedTracker, list[object], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, metrics, notes = guarded
    for name in ("1.json", "2.json"):
        (tracker.waiting / name).write_text('{"metrics": {"run": {"ndcg": 0.5}}}', encoding="utf-8")
    read = Path.read_text

    def vanished(file: Path, **how: str) -> str:
        if file.name == "1.json":
            file.unlink()
        return read(file, **how)

    monkeypatch.setattr(Path, "read_text", vanished)
    tracker.catch_up()
    assert (len(metrics), notes, list(tracker.waiting.iterdir())) == (1, [], [])


def test_a_deleted_experiment_is_restored_with_a_line(settings: Settings) -> None:
    direct = Home(settings).tracker.direct
    direct.client.delete_experiment(direct.experiment("small"))
    done, lines = ran(settings, MORE)
    assert done.failures == ()
    assert said(lines)[0] == "MLflow's experiment 'small' had been deleted: it was restored, with its runs"
    assert len(names(settings)) > 2


def test_an_experiment_that_is_gone_for_good_is_made_anew(settings: Settings) -> None:
    direct = Home(settings).tracker.direct
    before = direct.experiment("small")
    for run in direct.client.search_runs([before]):
        direct.client.delete_run(run.info.run_id)
    store = SqlAlchemyStore(settings.tracking_uri, settings.artifacts.resolve().as_uri())
    for run_id in store._get_deleted_runs():
        store._hard_delete_run(run_id)
    direct.client.delete_experiment(before)
    store._hard_delete_experiment(before)
    done, _ = ran(settings, MORE)
    assert done.failures == ()
    assert {
        run.data.params.get("n_neighbours") for run in direct.client.search_runs([direct.experiment("small")])
    } == {"10"}


def test_runs_that_a_person_deleted_stay_deleted_and_fail_nothing(settings: Settings) -> None:
    direct = Home(settings).tracker.direct
    for run in direct.client.search_runs([direct.experiment("small")]):
        direct.client.delete_run(run.info.run_id)
    done, lines = ran(settings, MORE)
    assert (done.failures, said(lines)) == ((), [])


def test_a_database_that_was_removed_is_made_anew(settings: Settings) -> None:
    (settings.home / "mlflow.db").unlink()
    done, lines = ran(settings, MORE)
    assert (done.failures, said(lines)) == ((), [])
    assert any("ItemKNN" in name for name in names(settings))
