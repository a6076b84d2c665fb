"""Verdicts as tables on the command line."""

from collections.abc import Collection, Mapping
from typing import Any

from rich.table import Table

from assets.controls import judges
from assets.verdict import Judgement
from orchestration import keys
from orchestration.cli.console import table, tick
from orchestration.home import Home
from orchestration.study import Study
from recsys.evidence.wording import percent, probability


def judgements(study: Study, home: Home) -> dict[str, Judgement]:
    """The newest verdict of each dataset that has one."""
    events = {name: home.lineage.latest(keys.verdict(name)) for name in study.datasets}
    return {name: Judgement.load(home.folder(event)) for name, event in events.items() if event}


def sentences(study: Study, home: Home, assets: Collection[str]) -> list[str]:
    """One sentence for each dataset concluded among the assets: its verdict, or the best model without one."""
    told = []
    for name in study.datasets:
        concluded = keys.verdict(name) if judges(study, name) else keys.metrics(name)
        event = home.lineage.latest(concluded)
        if event and concluded in assets:
            told.append(f"{name}: {event.facts['sentence']}")
    return told


def verdict_table(study: Study, home: Home, judged: Mapping[str, Judgement]) -> Table:
    """One row a dataset; for synthetic markets also whether the planted truth was found."""
    truths = {name: drivers for name in judged if (drivers := _drivers(home, name)) is not None}
    columns = ["dataset", "verdict", ">lift", "95 % interval", ">p", "against shuffled", "sources named"]
    made = table(
        *columns,
        *(["planted truth"] if truths else []),
        title=f"Study {study.name}: content against the best model without it",
    )
    for name, judgement in judged.items():
        rival, shuffled = judgement.overall.against_rival, judgement.overall.against_shuffled
        named = sorted(source.source for source in judgement.by_source if source.named)
        row = [
            name,
            judgement.overall.name.replace("_", " "),
            percent(rival.lift, signed=True),
            f"{percent(rival.lift_low, signed=True)} to {percent(rival.lift_high, signed=True)}",
            probability(rival.p_value).removeprefix("p ").removeprefix("= "),
            f"{percent(shuffled.lift, signed=True)}, {probability(shuffled.p_value)}",
            ", ".join(named) or "none",
        ]
        if name in truths:
            row.append(_agreement(truths[name], judgement.overall.name == "helps", named))
        made.add_row(*row)
    return made


def _drivers(home: Home, dataset: str) -> list[str] | None:
    """The sources that drive choice in a synthetic market; None where nobody knows."""
    event = home.lineage.latest(keys.dataset(dataset))
    truth: dict[str, Any] = (event.facts.get("truth") or {}) if event else {}
    return sorted(truth["drivers"]) if "drivers" in truth else None


def _agreement(drivers: list[str], helps: bool, named: list[str]) -> str:
    agrees = helps == bool(drivers) and named == drivers
    expected, found = (", ".join(sources) or "no source" for sources in (drivers, named))
    return f"{tick(agrees)} expected {expected}, found {found}"
