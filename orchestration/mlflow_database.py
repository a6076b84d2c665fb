"""MLflow's database file: made under another name and renamed once it is whole.

MLflow's migrations are not one transaction. A process that is killed among them leaves tables that no migration can go
on from, and several processes that migrate a new database at the same time corrupt it.
"""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from orchestration.full_disk import full_disk
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.store import PENDING

LOCKED_SECONDS = 20.0
"""How long another program may keep the database locked."""
LONGEST = 300
UNUSABLE = ".unusable"
"""The ending of a database that was moved aside."""
_BUSY = re.compile("database (table )?is locked")


def prepare(settings: Settings, note: Callable[[str], None]) -> None:
    """Make sure that there is a database that MLflow can use; for a caller that holds its lock.

    One that MLflow cannot use is moved aside if it holds no runs: what waits to be written is in files of its own.

    Raises:
        UserError: MLflow cannot use what is there, and runs may be in it.
    """
    file = settings.mlflow_database
    if file.exists():
        _check_access(file)
        reason = _unusable(settings)
        if not reason:
            return
        if _has_runs(file):
            raise UserError(f"{file}: MLflow cannot use it ({reason}); move it away, and a new one is made")
        aside = file.with_name(f"{file.name}{UNUSABLE}")
        file.replace(aside)
        note(f"MLflow cannot use its database ({reason}), and no runs are in it: it is {aside} now, a new one is made")
    _make(settings)


def first_line(error: Exception) -> str:
    """What an error says, without the statements and remedies that SQLAlchemy and MLflow add."""
    return (str(error).strip().splitlines() or ["no message"])[0][:LONGEST]


def _check_access(file: Path) -> None:
    """Fail at once where a database cannot be opened: MLflow would try again for minutes."""
    try:
        with closing(sqlite3.connect(file, timeout=LOCKED_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    except sqlite3.OperationalError as error:
        raise UserError(f"{file}: {error}; close what keeps it open, or make it writable") from None
    except sqlite3.DatabaseError as error:
        raise UserError(f"{file}: {error}; move it away, and a new one is made") from None


def _unusable(settings: Settings) -> str:
    """Why MLflow cannot use the database that is there, in one line; empty where it can."""
    try:
        _open(settings, settings.artifacts)
    except Exception as error:  # MLflow's, SQLAlchemy's, Alembic's
        if _BUSY.search(str(error)) or full_disk(str(error), settings.home):
            raise
        return f"{type(error).__name__}: {first_line(error)}"
    return ""


def _has_runs(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=LOCKED_SECONDS)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
            return False
        return database.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is not None


def _make(settings: Settings) -> None:
    folder = settings.home / f"{PENDING}-mlflow"
    shutil.rmtree(folder, ignore_errors=True)  # a killed process left it
    folder.mkdir(parents=True)
    pending = settings.model_copy(update={"home": folder})
    try:
        _open(pending, settings.artifacts)
        pending.mlflow_database.replace(settings.mlflow_database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open(database: Settings, artifacts: Path) -> None:
    """Open a database as MLflow does, which makes the tables that are missing, and close it again."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    try:
        SqlAlchemyStore(database.tracking_uri, artifacts.resolve().as_uri())
    finally:
        # MLflow keeps connections for later, which would go on with the file that was moved.
        SqlAlchemyStore._get_or_create_engine(database.tracking_uri).dispose()
