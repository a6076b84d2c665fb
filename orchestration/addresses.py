"""Addresses of the pages that `modalift ui` serves, for the links between Dagster, MLflow and the reports."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from orchestration.settings import Settings

HOST = "127.0.0.1"
# Without it MLflow opens its pages for generative AI, which show no training.
CLASSIC = {"workflowType": "machine_learning"}
EXPERIMENTS = f"/#/experiments?{urlencode(CLASSIC)}"
"""MLflow's list of experiments, after its address."""
RUNS = "/runs"
"""Dagster's list of runs, after its address: its own first page is a timeline, which is empty a day after a run."""


@dataclass(frozen=True)
class Addresses:
    """Where pages are, by the ports in the settings."""

    settings: "Settings"

    @property
    def dagster(self) -> str:
        """Dagster's first page."""
        return f"http://{HOST}:{self.settings.dagster_port}"

    @property
    def mlflow(self) -> str:
        """MLflow's first page."""
        return f"http://{HOST}:{self.settings.mlflow_port}"

    @property
    def reports(self) -> str:
        """The list of reports."""
        return f"http://{HOST}:{self.settings.reports_port}"

    def asset(self, key: str) -> str:
        """The page of an asset in Dagster."""
        return f"{self.dagster}/assets/{quote(key)}"

    def assets(self, group: str) -> str:
        """The graph of a group of assets in Dagster."""
        return f"{self.dagster}/asset-groups/{quote(group)}"

    def dagster_run(self, run: str) -> str:
        """The page of a run in Dagster."""
        return f"{self.dagster}/runs/{quote(run)}"

    def report(self, study: str) -> str:
        """The report of a study."""
        return f"{self.reports}/{quote(study)}.html"

    def mlflow_runs(self, experiment: str, view: str) -> str:
        """A saved view of an experiment's runs in MLflow, as charts."""
        asked = {"viewStateShareKey": view, "compareRunsMode": "CHART"} | CLASSIC
        return f"{self.mlflow}/#/experiments/{experiment}/runs?{urlencode(asked)}"
