"""MLflow: every training is a run, flat, with tags; one experiment a dataset.

The database is made once, under a lock, before any parallel work: several processes that migrate a new one at
the same time corrupt it. Trainings are written when they have ended, many in one transaction, and a run's id follows
from the training's fingerprint. So a killed process leaves no run open, a training written twice is one run, and
runs that were lost can be written again from stored cells.
"""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from filelock import FileLock

from orchestration.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

UI = "http://127.0.0.1:5000"
DAGSTER_UI = "http://127.0.0.1:3000"
DATASET = "modalift.dataset"
NOTE = "mlflow.note.content"


@dataclass(frozen=True)
class Training:
    """What is kept of one cell.

    Attributes:
        experiment: the dataset.
        name: what the run is called.
        tags: model, arm, seed, stage, fingerprint, asset, Dagster run.
        params: hyper-parameters.
        metrics: final values by name, grouped by what stands before a slash (`test/ndcg_at_20`).
        curve: one dict an epoch (`epoch` and the values); they become metrics of the group `curve`.
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

    @property
    def run_id(self) -> str:
        """Id of its MLflow run."""
        return run_id(self.experiment, self.tags["fingerprint"])


def run_id(experiment: str, fingerprint: str) -> str:
    """Id of the MLflow run of a training: 32 hexadecimal digits, the same wherever and whenever it is asked for."""
    return hashlib.sha256(f"{experiment}/{fingerprint}".encode()).hexdigest()[:32]


class Tracker:
    """The MLflow database of a home."""

    def __init__(self, settings: Settings) -> None:
        """MLflow on the home that the settings name."""
        self.settings = settings

    @cached_property
    def client(self) -> "MlflowClient":
        """A client on a database that exists."""
        from mlflow import MlflowClient

        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.settings.artifacts.mkdir(exist_ok=True)
        with self._lock():
            client = MlflowClient(tracking_uri=self.settings.tracking_uri)
            client.search_experiments(max_results=1)
        return client

    @cached_property
    def _store(self) -> "SqlAlchemyStore":
        # The client has no way to write several runs in one transaction.
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        _ = self.client
        return SqlAlchemyStore(self.settings.tracking_uri, self.settings.artifacts.resolve().as_uri())

    def _lock(self) -> FileLock:
        return FileLock(self.settings.home / "mlflow.lock")

    def experiment(self, dataset: str) -> str:
        """Id of a dataset's experiment, made where it is missing, restored where somebody deleted it."""
        return self._experiment(dataset).experiment_id

    def _experiment(self, dataset: str) -> "Experiment":
        client = self.client
        with self._lock():
            found = self._find(dataset)
            if found is None:
                folder = (self.settings.artifacts / dataset).resolve().as_uri()
                tags = {DATASET: dataset, NOTE: _describe_dataset(dataset)}
                return client.get_experiment(client.create_experiment(dataset, folder, tags))
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
        return found

    def _find(self, dataset: str) -> "Experiment | None":
        # By tag, since a person may have given it another name.
        from mlflow.entities import ViewType

        query = f"tags.`{DATASET}` = '{dataset}'"
        tagged = self.client.search_experiments(ViewType.ALL, max_results=1, filter_string=query)
        return tagged[0] if tagged else self.client.get_experiment_by_name(dataset)

    def log_all(self, trainings: Sequence[Training]) -> list[str]:
        """Write trainings as runs that have ended, in one transaction; gives their ids in the same order.

        A training that was written before is left as it is, unless it failed then and ended well now.

        Raises:
            MlflowException: a name that MLflow does not take, such as one with `@`.
        """
        from mlflow.store.tracking.dbmodels.models import SqlRun
        from sqlalchemy import select
        from sqlalchemy.dialects.sqlite import insert

        by_id = {training.run_id: training for training in trainings}
        if not by_id:
            return []
        experiments = {name: self._experiment(name) for name in {training.experiment for training in trainings}}
        ended_well = [one for one, training in by_id.items() if not training.failed]
        retried = select(SqlRun).where(SqlRun.run_uuid.in_(ended_well), SqlRun.status == "FAILED")
        runs = [_run_row(training, experiments[training.experiment]) for training in by_id.values()]
        with self._store.ManagedSessionMaker(read_only=False) as session:
            for run in session.scalars(retried):
                session.delete(run)
            session.flush()
            new = session.scalars(insert(SqlRun).on_conflict_do_nothing().returning(SqlRun.run_uuid), runs)
            for table, rows in self._content([by_id[one] for one in new]).items():
                if rows:
                    session.execute(insert(table).on_conflict_do_nothing(), rows)
        return [training.run_id for training in trainings]

    def add_metrics(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Give runs further final metrics, by run id and name, in one transaction; values that are there are replaced.

        Runs that are not there, since somebody deleted them, are passed over.
        """
        from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlRun
        from sqlalchemy import delete, insert, select

        with self._store.ManagedSessionMaker(read_only=False) as session:
            runs = session.execute(select(SqlRun.run_uuid, SqlRun.end_time).where(SqlRun.run_uuid.in_(metrics)))
            found: dict[str, int] = dict(runs.all())
            rows = [
                self._metric_row(run, name, value, end, step=0)
                for run, end in found.items()
                for name, value in metrics[run].items()
            ]
            names = {row["key"] for row in rows}
            for table in (SqlMetric, SqlLatestMetric):
                session.execute(delete(table).where(table.run_uuid.in_(found), table.key.in_(names)))
                if rows:
                    session.execute(insert(table), rows)

    def _metric_row(self, run: str, name: str, value: float, timestamp: int, step: int) -> dict[str, Any]:
        is_nan, stored = self._store.sanitize_metric_value(value)
        return {"run_uuid": run, "key": name, "value": stored, "is_nan": is_nan, "timestamp": timestamp, "step": step}

    def _content(self, trainings: Iterable[Training]) -> dict[type, list[dict[str, Any]]]:
        """Rows of tags, parameters and metrics by MLflow's table, checked as its client checks them."""
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlTag
        from mlflow.utils.validation import _validate_batch_log_data

        tables: dict[type, list[dict[str, Any]]] = {SqlTag: [], SqlParam: [], SqlMetric: [], SqlLatestMetric: []}
        for training in trainings:
            points, params, tags = _validate_batch_log_data(
                [Metric(*point) for point in _points(training)],
                [Param(name, str(value)) for name, value in training.params.items()],
                [RunTag(name, value) for name, value in _tags(training).items()],
            )
            latest: dict[str, dict[str, Any]] = {}
            for point in points:
                row = self._metric_row(training.run_id, point.key, point.value, point.timestamp, point.step)
                tables[SqlMetric].append(row)
                latest[point.key] = row
            tables[SqlLatestMetric] += latest.values()
            for table, pairs in ((SqlTag, tags), (SqlParam, params)):
                tables[table] += [{"run_uuid": training.run_id, "key": one.key, "value": one.value} for one in pairs]
        return tables

    def search_url(self, dataset: str, query: str = "", sort_by: str = "") -> str:
        """Address of a dataset's runs as charts, filtered, the highest of a metric on the test part first."""
        asked = {"compareRunsMode": "CHART", "workflowType": "machine_learning"}
        if query:
            asked["searchFilter"] = query
        if sort_by:
            asked |= {"orderByKey": f"metrics.`test/{sort_by}`", "orderByAsc": "false"}
        return f"{UI}/#/experiments/{self.experiment(dataset)}/runs?{urlencode(asked)}"


def _describe_dataset(dataset: str) -> str:
    address = f"{DAGSTER_UI}/assets/{quote(dataset)}/dataset"
    return (
        f"Every training on the dataset [{dataset}]({address}), one run each. Runs of stage `tuning` chose "
        "hyper-parameters on the validation part; only runs of stage `final` have metrics of the test part."
    )


def _describe(training: Training) -> str:
    asset, run = training.tags.get("asset", ""), training.tags.get("dagster_run", "")
    return (
        f"Asset [{asset}]({DAGSTER_UI}/assets/{quote(asset)}), trained in Dagster's run "
        f"[{run[:8]}]({DAGSTER_UI}/runs/{quote(run)})."
    )


def _tags(training: Training) -> dict[str, str]:
    own = {"mlflow.runName": training.name, NOTE: _describe(training)}
    return training.tags | own | ({"failure": training.failed} if training.failed else {})


def _points(training: Training) -> Iterator[tuple[str, float, int, int]]:
    """Name, value, milliseconds and step of all metrics; of each name the latest comes last."""
    start, end = _milliseconds(training.started), _milliseconds(training.ended)
    for name, value in training.metrics.items():
        yield name, float(value), end, 0
    for number, row in enumerate(training.curve, start=1):
        # An epoch's own time is not known: each gets the same share of the training's.
        at = start + (end - start) * number // len(training.curve)
        for name in row.keys() - {"epoch"}:
            yield f"curve/{name}", float(row[name]), at, int(row["epoch"])


def _run_row(training: Training, experiment: "Experiment") -> dict[str, Any]:
    return {
        "run_uuid": training.run_id,
        "name": training.name,
        "experiment_id": int(experiment.experiment_id),
        "status": "FAILED" if training.failed else "FINISHED",
        "start_time": _milliseconds(training.started),
        "end_time": _milliseconds(training.ended),
        "artifact_uri": f"{experiment.artifact_location}/{training.run_id}/artifacts",
        "user_id": "modalift",
        "source_type": "UNKNOWN",
        "source_name": "",
        "source_version": "",
        "entry_point_name": "",
        "lifecycle_stage": "active",
    }


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
