"""Dagster's instance on the home folder, and the runs that a killed process left behind."""

import os

import dagster as dg
import psutil
from filelock import FileLock

from orchestration.settings import Settings
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


def prepare(settings: Settings) -> None:
    """Make Dagster's folder with its configuration and databases, and point Dagster at it."""
    file = settings.dagster / "dagster.yaml"
    if not file.exists() or file.read_text(encoding="utf-8") != CONFIG:
        write_text(file, CONFIG)
    os.environ["DAGSTER_HOME"] = str(settings.dagster.resolve())
    # Processes that make new databases side by side trip over each other's tables.
    with FileLock(settings.dagster / "made.lock"), dg.DagsterInstance.get():
        pass


def close_abandoned(instance: dg.DagsterInstance) -> int:
    """Mark runs whose process is gone as failed; gives how many."""
    unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]
    closed = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)):
        pid = run.tags.get(PID)
        if pid and not psutil.pid_exists(int(pid)):
            instance.report_run_failed(run, "The process that ran it was killed; materialise again to go on.")
            closed += 1
    return closed
