"""`<study>/report`: one self-contained page that says what holds and what does not."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import dagster as dg

from assets import dataset_report
from orchestration import catalog, keys
from orchestration.addresses import Addresses
from orchestration.asset_factory import Making, Node
from orchestration.comparisons import compare_models
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.tracked import run_id
from recsys.analyses.registry import applicable
from recsys.engine.stored import StoredCell, place, stored_cells
from recsys.fingerprints import code_of, files_of, fingerprint
from recsys.models import registry
from recsys.report import parts
from recsys.report.model import RunFacts, StudyReport
from recsys.store import write_text
from recsys.study.ensembles import SOURCE
from recsys.study.judgement import Judgement, together
from recsys.study.record import AssetRecord
from recsys.study.results import ModelResult
from recsys.study.selection import has_verdict
from recsys.study.study import Study

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
    stated = [
        (name, spec.model_dump(include={"scenario", "split", "questions"}), spec.comparison_identity)
        for name, spec in study.datasets.items()
    ]
    shared = [study.tuning.model_dump(), study.evaluation.model_dump(), study.n_repeats]
    settings = [study.title, study.question, stated, shared]
    shown = [
        f"{type(each).__module__}:{type(each).__name__}"
        for name in study.datasets
        for each in applicable(study, name).values()
    ]
    code = [code_of(f"{__name__}:make", "recsys.report.render:render", *shown), files_of("recsys/report")]
    return Node(
        asset=keys.report(study.name),
        group=next(iter(study.datasets)) if len(study.datasets) == 1 else study.name,
        inputs=[upstream for name in study.datasets for upstream in dataset_report.inputs(study, name)],
        version=fingerprint(settings, code),
        make=partial(make, study),
        show=partial(show, study),
        publish=partial(publish, study),
        description=f"{study.title}: the answer in a sentence, the evidence under it, and how to repeat it.",
        kinds=frozenset({"html"}),
    )


def make(study: Study, making: Making) -> AssetRecord:
    """Gather what the assets of every dataset say, and render it."""
    from recsys.report.render import render

    home = making.home
    datasets = [dataset_report.gather(home, study, name) for name in study.datasets]
    with_verdict = [name for name in study.datasets if has_verdict(study, name)]
    judged = {name: Judgement.load(home.folder(home.current(keys.verdict(name)))) for name in with_verdict}
    cells = [cell for name in study.datasets for cell in _cells(home, study, name)]
    page = StudyReport(
        title=study.title,
        question=study.question,
        date=datetime.now(UTC).date(),
        datasets=datasets,
        run=RunFacts(
            versions={library: version(library) for library in LIBRARIES},
            repeats=study.n_repeats,
            budget=study.budget,
            wall_seconds=parts.wall_seconds(
                (each.record["ended"] - each.seconds, each.record["ended"]) for each in cells
            ),
            training_seconds=sum(cell.seconds for cell in cells),
            commands=[f"modalift run {study.name}", f"modalift results {study.name} --json"],
        ),
        together=together(judged),
        sources=_sources(study, {cell.record["model"] for cell in cells}),
    )
    (making.out / PAGE).write_text(render(page), encoding="utf-8")
    return AssetRecord(facts={"answers": {dataset.name: dataset.sentence for dataset in datasets}})


def _sources(study: Study, rows: Collection[str]) -> dict[str, str]:
    """What each row follows: the paper of a model, and those of all ensembles once."""
    found = {row: registry.load(row).source for row in sorted(rows) if row not in study.ensembles}
    return found | ({"Ensemble": SOURCE} if study.ensembles else {})


def show(study: Study, home: Home, event: Event) -> Mapping[str, object]:
    """Where the page is, and what it answers."""
    return {
        "report": dg.MetadataValue.url(Addresses(home.settings).report(study.name)),
        "file": dg.MetadataValue.path(str(_file(study, home))),
        **{name: dg.MetadataValue.md(sentence) for name, sentence in event.facts["answers"].items()},
    }


def _cells(home: Home, study: Study, name: str) -> list[StoredCell]:
    """All that was trained for a dataset of the study, trials among them."""
    trained = [keys.model(name, row) for row in study.rows]
    trained += [keys.controls(name)] if has_verdict(study, name) else []
    wanted = {run for asset in trained for run in home.current(asset).mlflow_runs}
    folders = (home.settings.store / place(name)).glob("[!.]*")
    return list(stored_cells(folder for folder in folders if run_id(name, folder.name) in wanted))


def publish(study: Study, home: Home, event: Event) -> None:
    """Put the page where people look for it, and build the DuckDB file anew."""
    write_text(_file(study, home), (home.folder(event) / PAGE).read_text(encoding="utf-8"))
    if event.reused:  # meanwhile a model that was shown again may have put its own arms into the views it links to
        for name in study.datasets:
            arms = ModelResult.load(home.folder(home.current(keys.metrics(name)))).arms
            compare_models(home, name, arms, study.evaluation)
            dataset_report.pages_of_trainings(home, study, name, arms)
    catalog.refresh(home)


def _file(study: Study, home: Home) -> Path:
    return home.settings.reports / f"{study.name}.html"
