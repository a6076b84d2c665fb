"""What is written to MLflow, whatever state it is in: a record for people must not fail what it records.

Its database may be locked, moved, damaged or of another version. Then a line says so, training goes on, and what could
not be written waits in the home folder until a later run or `modalift ui` finds MLflow well.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar
from uuid import uuid4

from orchestration.addresses import EXPERIMENTS, Addresses
from orchestration.mlflow_database import first_line
from orchestration.mlflow_views import View
from orchestration.tracked import TrackedDataset, TrackedTraining
from orchestration.tracking import Tracker
from recsys.errors import UserError
from recsys.store import write_text

T = TypeVar("T")
PAUSE_SECONDS = 300.0
"""How long MLflow is left alone after it failed: it may take half a minute to say that its database is locked."""
REFUSED = "INVALID_PARAMETER_VALUE"
"""MLflow's error code for what it will never take, such as a metric whose name has an `@`."""
LATER = "they are written when it works again"


class GuardedTracker:
    """The tracker of a home; none of its methods fails."""

    def __init__(self, tracker: Tracker, note: Callable[[str], None]) -> None:
        """`note` receives lines that a person should read."""
        self.direct, self.note = tracker, note
        self.waiting = tracker.settings.mlflow_waiting
        self._try_at = 0.0
        self._refused: set[str] = set()

    def log_all(self, trainings: Sequence[TrackedTraining]) -> None:
        """Write trainings, now or later."""
        if not self._tried(lambda: self._log(trainings), f"its runs of {_datasets(trainings)} wait, {LATER}"):
            self._keep({"trainings": [asdict(training) for training in trainings]})

    def add_metrics(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Give runs further metrics, now or later."""
        if not self._tried(lambda: self.direct.add_metrics(metrics), f"metrics of its runs wait, {LATER}"):
            self._keep({"metrics": metrics})

    def save_view(self, dataset: str, view: View) -> str:
        """Save a view; gives its address, or that of MLflow's first page."""
        addresses: list[str] = []
        self._tried(
            lambda: addresses.append(self.direct.save_view(dataset, view)), "links lead to its first page instead"
        )
        return addresses[0] if addresses else f"{Addresses(self.direct.settings).mlflow}{EXPERIMENTS}"

    def catch_up(self) -> None:
        """Write what waits, if MLflow works again."""
        if any(self.waiting.glob("*.json")):
            self._tried(lambda: None, "what waits for it goes on waiting")

    def _tried(self, write: Callable[[], Any], else_: str) -> bool:
        """Write, after what waits; a failure is noted once, and nothing is tried for a while after it."""
        if time.monotonic() < self._try_at:
            return False
        try:
            self._write_waiting()
            write()
        except Exception as error:  # SQLAlchemy's, MLflow's, the operating system's
            self._try_at = time.monotonic() + PAUSE_SECONDS
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            self.note(f"MLflow cannot be written to ({kind}{first_line(error)}): {else_}")
            return False
        return True

    def _log(self, trainings: Sequence[TrackedTraining]) -> None:
        """Write trainings, without those that MLflow refuses for a name or a value: they would be refused for ever."""
        from mlflow.exceptions import MlflowException

        try:
            self.direct.log_all(trainings)
        except MlflowException as error:
            if error.error_code != REFUSED:
                raise
            if len(trainings) > 1:
                for each in trainings:
                    self._log([each])
                return
            line = (
                f"MLflow does not take runs of {_datasets(trainings)} ({first_line(error)}): they are left out there"
            )
            if line not in self._refused:
                self._refused.add(line)
                self.note(line)

    def _keep(self, what: Mapping[str, Any]) -> None:
        write_text(self.waiting / f"{time.time_ns()}-{uuid4().hex[:8]}.json", json.dumps(what, default=str))

    def _write_waiting(self) -> None:
        for file in sorted(self.waiting.glob("*.json")):
            try:
                kept = json.loads(file.read_text(encoding="utf-8"))
                trainings, metrics = [_training(each) for each in kept.get("trainings", ())], kept.get("metrics")
            except FileNotFoundError:  # another process has written it
                continue
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                file.replace(file.with_suffix(".unreadable"))
                self.note(f"{file}: cannot be read ({error}); its runs are left out of MLflow")
                continue
            if trainings:
                self._log(trainings)
            if metrics:
                self.direct.add_metrics(metrics)
            file.unlink(missing_ok=True)


def _training(kept: dict[str, Any]) -> TrackedTraining:
    return TrackedTraining(**kept | {"dataset": TrackedDataset(**kept["dataset"])})


def _datasets(trainings: Sequence[TrackedTraining]) -> str:
    return ", ".join(dict.fromkeys(training.dataset.name for training in trainings))
