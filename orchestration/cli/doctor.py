"""`modalift doctor`: whether this machine has what a study needs, and what to do where it has not."""

import os
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.cli.app import command
from orchestration.cli.console import note, out, table, tick
from orchestration.cli.studies import home_problem, read_settings
from orchestration.full_disk import full_disk
from recsys.errors import UserError
from recsys.wording import count

if TYPE_CHECKING:
    from orchestration.settings import Settings

PACKAGES = (
    "dagster",
    "dagster-webserver",
    "mlflow",
    "duckdb",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "statsmodels",
    "optuna",
    "transformers",
)
ENOUGH_DISK_GB = 5


@command("doctor", "modalift doctor")
def doctor() -> None:
    """Check Python, packages, PyTorch's device, disk, databases and folders; each with a remedy."""
    settings = read_settings(home_is="passed over")
    shown = table("", "what", "found")
    wrong = 0
    for name, check in CHECKS.items():
        try:
            good, found = True, check(settings)
        except UserError as problem:
            good, found = False, str(problem)
        except Exception as error:  # a broken installation fails in ways that cannot be listed
            full = full_disk(str(error), settings.home)
            good, found = False, full or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        wrong += not good
        shown.add_row(tick(good), name, found)
    out.print(shown)
    if wrong:
        raise UserError(f"{wrong} of {len(CHECKS)} checks failed; each says what to do")


def _python(_: "Settings") -> str:
    found = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        raise UserError(f"{found}; install modalift with Python 3.11, 3.12 or 3.13")
    return f"{found} ({sys.executable})"


def _packages(_: "Settings") -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            raise UserError(f"{package} is missing; install modalift again (in a checkout: `make setup`)") from None
    return ", ".join(found)


def _torch(_: "Settings") -> str:
    import torch

    device = f"CUDA, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "CPU (trained models use it)"
    return f"{device}; {count(torch.get_num_threads(), 'thread')} in one process"


def _workers(settings: "Settings") -> str:
    from recsys.engine.slots import default_workers

    chosen = f"MODALIFT_WORKERS={settings.workers}" if settings.workers else "one a core"
    return f"{settings.workers or default_workers()} workers ({chosen}); {os.cpu_count()} cores"


def _home(settings: "Settings") -> str:
    if problem := home_problem(settings.home):
        raise UserError(f"{settings.home}: {problem}; set MODALIFT_HOME to a folder of yours")
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{settings.home}: {error.strerror}; set MODALIFT_HOME to a folder of yours") from None
    free = shutil.disk_usage(settings.home).free / 1e9
    if free < ENOUGH_DISK_GB:
        raise UserError(f"{settings.home}: {free:.1f} GB free; make room or set MODALIFT_HOME to a larger disk")
    return f"{settings.home}, {free:.0f} GB free"


def _mlflow(settings: "Settings") -> str:
    if not settings.mlflow_database.exists():
        return "no database yet; the first run makes it"
    from mlflow.entities import ViewType

    from orchestration.tracking import Tracker

    client = Tracker(settings, note).client
    experiments = client.search_experiments(ViewType.ALL, max_results=1000)
    deleted = sum(each.lifecycle_stage == "deleted" for each in experiments)
    said = f", {deleted} of them deleted (the next run of their dataset restores them)" if deleted else ""
    if waiting := len(list(settings.mlflow_waiting.glob("*.json"))):
        said += f"; {count(waiting, 'file')} of runs to be written by the next run"
    return f"{count(len(experiments), 'experiment')}{said}"


def _dagster(settings: "Settings") -> str:
    import dagster as dg

    from orchestration.definitions import UNREADABLE, build_definitions
    from orchestration.instance import prepare

    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs_count()
    graph = build_definitions(settings).resolve_asset_graph()
    assets = sorted(graph.get_all_asset_keys())
    problems = [graph.get(key).description for key in assets if key.path[-1] == UNREADABLE]
    if problems:
        raise UserError(f"{count(len(problems), 'study file')} cannot be used; the first: {problems[0]}")
    return f"{count(runs, 'run')}, {count(len(assets), 'asset')} of the studies in {settings.studies}"


def _duckdb(settings: "Settings") -> str:
    if not settings.catalog.exists():
        return "no catalogue yet; the first report makes it"
    import duckdb

    with duckdb.connect(str(settings.catalog), read_only=True) as connection:
        rows = connection.execute("SELECT count(*) FROM dataset_version").fetchall()
    return f"{settings.catalog}: {count(rows[0][0], 'version')} of assets"


def _data(settings: "Settings") -> str:
    if settings.data is None:
        return "MODALIFT_DATA is not set: data are looked for beside the study files and in the working folder"
    if not Path(settings.data).is_dir():
        raise UserError(f"{settings.data}: no such folder; set MODALIFT_DATA to the one that holds the datasets")
    folders = sorted(path.name for path in settings.data.iterdir() if path.is_dir())
    return f"{settings.data}: {', '.join(folders[:8]) or 'empty'}"


CHECKS: dict[str, Callable[["Settings"], str]] = {
    "Python": _python,
    "packages": _packages,
    "PyTorch": _torch,
    "workers": _workers,
    "home folder": _home,
    "MLflow": _mlflow,
    "Dagster": _dagster,
    "DuckDB catalogue": _duckdb,
    "data folder": _data,
}
