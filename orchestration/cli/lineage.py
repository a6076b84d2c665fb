"""`modalift lineage`: what an asset was made from, what was made from it, and whether these are the newest."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.tree import Tree

from orchestration.cli.app import command
from orchestration.cli.console import out, print_json, say, table
from orchestration.cli.options import JsonOption
from orchestration.cli.studies import choose, read_settings
from recsys.errors import UserError
from recsys.store import write_text

if TYPE_CHECKING:
    from orchestration.lineage import Event


@command(
    "lineage",
    "modalift lineage",
    "modalift lineage image_market/verdict",
    "modalift lineage --openlineage events.jsonl",
)
def lineage(
    asset: Annotated[
        str | None, typer.Argument(metavar="[ASSET]", help="Key of an asset, such as image_market/metrics.")
    ] = None,
    as_json: JsonOption = False,
    openlineage: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the events as OpenLineage JSON lines.")
    ] = None,
) -> None:
    """Show what an asset's newest version was made from and what was made from it; without one, all assets."""
    from orchestration.home import Home

    home = Home(read_settings())
    events = sorted(home.lineage.events(), key=lambda event: event.ended)
    if not events:
        raise UserError(f"{home.settings.home}: nothing has been materialised yet; `modalift run demo` does")
    graph = Graph(events)
    node = graph.newest[choose(asset, sorted(graph.newest), "materialised asset")] if asset else None
    shown = [*graph.upstream(node), *graph.downstream(node)] if node else events
    if openlineage:
        _export(openlineage, events, {event.event_id for event in shown})
    elif node is None:
        _show_all(graph, as_json)
    elif as_json:
        _print_json(graph, node)
    else:
        _show_tree(graph, node)


@dataclass(frozen=True)
class Graph:
    """Materialisations and what leads from one to the next; `events` oldest first."""

    events: "list[Event]"

    @cached_property
    def newest(self) -> "dict[str, Event]":
        """The newest event of each asset."""
        return {event.asset: event for event in self.events}

    @cached_property
    def _made(self) -> "dict[tuple[str, str], Event]":
        """The event that computed each version: later ones found it again."""
        return {(e.asset, e.fingerprint): e for e in reversed(self.events)}

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


def _show_all(graph: Graph, as_json: bool) -> None:
    if as_json:
        print_json([_record(graph, event) for event in graph.newest.values()])
        return
    shown = table("asset", "version", "content", "when", ">rows", "inputs")
    for _, event in sorted(graph.newest.items()):
        shown.add_row(
            event.asset,
            event.fingerprint[:8],
            event.content_hash[:8],
            _when(event),
            _rows(event),
            _freshness(graph, event),
        )
    out.print(shown)


def _show_tree(graph: Graph, node: "Event") -> None:
    for title, step in (("made from", graph.inputs), ("read by", graph.readers)):
        root = Tree(f"{_label(graph, node)} [dim]{title}[/dim]")
        _grow(root, node, step, graph, set())
        out.print(root)
    for line in _provenance(node):
        say(line)


def _provenance(event: "Event") -> list[str]:
    """Which model and prompt wrote a corpus, and with which libraries; none for other assets."""
    from recsys.content.vlm import provenance

    return [f"{what}: {words}" for what, words in provenance.lines(event.facts.get("provenance", {}))]


def _grow(branch: Tree, event: "Event", step: Any, graph: Graph, seen: set[str]) -> None:
    for other in step(event):
        again = other.event_id in seen
        twig = branch.add(f"{other.asset} [dim](above)[/dim]" if again else _label(graph, other))
        if not again:
            seen.add(other.event_id)
            _grow(twig, other, step, graph, seen)


def _label(graph: Graph, event: "Event") -> str:
    version = f"version {event.fingerprint[:8]}, content {event.content_hash[:8]}, {_when(event)}"
    rows = f", {_rows(event)} rows" if event.rows is not None else ""
    return f"[bold]{event.asset}[/bold] {version}{rows}, {_freshness(graph, event)}"


def _freshness(graph: Graph, event: "Event") -> str:
    if event.content_hash != graph.newest[event.asset].content_hash:
        return "[yellow]not the newest version[/yellow]"
    outdated = graph.outdated(event)
    return f"[yellow]newer: {', '.join(outdated)}[/yellow]" if outdated else "[green]inputs are the newest[/green]"


def _when(event: "Event") -> str:
    return f"{event.ended.astimezone():%Y-%m-%d %H:%M}"


def _rows(event: "Event") -> str:
    return "" if event.rows is None else f"{event.rows:,}"
