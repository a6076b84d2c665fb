"""What a run would do: each asset up to date, stale or missing, and how many cells it may need at most."""

from dataclasses import dataclass
from typing import Literal

from assets.study_nodes import study_nodes
from orchestration import keys
from orchestration.asset_factory import Node
from orchestration.home import Home, version_of
from recsys.study.applicable import left_out
from recsys.study.study import Study

State = Literal["missing", "stale", "up to date"]


@dataclass(frozen=True)
class Step:
    """One asset of a run.

    Attributes:
        asset: its key.
        state: `up to date` where the very version is in the store.
        why: what has changed, or why a model is left out; empty where nothing has and it is not.
        cells: trainings at most; those that are stored already are not run again.
    """

    asset: str
    state: State
    why: str
    cells: int


def plan(study: Study, home: Home, select: str | None) -> list[Step]:
    """The assets that a run would touch, upstream first."""
    from orchestration.materialise import selected

    nodes = {node.asset: node for node in study_nodes(study)}
    steps: list[Step] = []
    changing: set[str] = set()
    for asset in selected(study, home.settings, select):
        state, why = _state(home, nodes[asset], changing)
        if state != "up to date":
            changing.add(asset)
        most = 0 if state == "up to date" else nodes[asset].cells
        if unfit := _left_out(study, asset, home):
            why, most = unfit, 0
        steps.append(Step(asset, state, why, most))
    return steps


def _left_out(study: Study, asset: str, home: Home) -> str:
    """Why the model of an asset cannot run on its dataset, as far as the dataset has been read."""
    dataset, kind, *rest = asset.split("/")
    read = home.lineage.latest(keys.dataset(dataset))
    return left_out(study, dataset, rest[0], read.facts, {}) if kind == "models" and read else ""


def _state(home: Home, node: Node, changing: set[str]) -> tuple[State, str]:
    latest = home.lineage.latest(node.asset)
    if latest is None:
        return "missing", "never computed"
    first = next((each for each in node.inputs if each in changing), None)
    if first:
        return "stale", f"{first} comes first"
    inputs = {event.asset: event.content_hash for each in node.inputs if (event := home.lineage.latest(each))}
    files = node.files(home.settings)
    if home.store.find(node.asset, version_of(node.version, inputs, files)):
        return "up to date", ""
    if latest.code_version != node.version:
        return "stale", "its code or settings have changed"
    if {read.asset: read.content_hash for read in latest.inputs} != inputs:
        return "stale", "an input has changed"
    return "stale", "its files have changed" if files else "its version is not in the store"
