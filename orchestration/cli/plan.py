"""What a run would do: each asset up to date, stale or missing, and how many cells it may need at most."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assets.descriptions import outside
from orchestration import keys
from orchestration.applicable import left_out
from orchestration.fingerprints import signature
from orchestration.home import Home
from orchestration.study import Study
from orchestration.study_file import resolve
from recsys.fingerprints import fingerprint

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
    import dagster as dg

    from orchestration.definitions import build_definitions
    from orchestration.materialise import selected

    graph = build_definitions(home.settings, [study]).resolve_asset_graph()
    cells = _most_cells(study)
    steps: list[Step] = []
    changing: set[str] = set()
    for asset in selected(study, home.settings, select):
        node = graph.get(dg.AssetKey(asset.split("/")))
        upstream = sorted(parent.to_user_string() for parent in node.parent_keys)
        state, why = _state(home, asset, node.code_version or "", upstream, changing, _outside(study, asset, home))
        if state != "up to date":
            changing.add(asset)
        most = 0 if state == "up to date" else cells.get(asset, 0)
        if unfit := _left_out(asset, home):
            why, most = unfit, 0
        steps.append(Step(asset, state, why, most))
    return steps


def _left_out(asset: str, home: Home) -> str:
    """Why the model of an asset cannot run on its dataset, as far as the dataset has been read."""
    dataset, kind, *rest = asset.split("/")
    read = home.lineage.latest(keys.dataset(dataset))
    return left_out(rest[0], dataset, read.facts) if kind == "models" and read else ""


def _state(
    home: Home, asset: str, code: str, upstream: list[str], changing: set[str], outside: str
) -> tuple[State, str]:
    latest = home.lineage.latest(asset)
    if latest is None:
        return "missing", "never materialised"
    first = next((parent for parent in upstream if parent in changing), None)
    if first:
        return "stale", f"{first} comes first"
    inputs = {event.asset: event.content_hash for parent in upstream if (event := home.lineage.latest(parent))}
    # The version a run would look for: the same sum as in `Home.produce`.
    if home.store.find(asset, fingerprint(code, inputs, outside)):
        return "up to date", ""
    if latest.code_version != code:
        return "stale", "its code or settings have changed"
    if {read.asset: read.content_hash for read in latest.inputs} != inputs:
        return "stale", "an input has changed"
    return "stale", "its files have changed" if outside else "its version is not in the store"


def _outside(study: Study, asset: str, home: Home) -> str:
    """Signature of the files outside the store that an asset reads."""
    dataset, kind, *rest = asset.split("/")
    spec = study.datasets.get(dataset)
    if spec is None or kind not in ("dataset", "descriptions", "embeddings"):
        return ""
    folder = resolve(spec.source.folder, home.settings, f"dataset {dataset}") if spec.source.folder else None
    if kind == "dataset":
        return signature(*spec.source.places(folder)) if folder else ""
    if kind == "embeddings":
        places = spec.content[rest[0]].places(folder or Path())
        return signature(*places) if places else ""
    return outside(spec.descriptions[rest[0]], folder or Path(), home, dataset)


def _most_cells(study: Study) -> dict[str, int]:
    each = study.tuning.trials + study.seeds
    cells = {}
    for dataset, spec in study.datasets.items():
        for model in study.models:
            cells[keys.model(dataset, model)] = len(study.arms_of(dataset, model)) * each
        # The shuffled control of the choice; for each source its own, the fused arm, and that with it shuffled.
        cells[keys.controls(dataset)] = (1 + 3 * len(spec.content)) * each
    return cells
