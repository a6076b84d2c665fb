"""`modalift ui`: Dagster, MLflow and the reports on this machine's own address."""

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.addresses import EXPERIMENTS, HOST, RUNS
from orchestration.cli.app import command
from orchestration.cli.console import note, say
from orchestration.cli.services import Service, Services, check_ports
from orchestration.cli.studies import read_settings
from recsys.fingerprints import CHECKOUT
from recsys.store import write_text

if TYPE_CHECKING:
    from orchestration.settings import Settings

# MLflow's job queue, eight processes, serves features that nothing here uses.
QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONUNBUFFERED": "1",
}
# Servers run in the user's folder, which may hold packages of the same names as ours (`assets` is a common one).
SAFE_PATH = {"PYTHONSAFEPATH": "1"}
WORKSPACE = f"""\
load_from:
  - python_module:
      module_name: orchestration.definitions
      location_name: modalift
      working_directory: {json.dumps(str(CHECKOUT))}
"""

DagsterPort = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: MODALIFT_DAGSTER_PORT or 3000.")]
MlflowPort = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: MODALIFT_MLFLOW_PORT or 5000.")]
ReportsPort = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: MODALIFT_REPORTS_PORT or 5001.")]


@command("ui", "modalift ui", "modalift ui --dagster-port 3001")
def ui(dagster_port: DagsterPort = None, mlflow_port: MlflowPort = None, reports_port: ReportsPort = None) -> None:
    """Serve Dagster (assets, lineage), MLflow (every training) and the reports until Ctrl-C.

    Links between the pages lead to the ports that were set when a study was run: MODALIFT_DAGSTER_PORT,
    MODALIFT_MLFLOW_PORT and MODALIFT_REPORTS_PORT move both the pages and the links.
    """
    from orchestration.instance import prepare
    from orchestration.mlflow_guard import GuardedTracker
    from orchestration.tracking import Tracker

    settings = read_settings()
    asked = {"dagster_port": dagster_port, "mlflow_port": mlflow_port, "reports_port": reports_port}
    settings = settings.model_copy(
        update={"home": settings.home.resolve(), "studies": settings.studies.resolve()}
        | {name: port for name, port in asked.items() if port is not None}
    )
    servers = _servers(settings)
    check_ports(servers)
    # Started in the background by a script, a process ignores SIGINT unless it asks for it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if not settings.study_files:
        note(f"no studies in {settings.studies} yet: `modalift run demo` or `modalift new` puts one there")
    note("starting: half a minute, the first time longer")
    prepare(settings)
    write_text(settings.dagster / "workspace.yaml", WORKSPACE)
    settings.reports.mkdir(parents=True, exist_ok=True)
    try:
        # Servers that find no database would each make it, and two at a time spoil it.
        tracker = GuardedTracker(Tracker(settings, note), note)
        _ = tracker.direct.client
        tracker.catch_up()
        with Services(servers, cwd=Path.cwd()) as services:
            services.wait_until_ready()
            for service in services.services:
                say(f"{service.name:8} {service.address}{service.first_page}")
            note("Ctrl-C ends all three")
            services.watch()
    except KeyboardInterrupt:
        note("ended")


def _servers(settings: "Settings") -> list[Service]:
    logs = settings.home / "logs"
    dagster_port, mlflow_port, reports_port = settings.dagster_port, settings.mlflow_port, settings.reports_port
    python = [sys.executable, "-m"]
    dagster = [
        *python,
        "dagster_webserver",
        "--host",
        HOST,
        "--port",
        str(dagster_port),
        "--workspace",
        str(settings.dagster / "workspace.yaml"),
    ]
    mlflow = [*python, "mlflow", "server", "--host", HOST, "--port", str(mlflow_port), "--workers", "1"]
    mlflow += ["--backend-store-uri", settings.tracking_uri, "--artifacts-destination", str(settings.artifacts)]
    reports = [*python, "orchestration.cli.pages", str(reports_port)]
    environment = {
        **QUIET,
        **SAFE_PATH,
        "DAGSTER_HOME": str(settings.dagster),
        "MODALIFT_HOME": str(settings.home),
        "MODALIFT_STUDIES": str(settings.studies),
        "MODALIFT_DAGSTER_PORT": str(dagster_port),
        "MODALIFT_MLFLOW_PORT": str(mlflow_port),
        "MODALIFT_REPORTS_PORT": str(reports_port),
        **({"MODALIFT_DATA": str(settings.data.resolve())} if settings.data else {}),
    }
    return [
        Service("Dagster", dagster, dagster_port, "--dagster-port", logs / "dagster.log", environment, RUNS),
        Service("MLflow", mlflow, mlflow_port, "--mlflow-port", logs / "mlflow.log", environment, EXPERIMENTS),
        Service("Reports", reports, reports_port, "--reports-port", logs / "reports.log", environment),
    ]
