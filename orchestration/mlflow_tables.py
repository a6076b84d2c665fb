"""Trainings as rows of MLflow's own tables: its client has no way to write several runs in one transaction."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.tracked import TrackedDataset, TrackedTraining

if TYPE_CHECKING:
    from mlflow.entities import Experiment
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

NOTE = "mlflow.note.content"
Rows = list[dict[str, Any]]


def run_row(training: TrackedTraining, experiment: "Experiment") -> dict[str, Any]:
    """The run itself."""
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


def content_rows(store: "SqlAlchemyStore", trainings: Iterable[TrackedTraining]) -> dict[type, Rows]:
    """Rows of tags, parameters and metrics by table, checked as MLflow's client checks them."""
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlTag
    from mlflow.utils.validation import _validate_batch_log_data

    tables: dict[type, Rows] = {SqlTag: [], SqlParam: [], SqlMetric: [], SqlLatestMetric: []}
    for training in trainings:
        points, params, tags = _validate_batch_log_data(
            [Metric(*point) for point in _points(training)],
            [Param(name, str(value)) for name, value in training.params.items()],
            [RunTag(name, value) for name, value in _tags(training).items()],
        )
        latest: dict[str, dict[str, Any]] = {}
        for point in points:
            row = metric_row(store, training.run_id, point.key, point.value, point.timestamp, point.step)
            tables[SqlMetric].append(row)
            latest[point.key] = row
        tables[SqlLatestMetric] += latest.values()
        for table, pairs in ((SqlTag, tags), (SqlParam, params)):
            tables[table] += [{"run_uuid": training.run_id, "key": one.key, "value": one.value} for one in pairs]
    return tables


def metric_row(
    store: "SqlAlchemyStore", run: str, name: str, value: float, timestamp: int, step: int
) -> dict[str, Any]:
    """One value of a metric; the time is in milliseconds since 1970."""
    is_nan, stored = store.sanitize_metric_value(value)
    return {"run_uuid": run, "key": name, "value": stored, "is_nan": is_nan, "timestamp": timestamp, "step": step}


def dataset_row(dataset: TrackedDataset, experiment: "Experiment") -> dict[str, Any]:
    """A version of a dataset; `mlflow.data.get_source(...).load()` gives its folder."""
    return {
        "dataset_uuid": dataset.input_id,
        "experiment_id": int(experiment.experiment_id),
        "name": dataset.name,
        "digest": dataset.digest,
        "dataset_source_type": "local",
        "dataset_source": json.dumps({"uri": Path(dataset.folder).resolve().as_uri()}),
        "dataset_profile": json.dumps(dict(dataset.counts)),
    }


def input_rows(trainings: Sequence[TrackedTraining], datasets: Mapping[str, str]) -> dict[type, Rows]:
    """What each run was trained on; `datasets` gives the id in the database by the id that this program gives."""
    from mlflow.store.tracking.dbmodels.models import SqlInput, SqlInputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    inputs = [
        {
            # A run has one input, so that its own id can be the input's.
            "input_uuid": training.run_id,
            "source_type": "DATASET",
            "source_id": datasets[training.dataset.input_id],
            "destination_type": "RUN",
            "destination_id": training.run_id,
        }
        for training in trainings
    ]
    context = {"name": MLFLOW_DATASET_CONTEXT, "value": "training"}
    return {SqlInput: inputs, SqlInputTag: [{"input_uuid": training.run_id} | context for training in trainings]}


def _tags(training: TrackedTraining) -> dict[str, str]:
    own = {"mlflow.runName": training.name} | ({NOTE: training.note} if training.note else {})
    return training.tags | own | ({"failure": training.failed} if training.failed else {})


def _points(training: TrackedTraining) -> Iterator[tuple[str, float, int, int]]:
    """Name, value, milliseconds and step of all metrics; of each name the latest comes last."""
    start, end = _milliseconds(training.started), _milliseconds(training.ended)
    for name, value in training.metrics.items():
        yield name, float(value), end, 0
    for number, row in enumerate(training.curve, start=1):
        # An epoch's own time is not known: each gets the same share of the training's.
        at = start + (end - start) * number // len(training.curve)
        for name in row.keys() - {"epoch"}:
            yield f"curve/{name}", float(row[name]), at, int(row["epoch"])


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
