"""Dagster's instance on the home folder: its configuration, where runs belong, and runs that a killed process left."""

import os
from typing import Any
from urllib.parse import unquote

import dagster as dg
import psutil
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.workspace.load import location_origin_from_module_name
from filelock import FileLock
from sqlalchemy import Engine, create_engine

from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.store import write_text

# A run starts at once, without a queue: no daemon has to run for the page's buttons to work. Output of steps is
# not captured: that takes the terminal away from progress bars, and its helper processes complain on Ctrl-C.
# Without `nux`, a dialog that asks for an address would stand before the first page.
CONFIG = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
PID = "modalift/pid"
_engines: dict[str, Engine] = {}
MODULE, LOCATION = "orchestration.definitions", "modalift"  # as in workspace.yaml


def prepare(settings: Settings) -> None:
    """Make Dagster's folder with its configuration and databases, point Dagster at it, and close abandoned runs.

    Raises:
        UserError: the home folder has a name that Dagster's databases cannot have.
    """
    home = str(settings.dagster.resolve())
    if "?" in home or unquote(home) != home:
        raise UserError(
            f"{settings.home.resolve()}: Dagster cannot open a home folder with '?' or a code such as '%20' in its "
            "path: set MODALIFT_HOME to another folder"
        )
    file = settings.dagster / "dagster.yaml"
    try:
        if not file.exists() or file.read_text(encoding="utf-8") != CONFIG:
            write_text(file, CONFIG)
    except OSError as error:
        raise UserError(
            f"{settings.home}: cannot be written to ({error.strerror}); set MODALIFT_HOME to a folder of yours"
        ) from None
    os.environ["DAGSTER_HOME"] = home
    for storage in (sqlite_event_log, sqlite_run_storage):
        storage.create_engine = _engine  # type: ignore[attr-defined]
    # Processes that make new databases side by side trip over each other's tables.
    with FileLock(settings.dagster / "made.lock"), dg.DagsterInstance.get() as instance:
        close_abandoned(instance)


def _engine(address: str, **options: Any) -> Engine:
    """One engine a database: Dagster makes one for every query, so that none finds a statement compiled before.

    Its engines keep no connection, so that sharing them changes nothing but the time.
    """
    if address not in _engines:
        _engines[address] = create_engine(address, **options)
    return _engines[address]


def job_name(study: str) -> str:
    """Dagster's job of a study."""
    return f"study_{study}"


def job_origin(job: str) -> RemoteJobOrigin:
    """Where the webserver of `modalift ui` finds a job; its timeline and job pages show only runs that name it.

    Dagster has no public way to say this of a run that is executed in the process that created it.
    """
    location = location_origin_from_module_name(MODULE, None, None, LOCATION)
    return RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME).get_job_origin(job)


def close_abandoned(instance: dg.DagsterInstance) -> int:
    """Mark runs whose process is gone as failed; gives how many."""
    unfinished = [
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    closed = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)):
        pid = run.tags.get(PID)
        if pid and not psutil.pid_exists(int(pid)):
            instance.report_run_failed(run, "The process that ran it was killed; materialise again to go on.")
            closed += 1
    return closed
