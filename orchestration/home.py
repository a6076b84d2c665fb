"""The home folder, and the one way in which any asset is produced."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from orchestration.lineage import Event, Input, Lineage
from orchestration.mlflow_guard import GuardedTracker
from orchestration.progress import LogProgress, Progress
from orchestration.settings import Settings
from orchestration.tracking import Tracker
from recsys.engine.slots import Slots, default_workers
from recsys.engine.stored import StoredCell, place
from recsys.errors import UserError
from recsys.fingerprints import fingerprint
from recsys.intact import damaged
from recsys.store import Store, content_hash, write_text
from recsys.study.record import AssetRecord
from recsys.study.results import RESULT, ModelResult

RECORD = "outcome.json"


class Home:
    """Everything a study's work reads and writes; `tracker` is MLflow on this home, which fails nothing."""

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        """The home that the settings name; `progress` shows long work."""
        self.settings = settings
        self.progress: Progress = progress or LogProgress()
        self.store = Store(settings.store)
        self.lineage = Lineage(settings.lineage)
        self.tracker = GuardedTracker(Tracker(settings, self.progress.note), self.progress.note)

    def as_read(self, events: Sequence[Event]) -> "Home":
        """The same home, in which the newest versions of these events' assets are the ones that were read."""
        seen = copy(self)
        seen.lineage = Lineage(self.settings.lineage, events)
        return seen

    @cached_property
    def slots(self) -> Slots:
        """Where cells run side by side."""
        return Slots(self.settings.workers or default_workers())

    def has(self, asset: str) -> bool:
        """Whether an asset has a version whose files are there and whole."""
        event = self.lineage.latest(asset)
        return event is not None and self.is_whole(event)

    def current(self, asset: str) -> Event:
        """The newest version of an asset; UserError if there is none, or a file of it is damaged or gone."""
        event = self.lineage.latest(asset)
        if event is None or not self.folder(event).is_dir():
            raise UserError(f"{asset} has not been computed yet: `modalift run` computes it with all that it needs")
        self.whole(event.asset, event.fingerprint)
        return event

    def folder(self, event: Event) -> Path:
        """Where a version's files are."""
        return self.settings.store / event.path

    def whole(self, asset: str, version: str) -> Path:
        """The folder of a version of an asset or of a cell; UserError where it or a file of it is damaged or gone."""
        folder = self.settings.store / asset / version
        if not folder.is_dir():
            raise UserError(f"{folder}: is not there any more; `modalift run` computes it anew")
        if file := damaged(folder):
            raise UserError(f"{file}: is damaged or gone; `modalift run` computes it anew")
        return folder

    def is_whole(self, event: Event) -> bool:
        """Whether all files of a version can be read, those of the cells that were trained for it included."""
        return self.folder(event).is_dir() and self._damage(event.asset, self.folder(event)) is None

    def _damage(self, asset: str, folder: Path) -> Path | None:
        """A file of a version, or of a final cell that was trained for it, that is damaged or gone."""
        if file := damaged(folder):
            return file
        if not _record(folder)["mlflow_runs"] or not (folder / RESULT).is_file():
            return None
        cells = self.settings.store / place(asset.split("/")[0])
        finals = [cells / each for arm in ModelResult.load(folder).arms for each in arm.finals]
        return next((file for cell in finals if (file := damaged(cell) if cell.is_dir() else cell)), None)

    def cell(self, dataset: str) -> Callable[[str], StoredCell]:
        """What gives a dataset's cells by their fingerprints; UserError where a file of one is damaged."""
        return lambda fingerprint: StoredCell.load(self.whole(place(dataset), fingerprint))

    def produce(
        self,
        asset: str,
        *,
        run: str,
        code_version: str,
        inputs: Sequence[str],
        build: Callable[[Path, "Home"], AssetRecord],
        also_depends_on: str = "",
        study: Mapping[str, Any] | None = None,
    ) -> Event:
        """Materialise an asset, or find that the very version is there already.

        Args:
            asset: its key.
            run: Dagster's run id, for the lineage.
            code_version: hash of the settings and the code that make it.
            inputs: keys of the assets it reads.
            build: writes its files into a folder; is given this home with the very versions of the inputs that are
                recorded, whatever is materialised while it works.
            also_depends_on: signature of files outside the store.
            study: settings of the study at this time, to be compared with later ones.
        """
        started = datetime.now(UTC)
        with self.store.lock(asset):
            read = [self.current(key) for key in inputs]
            version = version_of(code_version, {e.asset: e.content_hash for e in read}, also_depends_on)
            folder = self.store.find(asset, version)
            reused = folder is not None and self._can_be_used(asset, folder)
            if folder is None or not reused:
                fill = partial(self._fill, build=build, read=read)
                folder = self.store.write(asset, version, fill, replace=True)
            record = _record(folder)
            event = Event(
                asset=asset,
                run=run,
                started=started,
                code_version=code_version,
                transitive_version=transitive_version(
                    code_version, also_depends_on, [e.transitive_version for e in read]
                ),
                fingerprint=version,
                path=f"{asset}/{version}",
                inputs=tuple(Input(**e.model_dump(include=set(Input.model_fields))) for e in read),
                reused=reused,
                study=self._keep_study(study) if study else "",
                **record,
            )
            self.lineage.record(event)
        return event

    def study_of(self, event: Event) -> dict[str, Any] | None:
        """The study's settings when an asset was materialised; None where they were not kept, or are damaged."""
        file = self.settings.study_versions / f"{event.study}.json"
        try:
            return json.loads(file.read_bytes()) if event.study and file.is_file() else None
        except ValueError:
            return None

    def _can_be_used(self, asset: str, folder: Path) -> bool:
        if file := self._damage(asset, folder):
            self.progress.note(f"{asset}: {file} is damaged or gone, and is computed anew")
            return False
        return not _record(folder)["worth_another_try"]

    def _keep_study(self, study: Mapping[str, Any]) -> str:
        name = fingerprint(study)
        file = self.settings.study_versions / f"{name}.json"
        if not file.is_file():
            write_text(file, json.dumps(study, indent=1))
        return name

    def _fill(self, pending: Path, build: Callable[[Path, "Home"], AssetRecord], read: list[Event]) -> None:
        try:
            record = build(pending, self.as_read(read))
        except FileNotFoundError:
            self._require_unchanged(read)
            raise
        self._require_unchanged(read)
        kept = {
            "content_hash": content_hash(pending),
            "facts": record.facts,
            "rows": record.rows,
            "checks": [check.model_dump() for check in record.checks],
            "mlflow_runs": list(record.mlflow_runs),
            "failures": list(record.failures),
            "worth_another_try": record.worth_another_try,
        }
        (pending / RECORD).write_text(json.dumps(kept, indent=1, default=str), encoding="utf-8")

    def _require_unchanged(self, read: list[Event]) -> None:
        """UserError where an input is not what was read; a version in which something failed is made again."""
        for each in read:
            try:
                unchanged = _record(self.folder(each))["content_hash"] == each.content_hash
            except FileNotFoundError:
                unchanged = False
            if not unchanged:
                raise UserError(f"{each.asset} was made anew meanwhile; run the same command again")


def version_of(code_version: str, inputs: dict[str, str], also_depends_on: str) -> str:
    """The fingerprint of an asset's version, from its code and settings, its inputs' content, and outside files."""
    return fingerprint(code_version, inputs, also_depends_on)


def transitive_version(code_version: str, also_depends_on: str, upstream: Sequence[str]) -> str:
    """What an asset is made by, upstream included: its own code, settings and outside files, and its inputs'."""
    return fingerprint(code_version, also_depends_on, list(upstream))


def _record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))
