"""The home folder, and the one way in which any asset is produced."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestration.fingerprints import content_hash
from orchestration.lineage import Check, Event, Input, Lineage
from orchestration.progress import LogProgress, Progress
from orchestration.settings import Settings
from orchestration.storage import Store
from orchestration.tracking import Tracker
from recsys.errors import UserError
from recsys.fingerprints import fingerprint

OUTCOME = "outcome.json"


@dataclass(frozen=True)
class Outcome:
    """What building an asset says of itself, beside the files it wrote.

    Attributes:
        facts: small values for a person and for assets downstream (JSON).
        rows: rows of the main table.
        checks: what was checked on the way.
        mlflow_runs: ids of the runs that belong to it.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None
    checks: tuple[Check, ...] = ()
    mlflow_runs: tuple[str, ...] = ()


class Home:
    """Everything a study's work reads and writes."""

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        """The home that the settings name; `progress` is told of long work."""
        self.settings = settings
        self.progress: Progress = progress or LogProgress()
        self.store = Store(settings.store)
        self.lineage = Lineage(settings.lineage)

    @cached_property
    def tracker(self) -> Tracker:
        """MLflow on this home."""
        return Tracker(self.settings)

    def current(self, asset: str) -> Event:
        """The newest version of an asset; UserError if there is none."""
        event = self.lineage.latest(asset)
        if event is None or not self.folder(event).is_dir():
            raise UserError(
                f"asset {asset} has not been materialised yet: materialise it first, or select '+' upstream"
            )
        return event

    def folder(self, event: Event) -> Path:
        """Where a version's files are."""
        return self.settings.store / event.path

    def produce(
        self,
        asset: str,
        *,
        run: str,
        code_version: str,
        inputs: Sequence[str],
        build: Callable[[Path, dict[str, Path]], Outcome],
        also_depends_on: str = "",
    ) -> Event:
        """Materialise an asset, or find that the very version is there already.

        Args:
            asset: its key.
            run: Dagster's run id, for the lineage.
            code_version: hash of the settings and the code that make it.
            inputs: keys of the assets it reads.
            build: writes its files into a folder; is given the folders of the inputs by key.
            also_depends_on: signature of files outside the store.
        """
        started = datetime.now(UTC)
        with self.store.lock(asset):
            read = [self.current(key) for key in inputs]
            version = fingerprint(code_version, {e.asset: e.content_hash for e in read}, also_depends_on)
            folder = self.store.find(asset, version)
            reused = folder is not None
            if folder is None:
                folder = self.store.write(asset, version, lambda pending: self._fill(pending, build, read))
            said = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
            event = Event(
                asset=asset,
                run=run,
                started=started,
                code_version=code_version,
                fingerprint=version,
                path=f"{asset}/{version}",
                inputs=tuple(Input(**e.model_dump(include=set(Input.model_fields))) for e in read),
                reused=reused,
                **said,
            )
            self.lineage.record(event)
        return event

    def _fill(self, pending: Path, build: Callable[[Path, dict[str, Path]], Outcome], read: list[Event]) -> None:
        outcome = build(pending, {event.asset: self.folder(event) for event in read})
        said = {
            "content_hash": content_hash(pending),
            "facts": outcome.facts,
            "rows": outcome.rows,
            "checks": [check.model_dump() for check in outcome.checks],
            "mlflow_runs": outcome.mlflow_runs,
        }
        (pending / OUTCOME).write_text(json.dumps(said, indent=1, default=str), encoding="utf-8")
