"""What a home holds that nothing refers to, and how it is freed.

Kept are the newest version of every asset, the versions that these were made from, and the cells of all of them. So is
what a stopped run goes on with: a cell that was trained on the newest version of its dataset after its model was last
made, and batches of an encoding that its newest making used or that came after it. Reports, lineage and MLflow are
left as they are.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from orchestration import keys
from orchestration.home import RECORD, Home
from orchestration.lineage import Event, computing_events
from orchestration.tracked import run_id
from recsys.engine.stored import cell_folders, place, stored_cells
from recsys.store import PENDING, is_abandoned, remove_abandoned
from recsys.study.preparing import VERSIONS

Kind = Literal["versions", "cells", "batches", "leftovers"]


@dataclass(frozen=True)
class Unused:
    """A folder or file that can go.

    Attributes:
        kind: replaced versions of assets, cells of no current result, batches of encodings that are done, or what a
            killed process left.
        path: where it is.
    """

    kind: Kind
    path: Path

    @cached_property
    def size(self) -> int:
        """Bytes of its files."""
        files = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(file.stat().st_size for file in files if file.is_file())


@dataclass(frozen=True)
class Freed:
    """What came of freeing.

    Attributes:
        bytes: that were freed.
        busy: first parts of asset keys (datasets, and studies for their reports) that were skipped, since a process
            is at work on them.
    """

    bytes: int = 0
    busy: list[str] = field(default_factory=list)


def unused(home: Home) -> list[Unused]:
    """All that nothing refers to."""
    references = _References(home)
    return [*_databases(home), *(each for owner in _owners(home) for each in _of(home, owner, references))]


def free(home: Home) -> Freed:
    """Remove it, one dataset after the other; one that a process is at work on is left as it is.

    What is unused is found out anew when a dataset is locked: a run may have gone on since somebody looked.
    """
    freed, busy = sum(_remove(home, each) for each in _databases(home)), []
    for owner in _owners(home):
        with home.store.lock_all(owner) as locked:
            if locked:
                freed += sum(_remove(home, each) for each in _of(home, owner, _References(home)))
            else:
                busy.append(owner)
    return Freed(freed, busy)


class _References:
    """What current results refer to, by the lineage."""

    def __init__(self, home: Home) -> None:
        events = sorted(home.lineage.events(), key=lambda event: event.ended)
        self.newest = {event.asset: event for event in events}
        self.made = {event.asset: event for event in events if not event.reused}
        versions = computing_events(events)
        self.kept: dict[tuple[str, str], Event] = {}
        pending = list(self.newest.values())
        while pending:
            event = pending.pop()
            if self.kept.setdefault((event.asset, event.fingerprint), event) is event:
                inputs = [(each.asset, each.fingerprint) for each in event.inputs]
                pending += [versions[each] for each in inputs if each in versions and each not in self.kept]
        self.runs = {run for event in self.kept.values() for run in event.mlflow_runs}

    def has_version(self, folder: Path, asset: str) -> bool:
        """Whether a version is kept; one without an event yet is newer than its asset's newest."""
        newest = self.newest.get(asset)
        written = (folder / RECORD).stat().st_mtime
        return (asset, folder.name) in self.kept or newest is None or written > newest.ended.timestamp()

    def has_cell(self, dataset: str, folder: Path) -> bool:
        """Whether a kept result refers to a cell, or a stopped run would go on with it."""
        if run_id(dataset, folder.name) in self.runs:
            return True
        cell = next(stored_cells([folder]), None)
        if cell is None:
            return False
        record = cell.record
        data = self.newest.get(keys.dataset(dataset))
        if data is None or record["data_version"] not in data.facts.get(VERSIONS, ()):
            return False
        makers = (keys.model(dataset, record["model"]), keys.controls(dataset))
        made = [self.made[asset].ended.timestamp() for asset in makers if asset in self.made]
        return record["ended"] > min(made, default=0)

    def has_batches(self, folder: Path, asset: str) -> bool:
        """Whether the newest making of an encoding, or one since, has used a folder of batches."""
        made = self.made.get(asset)
        return made is None or folder.stat().st_mtime >= made.started.timestamp()


def _owners(home: Home) -> list[str]:
    """First parts of asset keys."""
    places = (home.settings.store, home.settings.work)
    return sorted({folder.name for place in places if place.is_dir() for folder in place.iterdir() if folder.is_dir()})


def _of(home: Home, owner: str, references: _References) -> Iterator[Unused]:
    store, work = home.settings.store, home.settings.work
    for file in sorted((store / owner).rglob(RECORD)):
        asset = str(file.parent.parent.relative_to(store))
        if not file.parent.name.startswith(PENDING) and not references.has_version(file.parent, asset):
            yield Unused("versions", file.parent)
    for folder in sorted(cell_folders(store)):
        if folder.is_relative_to(store / place(owner)) and not references.has_cell(owner, folder):
            yield Unused("cells", folder)
    for folder in sorted({file.parent for file in (work / owner).rglob("*.parquet")}):
        if not references.has_batches(folder, str(folder.parent.relative_to(work))):
            yield Unused("batches", folder)
    for left in sorted((store / owner).rglob(f"{PENDING}-*")):
        if is_abandoned(left):
            yield Unused("leftovers", left)


def _databases(home: Home) -> list[Unused]:
    """Catalogues whose building was cut off."""
    files = sorted(home.settings.home.glob(f"{PENDING}-*.duckdb*"))
    return [Unused("leftovers", file) for file in files if is_abandoned(file)]


def _remove(home: Home, gone: Unused) -> int:
    size = gone.size
    if gone.kind in ("versions", "cells"):
        home.store.remove(str(gone.path.parent.relative_to(home.settings.store)), gone.path.name)
    elif gone.path.is_file():
        gone.path.unlink(missing_ok=True)
    elif gone.kind == "leftovers":
        remove_abandoned(gone.path)
    else:
        shutil.rmtree(gone.path, ignore_errors=True)
    return size
