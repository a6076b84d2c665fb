"""MLflow: every training is a run, flat, with tags; one experiment a dataset.

The database is made once, under a lock, before any parallel work: several processes that migrate a new one at
the same time corrupt it. A run is written when its cell has ended, all in one batch, so that a killed study
leaves at most the one run that was being written; `sweep` closes such runs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from orchestration.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

UI = "http://127.0.0.1:5000"


@dataclass(frozen=True)
class Training:
    """What is kept of one cell.

    Attributes:
        experiment: the dataset.
        name: what the run is called.
        tags: model, arm, seed, stage, fingerprint, asset, Dagster run.
        params: hyper-parameters.
        metrics: final values by name.
        curve: one dict an epoch (`epoch` and the values).
        started: seconds since 1970.
        ended: seconds since 1970.
        failed: why, empty for a training that ended well.
    """

    experiment: str
    name: str
    tags: dict[str, str]
    params: dict[str, Any]
    metrics: dict[str, float]
    curve: Sequence[dict[str, float]] = ()
    started: float = field(default_factory=time.time)
    ended: float = field(default_factory=time.time)
    failed: str = ""


class Tracker:
    """The MLflow database of a home."""

    def __init__(self, settings: Settings) -> None:
        """MLflow on the home that the settings name."""
        self.settings = settings
        self._experiments: dict[str, str] = {}

    @cached_property
    def client(self) -> "MlflowClient":
        """A client on a database that exists."""
        import logging

        from mlflow import MlflowClient

        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)

        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.settings.artifacts.mkdir(exist_ok=True)
        with FileLock(self.settings.home / "mlflow.lock"):
            client = MlflowClient(tracking_uri=self.settings.tracking_uri)
            client.search_experiments(max_results=1)
        return client

    def experiment(self, name: str) -> str:
        """Id of an experiment, made where it is missing."""
        if name not in self._experiments:
            client = self.client
            with FileLock(self.settings.home / "mlflow.lock"):
                found = client.get_experiment_by_name(name)
                self._experiments[name] = (
                    found.experiment_id
                    if found
                    else client.create_experiment(name, (self.settings.artifacts / name).resolve().as_uri())
                )
        return self._experiments[name]

    def log(self, training: Training) -> str:
        """Write one training as a run that has ended; gives its id."""
        from mlflow.entities import Metric, Param

        experiment = self.experiment(training.experiment)
        tags = training.tags | ({"failure": training.failed} if training.failed else {})
        start, end = int(training.started * 1000), int(training.ended * 1000)
        run = self.client.create_run(experiment, start_time=start, tags=tags, run_name=training.name)
        values = [Metric(name, value, end, 0) for name, value in training.metrics.items()]
        values += [
            Metric(
                f"curve_{name}", value, start + int((end - start) * (n + 1) / len(training.curve)), int(row["epoch"])
            )
            for n, row in enumerate(training.curve)
            for name, value in row.items()
            if name != "epoch"
        ]
        params = [Param(name, str(value)) for name, value in training.params.items()]
        for first in range(0, max(len(values), 1), 900):
            self.client.log_batch(
                run.info.run_id, metrics=values[first : first + 900], params=params if first == 0 else []
            )
        self.client.set_terminated(run.info.run_id, "FAILED" if training.failed else "FINISHED", end_time=end)
        return run.info.run_id

    def sweep(self, experiment: str, asset: str) -> int:
        """Close runs of an asset that a killed process left open; call it under the asset's lock."""
        left = self.client.search_runs(
            [self.experiment(experiment)], f"attributes.status = 'RUNNING' and tags.asset = '{asset}'"
        )
        for run in left:
            self.client.set_terminated(run.info.run_id, "KILLED")
        return len(left)

    def search_url(self, experiment: str, query: str = "", sort_by: str = "") -> str:
        """Address of an experiment's runs as charts, filtered, the highest of a metric first."""
        from urllib.parse import urlencode

        asked = {"compareRunsMode": "CHART"}
        if query:
            asked["searchFilter"] = query
        if sort_by:
            asked |= {"orderByKey": f"metrics.`{sort_by}`", "orderByAsc": "false"}
        return f"{UI}/#/experiments/{self.experiment(experiment)}/runs?{urlencode(asked)}"
