"""`<study>/report`: one self-contained page that says what holds and what does not."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import dagster as dg

from assets import comprehension_tables
from assets import report_parts as parts
from assets.controls import judges
from assets.metrics import load_standing
from assets.truth import planted
from assets.verdict import Judgement
from orchestration import catalog, keys
from orchestration.applicable import left_out
from orchestration.home import Home, Outcome
from orchestration.lineage import Event
from orchestration.outcomes import ArmResult, ModelResult
from orchestration.results import key, materialised, plainly
from orchestration.storage import write_text
from orchestration.study import Study
from orchestration.study_dataset import DatasetSpec
from recsys.evidence.report.model import DatasetReport, RunFacts, StudyReport
from recsys.evidence.report.published import beside_published
from recsys.evidence.report.rows import CheckRow, Link, StratumRow
from recsys.fingerprints import code_of, files_of, fingerprint

REPORTS_UI = "http://127.0.0.1:5001"
TEMPLATES = "recsys/evidence/report"
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


def build(study: Study) -> dg.AssetsDefinition:
    """The asset of a study's report."""
    asset = keys.report(study.name)
    inputs = [upstream for name in study.datasets for upstream in _inputs(study, name)]
    told = [spec.model_dump(include={"scenario", "published"}) for spec in study.datasets.values()]
    settings = [study.title, study.question, told, study.tuning.model_dump(), study.seeds]
    stamp = fingerprint(settings, code_of("assets.report:_render"), files_of(TEMPLATES))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=next(iter(study.datasets)) if len(study.datasets) == 1 else study.name,
        kinds={"html"},
        code_version=stamp,
        description=f"{study.title}: the answer in a sentence, the evidence under it, and how to repeat it.",
    )
    @plainly
    def report(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=stamp,
            inputs=inputs,
            build=lambda out, _: _render(home, study, out),
        )
        page = (home.folder(event) / "report.html").read_text(encoding="utf-8")
        file = home.settings.reports / f"{study.name}.html"
        write_text(file, page)
        catalog.refresh(home)
        shown = {
            "report": dg.MetadataValue.url(f"{REPORTS_UI}/{study.name}.html"),
            "file": dg.MetadataValue.path(str(file)),
            **{name: dg.MetadataValue.md(sentence) for name, sentence in event.facts["answers"].items()},
        }
        return materialised(event, shown)

    return report


def _inputs(study: Study, name: str) -> list[str]:
    spec = study.datasets[name]
    judged = [keys.verdict(name)] if judges(study, name) else []
    return [
        keys.dataset(name),
        *([keys.comprehension(name)] if spec.descriptions else []),
        *(keys.embeddings(name, source) for source in spec.content),
        keys.metrics(name),
        *judged,
    ]


def _render(home: Home, study: Study, out: Path) -> Outcome:
    from recsys.evidence.report.render import render

    datasets = [_dataset(home, study, name) for name in study.datasets]
    events = [home.current(upstream) for name in study.datasets for upstream in _inputs(study, name)]
    seconds = sum(arm.seconds for name in study.datasets for arm in _arms(home, name))
    page = StudyReport(
        title=study.title,
        question=study.question,
        date=datetime.now(UTC).date(),
        datasets=datasets,
        run=RunFacts(
            versions={library: version(library) for library in LIBRARIES},
            seeds=list(range(1, study.seeds + 1)),
            budget=study.tuning.said,
            seconds=seconds,
            commands=["make setup", f"modalift run {study.name}", f"modalift results {study.name} --json"],
            fingerprints={event.asset: event.content_hash for event in events},
        ),
    )
    (out / "report.html").write_text(render(page), encoding="utf-8")
    answers = {dataset.name: dataset.sentence for dataset in datasets}
    return Outcome(facts={"answers": answers})


def _arms(home: Home, name: str) -> list[ArmResult]:
    return ModelResult.load(home.folder(home.current(keys.metrics(name)))).arms


def _comprehension(home: Home, spec: DatasetSpec, name: str) -> Event | None:
    return home.current(keys.comprehension(name)) if spec.descriptions else None


def _dataset(home: Home, study: Study, name: str) -> DatasetReport:
    spec = study.datasets[name]
    data, metrics = home.current(keys.dataset(name)), home.current(keys.metrics(name))
    judgement = Judgement.load(home.folder(home.current(keys.verdict(name)))) if judges(study, name) else None
    standing = None if judgement else load_standing(home.folder(metrics))
    arms = _arms(home, name)
    results = parts.results(home.folder(metrics), study, arms)
    published = spec.published
    checked = [home.current(upstream) for upstream in _inputs(study, name)]
    return DatasetReport(
        name=name,
        scenario=parts.scenario(spec),
        metric=study.evaluation.primary,
        verdict=judgement.overall if judgement else None,
        standing=standing,
        sources=judgement.by_source if judgement else [],
        questions=judgement.questions if judgement else [],
        counts={k: v for k, v in data.facts["counts"].items() if isinstance(v, int)},
        quarantine=parts.quarantine(home.folder(data)),
        content=[parts.content(home, name, source, spec) for source in spec.content],
        results=results,
        comparisons=parts.comparisons((judgement or standing).comparisons, arms),
        strata=[
            StratumRow(strata="users by activity", stratum=s.users, comparison=s.comparison)
            for s in (judgement.strata if judgement else [])
        ],
        minutes=study.tuning.minutes,
        tuning=[parts.curve(arm) for arm in arms],
        checks=[
            CheckRow(name=f"{event.asset}: {check.name}", passed=check.passed, found=check.message)
            for event in checked
            for check in event.checks
        ],
        truth=planted(data, spec, judgement) if judgement else [],
        tables=[
            *([beside_published(published.source, published.rows, results)] if published else []),
            *(comprehension_tables.tables(home.folder(said)) if (said := _comprehension(home, spec, name)) else []),
        ],
        limits=[f"{line}." for model in study.models if (line := left_out(model, name, data.facts))],
        links=[
            Link(
                text="Trainings in MLflow",
                address=home.tracker.search_url(name, "tags.stage = 'final'", study.evaluation.primary),
            ),
            Link(text="Assets in Dagster", address=f"http://127.0.0.1:3000/asset-groups/{name}"),
        ],
    )
