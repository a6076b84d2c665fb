"""`<study>/report`: one self-contained page that says what holds and what does not."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import pandas as pd

from assets import analyses as analysis_assets
from assets.metrics import load_leaderboard
from orchestration import catalog, keys
from orchestration.addresses import Addresses
from orchestration.asset_factory import Making, Node
from orchestration.comparisons import compare_arms, compare_models
from orchestration.home import Home
from orchestration.lineage import Event, Input
from orchestration.tracked import run_id
from orchestration.usable import unusable_sources
from recsys.analyses.registry import applicable
from recsys.engine.stored import StoredCell, place
from recsys.evidence.across import answer_together
from recsys.fingerprints import code_of, files_of, fingerprint
from recsys.models import registry
from recsys.report import parts
from recsys.report.descriptions import description_limits, provenance_table, vectors_table
from recsys.report.model import DatasetReport, RunFacts, StudyReport
from recsys.report.rows import AssetRow, CheckRow, ContentRow, Link, Section
from recsys.store import write_text
from recsys.study.ensembles import SOURCE
from recsys.study.judgement import Judgement
from recsys.study.record import AssetRecord
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import has_verdict
from recsys.study.study import Study
from recsys.study.truth import planted

PAGE = "report.html"
LIBRARIES = (
    "modalift",
    "dagster",
    "mlflow",
    "duckdb",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "optuna",
)


def node(study: Study) -> Node:
    """The asset of a study's report."""
    scenarios = [spec.model_dump(include={"scenario"}) for spec in study.datasets.values()]
    settings = [study.title, study.question, scenarios, study.tuning.model_dump(), study.n_repeats]
    shown = [
        f"{type(each).__module__}:{type(each).__name__}"
        for name in study.datasets
        for each in applicable(study, name).values()
    ]
    code = [code_of(f"{__name__}:make", "recsys.report.render:render", *shown), files_of("recsys/report")]
    return Node(
        asset=keys.report(study.name),
        group=next(iter(study.datasets)) if len(study.datasets) == 1 else study.name,
        inputs=[upstream for name in study.datasets for upstream in _inputs(study, name)],
        version=fingerprint(settings, code),
        make=partial(make, study),
        show=partial(show, study),
        publish=partial(publish, study),
        description=f"{study.title}: the answer in a sentence, the evidence under it, and how to repeat it.",
        kinds=frozenset({"html"}),
    )


def _inputs(study: Study, name: str) -> list[str]:
    spec = study.datasets[name]
    return [
        keys.dataset(name),
        *(keys.embeddings(name, source) for source in spec.content),
        keys.metrics(name),
        *([keys.verdict(name)] if has_verdict(study, name) else []),
        *(keys.analysis(name, called) for called in applicable(study, name)),
    ]


def make(study: Study, making: Making) -> AssetRecord:
    """Gather what the assets of every dataset say, and render it."""
    from recsys.report.render import render

    home = making.home
    datasets = [_dataset(home, study, name) for name in study.datasets]
    cells = [cell for name in study.datasets for cell in _cells(home, study, name)]
    page = StudyReport(
        title=study.title,
        question=study.question,
        date=datetime.now(UTC).date(),
        datasets=datasets,
        run=RunFacts(
            versions={library: version(library) for library in LIBRARIES},
            repeats=study.n_repeats,
            budget=study.tuning.said,
            wall_seconds=parts.wall_seconds(
                (each.record["ended"] - each.seconds, each.record["ended"]) for each in cells
            ),
            training_seconds=sum(cell.seconds for cell in cells),
            commands=["make setup", f"modalift run {study.name}", f"modalift results {study.name} --json"],
        ),
        together=_together(home, study),
        sources=_sources(study, {cell.record["model"] for cell in cells}),
    )
    (making.out / PAGE).write_text(render(page), encoding="utf-8")
    return AssetRecord(facts={"answers": {dataset.name: dataset.sentence for dataset in datasets}})


def _sources(study: Study, rows: Collection[str]) -> dict[str, str]:
    """What each row follows: the paper of a model, and those of all ensembles once."""
    found = {row: registry.load(row).source for row in sorted(rows) if row not in study.ensembles}
    return found | ({"Ensemble": SOURCE} if study.ensembles else {})


def _together(home: Home, study: Study) -> str:
    """What all datasets with a verdict say together; empty where there are fewer than two."""
    judged = [name for name in study.datasets if has_verdict(study, name)]
    found = {name: Judgement.load(home.folder(home.current(keys.verdict(name)))).overall for name in judged}
    together = answer_together({name: (each.name, each.against_rival) for name, each in found.items()})
    return together.sentence if together else ""


def show(study: Study, home: Home, event: Event) -> Mapping[str, object]:
    """Where the page is, and what it answers."""
    return {
        "report": dg.MetadataValue.url(Addresses(home.settings).report(study.name)),
        "file": dg.MetadataValue.path(str(_file(study, home))),
        **{name: dg.MetadataValue.md(sentence) for name, sentence in event.facts["answers"].items()},
    }


def _results(home: Home, name: str) -> ModelResult:
    return ModelResult.load(home.folder(home.current(keys.metrics(name))))


def _dataset(home: Home, study: Study, name: str) -> DatasetReport:
    lost = unusable_sources(study, name, home)
    study = study.without_sources(name, lost)
    spec = study.datasets[name]
    data, metrics = home.current(keys.dataset(name)), home.current(keys.metrics(name))
    judgement = Judgement.load(home.folder(home.current(keys.verdict(name)))) if has_verdict(study, name) else None
    board = None if judgement else load_leaderboard(home.folder(metrics))
    results, tables = _results(home, name), _analyses(home, study, name)
    compared = judgement.comparisons if judgement else board.comparisons if board else []
    described = [home.current(keys.descriptions(name, corpus)) for corpus in spec.descriptions]
    encoded = {source: home.current(keys.embeddings(name, source)) for source in spec.content}
    checked = [home.current(upstream) for upstream in _inputs(study, name)]
    n_pictures = data.facts["counts"].get("pictures")
    return DatasetReport(
        name=name,
        scenario=parts.scenario(study, name),
        metric=study.evaluation.primary,
        verdict=judgement.overall if judgement else None,
        leaderboard=board,
        part=judgement.part if judgement else None,
        gates=judgement.gates if judgement else [],
        tried=judgement.tried if judgement else {},
        losers=parts.losers(tables),
        agreement=parts.agreement(tables),
        questions=judgement.questions if judgement else [],
        counts={k: v for k, v in data.facts["counts"].items() if isinstance(v, int)},
        notes=data.facts["notes"],
        quarantine=parts.quarantine(home.folder(data)),
        content=[_content(home, study, name, source, n_pictures) for source in spec.content],
        results=parts.results(home.folder(metrics), study, results.arms, _runs(home, study, name, results.arms)),
        comparisons=parts.comparisons(compared, results.arms),
        minutes=study.tuning.minutes,
        tuning=[parts.curve(arm) for arm in results.arms if not arm.members],
        checks=[
            CheckRow(name=f"{event.asset}: {check.name}", passed=check.passed, found=check.message)
            for event in checked
            for check in event.checks
        ],
        truth=planted(data.facts, spec, judgement) if judgement else [],
        sections=[
            Section(
                asset=keys.analysis(name, called), tables=[each for each in analysis.show(tables[called]) if each.rows]
            )
            for called, analysis in applicable(study, name).items()
        ]
        + [
            Section(asset=event.asset, tables=[provenance_table(event.facts)])
            for event in described
            if "provenance" in event.facts
        ]
        + [
            Section(asset=event.asset, tables=[vectors_table(source, event.facts)])
            for source, event in encoded.items()
            if "provenance" in event.facts
        ],
        limits=[
            *(f"{line}." for line in (*results.inapplicable, *results.failures)),
            *(f"Content `{source}` is left out: {why}." for source, why in lost.items()),
            *description_limits({event.asset: event.facts for event in described}),
        ],
        assets=_asset_rows(home, checked),
        links=[
            Link(text="Assets in Dagster", address=Addresses(home.settings).assets(name)),
            Link(
                text="Models side by side in MLflow",
                address=compare_models(home, name, results.arms, study.evaluation),
            ),
        ],
    )


def _runs(home: Home, study: Study, name: str, arms: list[ArmResult]) -> dict[str, Link]:
    """By model, a page of its trainings, arm by arm."""
    return {
        model: Link(text="arms in MLflow", address=compare_arms(home, name, model, arms, study.evaluation))
        for model in dict.fromkeys(arm.model for arm in arms)
    }


def _cells(home: Home, study: Study, name: str) -> list[StoredCell]:
    """All that was trained for a dataset of the study, trials among them."""
    trained = [keys.model(name, row) for row in study.rows]
    trained += [keys.controls(name)] if has_verdict(study, name) else []
    wanted = {run for asset in trained for run in home.current(asset).mlflow_runs}
    folders = (home.settings.store / place(name)).glob("[!.]*")
    return [StoredCell.load(folder) for folder in folders if run_id(name, folder.name) in wanted]


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


def publish(study: Study, home: Home, event: Event) -> None:
    """Put the page where people look for it, and build the DuckDB file anew."""
    write_text(_file(study, home), (home.folder(event) / PAGE).read_text(encoding="utf-8"))
    if event.reused:  # meanwhile a model that was shown again may have put its own arms into the views it links to
        for name in study.datasets:
            arms = _results(home, name).arms
            compare_models(home, name, arms, study.evaluation)
            _runs(home, study, name, arms)
    catalog.refresh(home)


def _file(study: Study, home: Home) -> Path:
    return home.settings.reports / f"{study.name}.html"
