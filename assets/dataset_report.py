"""What a report says of one dataset, gathered from the assets that it is made from."""

from collections.abc import Mapping, Sequence

import pandas as pd

from assets import analyses as analysis_assets
from assets.metrics import load_leaderboard
from orchestration import keys
from orchestration.addresses import Addresses
from orchestration.comparisons import compare_arms, compare_models
from orchestration.home import Home
from orchestration.lineage import Event, Input
from orchestration.usable import unusable_sources
from recsys.analyses.registry import applicable
from recsys.report import parts
from recsys.report.descriptions import description_limits, provenance_table, vectors_table
from recsys.report.model import DatasetReport
from recsys.report.rows import AssetRow, CheckRow, ContentRow, Link, Section
from recsys.study.judgement import Judgement
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import has_verdict
from recsys.study.study import Study
from recsys.study.truth import planted


def inputs(study: Study, name: str) -> list[str]:
    """The assets of a dataset that the page is made from."""
    spec = study.datasets[name]
    return [
        keys.dataset(name),
        *(keys.embeddings(name, source) for source in spec.content),
        keys.metrics(name),
        *([keys.verdict(name)] if has_verdict(study, name) else []),
        *(keys.analysis(name, called) for called in applicable(study, name)),
    ]


def gather(home: Home, study: Study, name: str) -> DatasetReport:
    """What the page says of one dataset."""
    lost, asked = unusable_sources(study, name, home), study.datasets[name].questions
    study = study.without_sources(name, lost)
    spec = study.datasets[name]
    data, metrics = home.current(keys.dataset(name)), home.current(keys.metrics(name))
    judgement = Judgement.load(home.folder(home.current(keys.verdict(name)))) if has_verdict(study, name) else None
    board = None if judgement else load_leaderboard(home.folder(metrics))
    results, tables = ModelResult.load(home.folder(metrics)), _analyses(home, study, name)
    compared = judgement.comparisons if judgement else board.comparisons if board else []
    described = [home.current(keys.descriptions(name, corpus)) for corpus in spec.descriptions]
    encoded = {source: home.current(keys.embeddings(name, source)) for source in spec.content}
    checked = [home.current(upstream) for upstream in inputs(study, name)]
    trainings = pages_of_trainings(home, study, name, results.arms)
    n_pictures = data.facts["counts"].get("pictures")
    return DatasetReport(
        name=name,
        scenario=parts.scenario(study, name),
        metric=study.evaluation.primary,
        verdict=judgement.overall if judgement else None,
        leaderboard=board,
        sources=judgement.sources if judgement else None,
        gates=judgement.gates if judgement else [],
        tried=judgement.tried if judgement else {},
        losers=parts.losers(tables),
        agreement=parts.agreement(tables),
        questions=judgement.questions if judgement else [],
        counts={k: v for k, v in data.facts["counts"].items() if isinstance(v, int)},
        notes=data.facts["notes"],
        quarantine=parts.quarantine(home.folder(data)),
        content=[_content(home, study, name, source, n_pictures) for source in spec.content],
        results=parts.results(home.folder(metrics), study, results.arms, trainings),
        comparisons=parts.comparisons(compared, results.arms),
        minutes=study.tuning.minutes,
        tuning=[parts.curve(arm) for arm in results.arms if not arm.members],
        checks=_check_rows(checked),
        truth=planted(data.facts, spec, judgement) if judgement else [],
        sections=[*_analysed(study, name, tables), *_provenance(described, encoded)],
        limits=[
            *(f"{line}." for line in (*results.inapplicable, *results.failures)),
            *(f"Content `{source}` is left out: {why}." for source, why in lost.items()),
            *parts.unanswered(asked, judgement),
            *description_limits({event.asset: event.facts for event in described}),
        ],
        assets=_asset_rows(home, checked),
        links=_links(home, study, name, results.arms),
    )


def _analysed(study: Study, name: str, tables: Mapping[str, dict[str, pd.DataFrame]]) -> list[Section]:
    """A section for each analysis, with its tables that have rows."""
    shown = {called: analysis.show(tables[called]) for called, analysis in applicable(study, name).items()}
    return [
        Section(asset=keys.analysis(name, called), tables=[table for table in found if table.rows])
        for called, found in shown.items()
    ]


def _provenance(described: Sequence[Event], encoded: Mapping[str, Event]) -> list[Section]:
    """Which models wrote the descriptions and the vectors of sources, where models wrote them."""
    wrote = [(event, provenance_table(event.facts)) for event in described if "provenance" in event.facts]
    made = [
        (event, vectors_table(source, event.facts)) for source, event in encoded.items() if "provenance" in event.facts
    ]
    return [Section(asset=event.asset, tables=[table]) for event, table in (*wrote, *made)]


def _check_rows(events: Sequence[Event]) -> list[CheckRow]:
    return [
        CheckRow(name=f"{event.asset}: {check.name}", passed=check.passed, found=check.message)
        for event in events
        for check in event.checks
    ]


def _links(home: Home, study: Study, name: str, arms: list[ArmResult]) -> list[Link]:
    """Pages of the dataset as a whole."""
    side_by_side = compare_models(home, name, arms, study.evaluation)
    return [
        Link(text="Assets in Dagster", address=Addresses(home.settings).assets(name)),
        Link(text="Models side by side in MLflow", address=side_by_side),
    ]


def pages_of_trainings(home: Home, study: Study, name: str, arms: list[ArmResult]) -> dict[str, Link]:
    """By model, a page of its trainings, arm by arm."""
    return {
        model: Link(text="arms in MLflow", address=compare_arms(home, name, model, arms, study.evaluation))
        for model in dict.fromkeys(arm.model for arm in arms)
    }


def _asset_rows(home: Home, events: list[Event]) -> list[AssetRow]:
    """Some versions and the very versions that they were made from, these first; each once."""
    rows: dict[tuple[str, str], AssetRow] = {}
    for event in events:
        for read in event.inputs:
            rows.setdefault((read.asset, read.fingerprint), _asset_row(home, read))
        rows.setdefault((event.asset, event.fingerprint), _asset_row(home, event))
    return list(rows.values())


def _asset_row(home: Home, version: Event | Input) -> AssetRow:
    address = Addresses(home.settings).asset(version.asset)
    return AssetRow(
        asset=version.asset,
        version=version.fingerprint,
        content=version.content_hash,
        links=[
            Link(text="asset", address=address),
            Link(text="lineage", address=f"{address}?view=lineage&lineageScope=upstream"),
        ],
    )


def _content(home: Home, study: Study, name: str, source: str, n_pictures: int | None) -> ContentRow:
    return parts.content(home.current(keys.embeddings(name, source)).facts, source, study.datasets[name], n_pictures)


def _analyses(home: Home, study: Study, name: str) -> dict[str, dict[str, pd.DataFrame]]:
    """The tables of every analysis by its name."""
    return {
        called: analysis_assets.load(analysis, home.folder(home.current(keys.analysis(name, called))))
        for called, analysis in applicable(study, name).items()
    }
