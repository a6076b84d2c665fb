"""Lineage: one JSON event beside each materialisation, with the exact inputs and their hashes.

Names follow OpenLineage: a run produces dataset versions from dataset versions.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.store import write_text
from recsys.study.record import Check


class Input(BaseModel):
    """A version that was read."""

    model_config = ConfigDict(frozen=True)

    asset: str
    fingerprint: str
    content_hash: str


class Event(BaseModel):
    """One materialisation of an asset.

    Attributes:
        asset: the asset's key, its parts joined by `/`.
        run: Dagster's run id.
        code_version: hash of the code and the settings that make it.
        transitive_version: hash of the code versions and outside files of it and of all that it was made from.
        fingerprint: hash of the code, the settings and the inputs; names the version's folder.
        content_hash: hash of what was written; equal content has equal hashes whatever produced it.
        path: the version's folder, relative to the store.
        reused: the version was there already and nothing was computed.
        facts: what a person is shown: counts, choices, checks.
        mlflow_runs: the runs that belong to the version.
        failures: one line for each model that was left out because it failed.
        worth_another_try: a part failed for what was wrong with the machine; the next run makes the version again.
        study: names the study's settings at the time, which the home folder keeps; empty for older events.
    """

    model_config = ConfigDict(frozen=True)

    event_id: str = Field(default_factory=lambda: uuid4().hex)
    asset: str
    run: str
    started: datetime
    ended: datetime = Field(default_factory=lambda: datetime.now(UTC))
    code_version: str
    transitive_version: str = ""
    fingerprint: str
    content_hash: str
    path: str
    inputs: tuple[Input, ...] = ()
    rows: int | None = None
    reused: bool = False
    checks: tuple[Check, ...] = ()
    facts: dict = Field(default_factory=dict)
    mlflow_runs: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    worth_another_try: bool = False
    study: str = ""

    @property
    def seconds(self) -> float:
        """How long the materialisation took."""
        return (self.ended - self.started).total_seconds()


class Lineage:
    """The events under a folder, one folder an asset.

    Attributes:
        root: the folder.
        pinned: events whose versions stay the newest of their assets, by asset.
    """

    def __init__(self, root: Path, pinned: Iterable[Event] = ()) -> None:
        """The lineage kept in a folder, which is made when first written to.

        What is `pinned` stays, whatever is materialised meanwhile: work of hours must not end on other inputs than
        those that it began with and is recorded with.
        """
        self.root = root
        self.pinned = {event.asset: event for event in pinned}

    def record(self, event: Event) -> None:
        """Put an event in its place, whole."""
        name = f"{event.ended:%Y%m%dT%H%M%S.%f}-{event.event_id[:8]}.json"
        write_text(self.root / event.asset / name, event.model_dump_json(indent=1))

    def latest(self, asset: str, run: str | None = None) -> Event | None:
        """The newest event of an asset, or the newest that a run recorded, pinned or not; None if there is none."""
        if run is None and asset in self.pinned:
            return self.pinned[asset]
        newest_first = sorted((self.root / asset).glob("*.json"), reverse=True)
        events = (event for file in newest_first if (event := _read(file)))
        return next((event for event in events if run in (None, event.run)), None)

    def events(self) -> Iterator[Event]:
        """All events, oldest first for each asset."""
        for file in sorted(self.root.rglob("*.json")):
            if event := _read(file):
                yield event

    def assets(self) -> list[str]:
        """Keys of all assets that were materialised at least once."""
        return sorted({str(file.parent.relative_to(self.root)) for file in self.root.rglob("*.json")})


def computing_events(events: Iterable[Event]) -> dict[tuple[str, str], Event]:
    """The event that computed each (asset, fingerprint) last; `events` oldest first.

    Later events found the version again, unless it was damaged, or a part had failed for want of memory and was made
    again: then its content differs, though what it depends on does not. Where a copied home lacks the event that
    computed a version, the first that found it stands in.
    """
    found: dict[tuple[str, str], Event] = {}
    for event in events:
        version = event.asset, event.fingerprint
        if not event.reused or version not in found:
            found[version] = event
    return found


def _read(file: Path) -> Event | None:
    """An event; one whose file is damaged counts as not recorded."""
    try:
        return Event.model_validate_json(file.read_bytes())
    except ValidationError:
        return None
