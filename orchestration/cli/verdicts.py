"""Verdicts as tables on the command line."""

from collections.abc import Collection, Mapping

from rich.table import Table

from orchestration import keys
from orchestration.cli.console import table, tick
from orchestration.home import Home
from recsys.analyses.base import HEADLINE
from recsys.analyses.registry import applicable
from recsys.evidence.sources_wording import named_in_words
from recsys.evidence.wording import interval, p_cell, probability
from recsys.study.judgement import Judgement
from recsys.study.selection import has_verdict
from recsys.study.study import Study
from recsys.study.truth import TruthRow, planted
from recsys.wording import percent


def judgements(study: Study, home: Home) -> dict[str, Judgement]:
    """The newest verdict of each dataset that has one."""
    found = {name: judgement(study, home, name) for name in study.datasets}
    return {name: judged for name, judged in found.items() if judged}


def judgement(study: Study, home: Home, name: str) -> Judgement | None:
    """The newest verdict of a dataset; None where there is none, or the study no longer asks for one."""
    event = home.lineage.latest(keys.verdict(name))
    return Judgement.load(home.whole(event.asset, event.fingerprint)) if event and has_verdict(study, name) else None


def sentences(study: Study, home: Home, assets: Collection[str]) -> list[str]:
    """What each dataset concluded among the assets says: its verdict, or the best model without one, and advice."""
    found = []
    for name in study.datasets:
        concluded = keys.verdict(name) if has_verdict(study, name) else keys.metrics(name)
        event = home.lineage.latest(concluded)
        if event and concluded in assets:
            found.append(f"{name}: {event.facts['sentence']}")
            answered = event.facts.get("verdict") != "not_ready"
            beside = [event.facts.get("advice", ""), *(_headline(study, name, home, assets) if answered else [])]
            found += [f"  {sentence}" for sentence in beside if sentence]
    return found


def _headline(study: Study, name: str, home: Home, assets: Collection[str]) -> list[str]:
    """What analyses among the assets say beside a dataset's verdict: who loses, and how many settings agree."""
    analyses = [asset for key in applicable(study, name) if (asset := keys.analysis(name, key)) in assets]
    events = [event for asset in analyses if (event := home.lineage.latest(asset))]
    return [sentence for event in events for sentence in event.facts.get(HEADLINE, ())]


def verdict_table(study: Study, home: Home, judged: Mapping[str, Judgement]) -> Table:
    """One row per dataset; for synthetic markets also whether the planted truth was found."""
    truths = _truth(study, home, judged)
    columns = ["dataset", "verdict", ">lift", "95 % interval", ">p", "against shuffled", "sources named"]
    made = table(
        *columns,
        *(["planted truth"] if truths else []),
        title=f"Study {study.name}: content against the best model without it",
    )
    for name, judgement in judged.items():
        rival, shuffled = judgement.overall.against_rival, judgement.overall.against_shuffled
        row = [
            name,
            judgement.overall.name.replace("_", " "),
            percent(rival.lift, signed=True),
            interval(rival.lift_low, rival.lift_high),
            p_cell(rival.p_value),
            percent(shuffled.lift, signed=True)
            + (f", {probability(shuffled.p_value)}" if shuffled.error.known else ", one repeat"),
            named_in_words(judgement.sources) or "none",
        ]
        if name in truths:
            row.append(_agreement(truths[name]))
        made.add_row(*row)
    return made


def _truth(study: Study, home: Home, judged: Mapping[str, Judgement]) -> dict[str, list[TruthRow]]:
    """What was planted and found in each synthetic market."""
    found = {}
    for name, judgement in judged.items():
        data = home.lineage.latest(keys.dataset(name))
        rows = planted(data.facts, study.datasets[name], judgement) if data else []
        if rows:
            found[name] = rows
    return found


def _agreement(rows: list[TruthRow]) -> str:
    wrong = [row for row in rows if not row.agrees]
    if not wrong:
        return f"{tick(True)} {len(rows)} of {len(rows)} as planted"
    said = "; ".join(f"{row.what}: expected {row.expected}, found {row.found}" for row in wrong)
    return f"{tick(False)} {said}"
