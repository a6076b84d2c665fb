"""MLflow's database is made whole or not at all, and one that MLflow cannot use holds nothing up for good."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from orchestration import mlflow_database
from orchestration.settings import Settings
from orchestration.tracked import TrackedDataset, TrackedTraining
from orchestration.tracking import Tracker
from tests.orchestration.command_line import call

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from orchestration import mlflow_database
from orchestration.settings import Settings
from orchestration.tracking import Tracker

@event.listens_for(Engine, "after_cursor_execute")
def die(connection, cursor, statement, *_):
    if "CREATE TABLE trace_info" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

settings = Settings(home=Path(sys.argv[2]))
"""
WORK = {
    "this program": "Tracker(settings).client",
    "MLflow": "mlflow_database._open(settings, settings.artifacts)",
}
SEVERAL = """
import sys
from pathlib import Path
from orchestration.settings import Settings
from orchestration.tracking import Tracker

Tracker(Settings(home=Path(sys.argv[1])), print).experiment(sys.argv[2])
"""
TRAINING = TrackedTraining(
    dataset=TrackedDataset("small", "digest", "/store", {}, ""),
    name="one",
    tags={"fingerprint": "f1"},
    params={},
    metrics={},
    curve=[],
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("mlflow"))
    assert Tracker(settings).client is not None
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A home whose database holds no runs."""
    shutil.copytree(made.home, tmp_path / "home")
    return Settings(home=tmp_path / "home", studies=tmp_path)


def names(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.home.iterdir())


def experiments(settings: Settings) -> set[str]:
    return {one.name for one in Tracker(settings).client.search_experiments()}


def make_newer(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.mlflow_database)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'of_the_future'")


def killed(settings: Settings, work: str) -> None:
    """A process is killed while it makes the database."""
    settings.home.mkdir()
    code = f"{KILLED}\n{WORK[work]}\n"
    done = subprocess.run([sys.executable, "-c", code, "", str(settings.home)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_process_that_is_killed_while_it_makes_the_database_leaves_none(tmp_path: Path) -> None:
    settings, notes = Settings(home=tmp_path / "home"), list[str]()
    killed(settings, "this program")
    assert names(settings) == [".pending-mlflow", "mlartifacts", "mlflow.lock"]
    Tracker(settings, notes.append).log_all([TRAINING])
    assert notes == [] and "small" in experiments(settings)
    assert names(settings) == ["mlartifacts", "mlflow.db", "mlflow.lock"]


def test_a_database_whose_migration_was_killed_is_made_anew(tmp_path: Path) -> None:
    settings, notes = Settings(home=tmp_path / "home"), list[str]()
    killed(settings, "MLflow")
    assert names(settings)[0] == "mlflow.db"
    Tracker(settings, notes.append).log_all([TRAINING])
    (line,) = notes
    assert line.startswith("MLflow cannot use its database (") and "trace_info already exists" in line
    assert line.endswith(f": it is {settings.home / 'mlflow.db.unusable'} now, a new one is made")
    assert Tracker(settings, notes.append).log_all([TRAINING]) and len(notes) == 1
    assert names(settings) == ["mlartifacts", "mlflow.db", "mlflow.db.unusable", "mlflow.lock"]


def test_connections_to_the_database_that_was_moved_are_not_used_again(settings: Settings) -> None:
    Tracker(settings).log_all([])
    assert "small" not in experiments(settings)
    make_newer(settings)
    Tracker(settings).log_all([TRAINING])
    with closing(sqlite3.connect(settings.mlflow_database)) as database:
        assert database.execute("SELECT name FROM experiments WHERE name = 'small'").fetchall() == [("small",)]


def test_one_with_runs_stays_and_doctor_says_what_to_do(settings: Settings) -> None:
    Tracker(settings).log_all([TRAINING])
    make_newer(settings)
    before = settings.mlflow_database.read_bytes()
    done = call(settings, "doctor")
    said = " ".join(done.stdout.replace("│", " ").split())
    assert done.exit_code == 2 and "of_the_future" in said and "move it away, and a new one is made" in said
    assert settings.mlflow_database.read_bytes() == before


def test_one_that_is_only_locked_stays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def lock(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(mlflow_database, "_open", lock)
    with pytest.raises(sqlite3.OperationalError):
        Tracker(settings).client  # noqa: B018
    assert names(settings) == ["mlartifacts", "mlflow.db", "mlflow.lock"]


def test_a_new_one_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")

    def fill(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE trace_info" in statement:
            raise sqlite3.OperationalError("database or disk is full")

    event.listen(Engine, "after_cursor_execute", fill)
    try:
        with pytest.raises(Exception, match="disk is full"):
            Tracker(settings).client  # noqa: B018
    finally:
        event.remove(Engine, "after_cursor_execute", fill)
    assert names(settings) == ["mlartifacts", "mlflow.lock"]
    assert experiments(settings) == {"Default"}


def test_two_processes_that_need_it_at_once_make_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SEVERAL, str(tmp_path / "home")]
    processes = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("a", "b")]
    assert [(process.communicate()[0], process.returncode) for process in processes] == [("", 0)] * 2
    assert experiments(Settings(home=tmp_path / "home")) == {"Default", "a", "b"}
