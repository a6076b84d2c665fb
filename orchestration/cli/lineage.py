"""`modalift lineage`: what an asset was made from, what was made from it, and whether these are the newest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from orchestration.cli.app import command
from orchestration.cli.console import out, print_json, print_rows, say
from orchestration.cli.options import JsonOption
from orchestration.cli.studies import find_study, own_studies, read_settings
from recsys.errors import UserError, hint
from recsys.store import write_text
from recsys.wording import count

if TYPE_CHECKING:
    from orchestration.lineage import Event
    from orchestration.settings import Settings


@command(
    "lineage",
    "modalift lineage",
    "modalift lineage demo",
    "modalift lineage image_market/verdict",
    "modalift lineage --openlineage events.jsonl",
)
def lineage(
    asset: Annotated[
        str | None,
        typer.Argument(
            metavar="[ASSET]", help="Key of an asset, such as image_market/metrics; a study, or a dataset."
        ),
    ] = None,
    as_json: JsonOption = False,
    openlineage: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the events as OpenLineage JSON lines.")
    ] = None,
) -> None:
    """Show what an asset's newest version was made from and what was made from it; without one, all assets.

    Of a study or a dataset, all of its assets.
    """
    from orchestration.home import Home

    home = Home(read_settings(home_is="read"))
    events = sorted(home.lineage.events(), key=lambda event: event.ended)
    if not events:
        raise UserError(f"{home.settings.home}: nothing has been materialised yet; `modalift run STUDY` does")
    graph = Graph(events)
    listed = _listed(graph, asset, home.settings)
    node = graph.newest[_asset(graph, asset, home.settings)] if asset and not listed else None
    shown = [*graph.upstream(node), *graph.downstream(node)] if node else [e for e in events if e.asset in listed]
    if openlineage:
        _export(openlineage, events, {event.event_id for event in shown})
    elif node is None:
        _show_all(graph, listed, as_json)
    elif as_json:
        _print_json(graph, node)
    else:
        _show_tree(graph, node)


def _listed(graph: "Graph", given: str | None, settings: "Settings") -> list[str]:
    """Keys of all assets, or of those of the study or dataset that was given; empty where it is neither.

    Raises:
        UserError: a study of which nothing has been materialised.
    """
    if given is None:
        return sorted(graph.newest)
    datasets = {given.lower()}
    if is_study := given.lower() in {name.lower() for name in own_studies(settings)} or Path(given).is_file():
        study = find_study(given, settings)
        datasets |= {name.lower() for name in (*study.datasets, study.name)}
    found = [key for key in sorted(graph.newest) if key.split("/")[0].lower() in datasets]
    if is_study and not found:
        raise UserError(f"study {study.name} has not been run yet: `modalift run {given}` does")
    return found


def _asset(graph: "Graph", given: str, settings: "Settings") -> str:
    for key in graph.newest:
        if key.lower() == given.lower():
            return key
    groups = {key.split("/")[0] for key in graph.newest}
    known = sorted({*graph.newest, *groups, *own_studies(settings)})
    raise UserError(f"there is no materialised asset '{given}'{hint(given, known, 'modalift lineage')}")


@dataclass(frozen=True)
class Graph:
    """Materialisations and what leads from one to the next; `events` oldest first."""

    events: "list[Event]"

    @cached_property
    def newest(self) -> "dict[str, Event]":
        """The newest version of each asset, by the event that computed it."""
        return {event.asset: self._made[event.asset, event.fingerprint] for event in self.events}

    @cached_property
    def _made(self) -> "dict[tuple[str, str], Event]":
        from orchestration.lineage import computing_events

        return computing_events(self.events)

    def inputs(self, event: "Event") -> "list[Event]":
        """The very versions that an event read."""
        versions = ((read.asset, read.fingerprint) for read in event.inputs)
        return [self._made[version] for version in versions if version in self._made]

    def readers(self, event: "Event") -> "list[Event]":
        """The newest versions of other assets that read an asset, in whatever version."""
        return [e for e in self.newest.values() if event.asset in {read.asset for read in e.inputs}]

    def upstream(self, event: "Event") -> "list[Event]":
        """An event and all that led to it, each once."""
        return _reached(event, self.inputs)

    def downstream(self, event: "Event") -> "list[Event]":
        """All that came of an event, each once."""
        return _reached(event, self.readers)[1:]

    def outdated(self, event: "Event") -> list[str]:
        """The inputs of an event that have since come out differently."""
        newest = self.newest
        return [read.asset for read in event.inputs if newest[read.asset].content_hash != read.content_hash]


def _reached(start: "Event", step: Any) -> "list[Event]":
    found = {(start.asset, start.fingerprint): start}
    waiting = [start]
    while waiting:
        for event in step(waiting.pop(0)):
            if (event.asset, event.fingerprint) not in found:
                found[event.asset, event.fingerprint] = event
                waiting.append(event)
    return list(found.values())


def _export(file: Path, events: "Iterable[Event]", wanted: set[str]) -> None:
    from orchestration.exports import openlineage

    lines = list(openlineage(event for event in events if event.event_id in wanted))
    write_text(file.absolute(), "".join(f"{line}\n" for line in lines))
    say(f"{file}: {len(lines)} OpenLineage events")


def _record(graph: Graph, event: "Event") -> dict[str, Any]:
    outdated = graph.outdated(event)
    return {
        "asset": event.asset,
        "fingerprint": event.fingerprint,
        "content_hash": event.content_hash,
        "run": event.run,
        "ended": event.ended.isoformat(),
        "rows": event.rows,
        **({"provenance": event.facts["provenance"]} if "provenance" in event.facts else {}),
        "newest": event.content_hash == graph.newest[event.asset].content_hash,
        "inputs": [read.model_dump() | {"newest": read.asset not in outdated} for read in event.inputs],
    }


def _print_json(graph: Graph, node: "Event") -> None:
    upstream = [_record(graph, event) for event in graph.upstream(node)[1:]]
    downstream = [_record(graph, event) for event in graph.downstream(node)]
    print_json(_record(graph, node) | {"upstream": upstream, "downstream": downstream})


def _show_all(graph: Graph, listed: "Sequence[str]", as_json: bool) -> None:
    events = [graph.newest[key] for key in listed]
    if as_json:
        print_json([_record(graph, event) for event in events])
        return
    rows: list[dict[str, str | Text]] = [
        {
            "asset": event.asset,
            "version": event.fingerprint[:8],
            "content": event.content_hash[:8],
            "made": _when(event),
            ">rows": _rows(event),
            "inputs": _inputs(graph, event),
        }
        for event in events
    ]
    print_rows(rows, "content", "version")


def _show_tree(graph: Graph, node: "Event") -> None:
    out.print(_label(graph, node))
    steps = (("Made from", graph.inputs, "the source alone"), ("Read by", graph.readers, "nothing yet"))
    for title, step, nothing in steps:
        if step(node):
            root = Tree(f"{title}:")
            _grow(root, node, step, graph, set())
            out.print(root)
        else:
            say(f"{title}: {nothing}")
    for line in _provenance(node):
        say(line)


def _provenance(event: "Event") -> list[str]:
    """Which model, prompt and libraries made descriptions or vectors; none for other assets."""
    from recsys.content import provenance

    return [f"{what}: {words}" for what, words in provenance.lines(event.facts.get("provenance", {}))]


def _grow(branch: Tree, event: "Event", step: Any, graph: Graph, seen: set[str]) -> None:
    for other in step(event):
        again = other.event_id in seen
        twig = branch.add(Text.assemble(other.asset, (" (above)", "dim")) if again else _label(graph, other))
        if not again:
            seen.add(other.event_id)
            _grow(twig, other, step, graph, seen)


def _label(graph: Graph, event: "Event") -> Text:
    """An asset, and first of all whether it is up to date; a narrow terminal breaks the rest of the line."""
    rows = f", {count(event.rows, 'row')}" if event.rows is not None else ""
    version = f" (version {event.fingerprint[:8]}, content {event.content_hash[:8]}, made {_when(event)}{rows})"
    return Text.assemble((event.asset, "bold"), ": ", _freshness(graph, event), version)


def _freshness(graph: Graph, event: "Event") -> Text:
    if event.content_hash != graph.newest[event.asset].content_hash:
        return Text("not the newest version", "yellow")
    if not event.inputs:
        return Text("the newest", "green")
    return Text("inputs are the newest", "green") if not graph.outdated(event) else _inputs(graph, event)


def _inputs(graph: Graph, event: "Event") -> Text:
    """Whether the inputs of an asset are the newest, in a column of that name."""
    if not event.inputs:
        return Text("none")
    outdated = graph.outdated(event)
    return Text(f"newer: {', '.join(outdated)}", "yellow") if outdated else Text("the newest", "green")


def _when(event: "Event") -> str:
    return f"{event.ended.astimezone():%Y-%m-%d %H:%M}"


def _rows(event: "Event") -> str:
    return "" if event.rows is None else f"{event.rows:,}"
