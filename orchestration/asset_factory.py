"""One factory for all assets: from a node, which names inputs and says how it is made, to what Dagster runs and shows.

The dry run asks the same nodes what is stale, so that it and Dagster's page cannot disagree.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.dagster_metadata import VERSION, key, materialised, user_errors_as_failures
from orchestration.home import Home, transitive_version
from orchestration.lineage import Event
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.study.record import AssetRecord

logger = logging.getLogger(__name__)
NOT_DRAWN = "not_drawn"


@dataclass(frozen=True)
class Making:
    """What a node is given to make its asset with.

    Attributes:
        home: everything the work reads and writes, with the versions of its inputs that are recorded.
        out: the folder for its files.
        run: Dagster's run id.
    """

    home: Home
    out: Path
    run: str

    @property
    def read(self) -> dict[str, Path]:
        """Folders of its inputs by key."""
        return {asset: self.home.folder(event) for asset, event in self.home.lineage.pinned.items()}


@dataclass(frozen=True)
class Node:
    """An asset as data.

    Attributes:
        asset: its key.
        group: what Dagster shows it under.
        inputs: keys of the assets it reads.
        version: hash of the settings and the code that make it.
        make: writes its files.
        show: what a person sees of a version, beside its facts; pictures and tables.
        publish: puts a version where people look for it, even where it was there already.
        description: one line.
        kinds: badges in Dagster.
        checks: descriptions of its checks by name.
        files: signature of what is read outside the store; UserError where it is not there.
        cells: gives the trainings at most; asked only where they are shown, since it loads the model.
    """

    asset: str
    group: str
    inputs: Sequence[str]
    version: str
    make: Callable[[Making], AssetRecord]
    show: Callable[[Home, Event], Mapping[str, Any]]
    description: str
    kinds: frozenset[str]
    checks: Mapping[str, str] = field(default_factory=dict)
    publish: Callable[[Home, Event], None] = lambda home, event: None
    files: Callable[[Settings], str] = lambda settings: ""
    cells: Callable[[], int] = lambda: 0


def assets_of(nodes: Sequence[Node], settings: Settings, study: Mapping[str, Any]) -> list[dg.AssetsDefinition]:
    """Dagster's definitions of a study's nodes, upstream first; `study` is what its file says, as JSON."""
    versions = transitive_versions(nodes, settings)
    return [_asset(node, versions[node.asset], study) for node in nodes]


def transitive_versions(nodes: Sequence[Node], settings: Settings) -> dict[str, str]:
    """By asset the code version that Dagster is given; nodes are given upstream first.

    It covers the versions of all that is upstream and the files that are read, so that Dagster marks everything after
    a change as unsynced.
    """
    versions: dict[str, str] = {}
    for node in nodes:
        upstream = [versions[each] for each in node.inputs]
        versions[node.asset] = transitive_version(node.version, _files(node, settings), upstream)
    return versions


def _files(node: Node, settings: Settings) -> str:
    try:
        return node.files(settings)
    except UserError:
        return "not there"


def _asset(node: Node, code_version: str, study: Mapping[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=key(node.asset),
        deps=[key(each) for each in node.inputs],
        group_name=node.group,
        kinds=set(node.kinds),
        code_version=code_version,
        description=node.description,
        check_specs=[
            dg.AssetCheckSpec(name, asset=key(node.asset), description=text) for name, text in node.checks.items()
        ],
    )
    @user_errors_as_failures
    def asset(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        event = home.produce(
            node.asset,
            run=context.run.run_id,
            code_version=node.version,
            inputs=node.inputs,
            build=lambda out, as_read: node.make(Making(as_read, out, context.run.run_id)),
            also_depends_on=node.files(home.settings),
            study=study,
        )
        node.publish(home, event)
        shown = _shown_before(context, event) or _shown(node, home, event)
        return materialised(event, shown)

    return asset


def _shown_before(context: dg.AssetExecutionContext, event: Event) -> Mapping[str, Any]:
    """What Dagster already shows of a reused version, pictures too; empty where its newest is another one."""
    if not event.reused:
        return {}
    record = context.instance.get_latest_materialization_event(key(event.asset))
    before = record.asset_materialization.metadata if record and record.asset_materialization else {}
    of_this_version = before.get(VERSION) == dg.MetadataValue.text(event.fingerprint)
    return before if of_this_version and NOT_DRAWN not in before else {}


def _shown(node: Node, home: Home, event: Event) -> Mapping[str, Any]:
    """Decorations are for people, and fail nothing: an asset whose pictures are away is as good as before."""
    try:
        return node.show(home, event)
    except Exception as error:  # a picture, a plot or a preview can fail in any way
        logger.warning("%s: could not be drawn: %s: %s", node.asset, type(error).__name__, error)
        return {NOT_DRAWN: f"{type(error).__name__}: {error}"}
