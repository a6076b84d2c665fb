"""What a run would do: each asset up to date, stale or missing, and how many cells it may need at most."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assets.study_nodes import study_nodes
from orchestration import keys
from orchestration.asset_factory import Node, transitive_versions
from orchestration.content_widths import KnownDataset
from orchestration.home import Home, version_of
from recsys.study.applicable import left_out
from recsys.study.study import Study

State = Literal["missing", "stale", "up to date"]
SETTINGS_CHANGED = "its code or settings have changed"
FILES_CHANGED = "its files have changed or moved"
DAMAGED = "its version is not in the store, or a file of it is damaged or gone"
AGAIN = "a part failed for want of memory, disk space or the like, and is tried again"
REUSED = "an input's code or settings have changed, not its content: the stored version is used again"


@dataclass(frozen=True)
class Step:
    """One asset of a run.

    Attributes:
        asset: its key.
        state: `up to date` where the newest version is the one that a run would make, as Dagster's page says too.
        why: what has changed, or why a model is left out; empty where nothing has and it is not.
        cells: trainings at most; those that are stored already are not run again.
    """

    asset: str
    state: State
    why: str
    cells: int


def plan(study: Study, home: Home, select: str | None = None) -> list[Step]:
    """The assets that a run would touch, upstream first."""
    from orchestration.materialise import selected

    nodes = {node.asset: node for node in study_nodes(study)}
    versions = transitive_versions(list(nodes.values()), home.settings)
    steps: list[Step] = []
    changing: set[str] = set()
    for asset in selected(study, home.settings, select) if select else nodes:
        state, why = _state(home, nodes[asset], versions[asset], changing)
        if state != "up to date":
            changing.add(asset)
        most = 0 if state == "up to date" or why == REUSED else nodes[asset].cells()
        steps.append(Step(asset, state, why, most))
    return steps


def without_left_out(study: Study, steps: Sequence[Step], known: Mapping[str, KnownDataset]) -> list[Step]:
    """The steps of a plan, where a model that cannot run on a known dataset has the reason and needs no cells."""
    unfit = {
        keys.model(name, model): why
        for name, dataset in known.items()
        for model in study.models
        if (why := left_out(study, name, model, dataset.facts, dataset.widths))
    }
    return [replace(step, why=unfit[step.asset], cells=0) if step.asset in unfit else step for step in steps]


def _state(home: Home, node: Node, wanted: str, changing: Collection[str]) -> tuple[State, str]:
    latest = home.lineage.latest(node.asset)
    if latest is None:
        return "missing", "never computed"
    first = next((each for each in node.inputs if each in changing), None)
    if first:
        return "stale", f"{first} comes first"
    inputs = {event.asset: event.content_hash for each in node.inputs if (event := home.lineage.latest(each))}
    read = {each.asset: each.content_hash for each in latest.inputs}
    stored = home.is_whole(latest)
    if latest.transitive_version == wanted and read == inputs and stored:
        # A model that is too large for this machine has no failures, and is looked at again in no time.
        return ("stale", AGAIN) if latest.worth_another_try and latest.failures else ("up to date", "")
    if latest.code_version != node.version:
        return "stale", SETTINGS_CHANGED
    if read != inputs:
        return "stale", "an input has changed"
    if not stored:
        return "stale", DAMAGED
    if version_of(node.version, inputs, node.files(home.settings)) != latest.fingerprint:
        return "stale", FILES_CHANGED
    return "stale", REUSED
