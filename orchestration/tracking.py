"""MLflow: every training is a run, flat, with tags; one experiment per dataset.

The database is made once, under a lock, before any parallel work. Trainings are written when they have ended, many in
one transaction, and a run's id follows from the training's fingerprint. So a killed process leaves no run open, a
training written twice is one run, and runs that were lost can be written again from stored cells.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from filelock import FileLock

from orchestration import mlflow_database
from orchestration.addresses import Addresses
from orchestration.mlflow_tables import NOTE, content_rows, dataset_row, input_rows, metric_row, run_row
from orchestration.mlflow_views import View
from orchestration.settings import Settings
from orchestration.tracked import TrackedDataset, TrackedTraining

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)
DATASET = "modalift.dataset"
OWN_NOTE = "modalift.note"
"""What this program last wrote as the note: where the two differ, a person has changed theirs, and it stays."""


class Tracker:
    """The MLflow database of a home."""

    def __init__(self, settings: Settings, note: Callable[[str], None] = logger.info) -> None:
        """MLflow on the home that the settings name; `note` receives lines that a person may want to read."""
        self.settings, self.note = settings, note

    @cached_property
    def client(self) -> "MlflowClient":
        """A client on a database that exists."""
        from mlflow import MlflowClient

        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # What cannot be written is said in a line; MLflow would add the traceback.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.settings.artifacts.mkdir(exist_ok=True)
        with self._lock():
            mlflow_database.prepare(self.settings, self.note)
        return MlflowClient(tracking_uri=self.settings.tracking_uri)

    @cached_property
    def _store(self) -> "SqlAlchemyStore":
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        _ = self.client
        return SqlAlchemyStore(self.settings.tracking_uri, self.settings.artifacts.resolve().as_uri())

    def _lock(self) -> FileLock:
        return FileLock(self.settings.home / "mlflow.lock")

    def experiment(self, dataset: str) -> str:
        """Id of a dataset's experiment, made where it is missing, restored where somebody deleted it."""
        return self._experiment(dataset).experiment_id

    def _experiment(self, dataset: str, note: str = "") -> "Experiment":
        client = self.client
        with self._lock():
            found = self._find(dataset)
            if found is None:
                folder = (self.settings.artifacts / dataset).resolve().as_uri()
                found = client.get_experiment(client.create_experiment(dataset, folder, {DATASET: dataset}))
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
                self.note(f"MLflow's experiment '{found.name}' had been deleted: it was restored, with its runs")
            if DATASET not in found.tags:
                client.set_experiment_tag(found.experiment_id, DATASET, dataset)
            if note and note != found.tags.get(NOTE) and found.tags.get(OWN_NOTE) == found.tags.get(NOTE):
                for name in (OWN_NOTE, NOTE):
                    client.set_experiment_tag(found.experiment_id, name, note)
        return found

    def _find(self, dataset: str) -> "Experiment | None":
        # By tag, since a person may have given it another name.
        from mlflow.entities import ViewType

        query = f"tags.`{DATASET}` = '{dataset}'"
        tagged = self.client.search_experiments(ViewType.ALL, max_results=1, filter_string=query)
        return tagged[0] if tagged else self.client.get_experiment_by_name(dataset)

    def log_all(self, trainings: Sequence[TrackedTraining]) -> list[str]:
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
        datasets = list({training.dataset.input_id: training.dataset for training in trainings}.values())
        experiments = {dataset.name: self._experiment(dataset.name, dataset.note) for dataset in datasets}
        ended_well = [one for one, training in by_id.items() if not training.failed]
        retried = select(SqlRun).where(SqlRun.run_uuid.in_(ended_well), SqlRun.status == "FAILED")
        runs = [run_row(training, experiments[training.dataset.name]) for training in by_id.values()]
        with self._store.ManagedSessionMaker(read_only=False) as session:
            for run in session.scalars(retried):
                session.delete(run)
            session.flush()
            new = session.scalars(insert(SqlRun).on_conflict_do_nothing().returning(SqlRun.run_uuid), runs)
            written = [by_id[one] for one in new]
            inputs = _write_datasets(session, datasets, experiments)
            for table, rows in (content_rows(self._store, written) | input_rows(written, inputs)).items():
                if rows:
                    # The table, not the class: what SQLAlchemy does for objects takes as long as the rest.
                    session.execute(insert(table.__table__).on_conflict_do_nothing(), rows)
        return [training.run_id for training in trainings]

    def add_metrics(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Give runs further final metrics, by run id and name, in one transaction; values that are there are replaced.

        The new ones are shown before those that a run has. Runs that are not there, since somebody deleted them, are
        passed over.
        """
        from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlRun
        from sqlalchemy import delete, insert, select

        with self._store.ManagedSessionMaker(read_only=False) as session:
            runs = session.execute(select(SqlRun.run_uuid, SqlRun.end_time).where(SqlRun.run_uuid.in_(metrics)))
            found: dict[str, int] = dict(runs.all())
            rows = [
                metric_row(self._store, run, name, value, end, step=0)
                for run, end in found.items()
                for name, value in metrics[run].items()
            ]
            if not rows:
                return
            history, latest = SqlMetric.__table__, SqlLatestMetric.__table__
            names = {row["key"] for row in rows}
            session.execute(delete(history).where(history.c.run_uuid.in_(found), history.c.key.in_(names)))
            session.execute(insert(history), rows)
            # MLflow's page lists a run's metrics in the order of this table.
            kept = select(latest).where(latest.c.run_uuid.in_(found), latest.c.key.not_in(names))
            rows += [dict(row) for row in session.execute(kept).mappings()]
            session.execute(delete(latest).where(latest.c.run_uuid.in_(found)))
            session.execute(insert(latest), rows)

    def save_view(self, dataset: str, view: View) -> str:
        """Save a view in a dataset's experiment, in place of one of the same key; gives its address."""
        experiment = self.experiment(dataset)
        self.client.set_experiment_tag(experiment, *view.tag)
        return Addresses(self.settings).mlflow_runs(experiment, view.key)


def _write_datasets(
    session: "Session", datasets: Sequence[TrackedDataset], experiments: Mapping[str, "Experiment"]
) -> dict[str, str]:
    """Write datasets that are not there; gives the id in the database by the id that this program gives."""
    from mlflow.store.tracking.dbmodels.models import SqlDataset
    from sqlalchemy import select
    from sqlalchemy.dialects.sqlite import insert

    rows = [dataset_row(dataset, experiments[dataset.name]) for dataset in datasets]
    session.execute(insert(SqlDataset).on_conflict_do_nothing(), rows)
    # Somebody may have logged the same version under an id of MLflow's own.
    return {
        row["dataset_uuid"]: session.scalars(
            select(SqlDataset.dataset_uuid).filter_by(
                experiment_id=row["experiment_id"], name=row["name"], digest=row["digest"]
            )
        ).one()
        for row in rows
    }
