"""A whole study in one call, into one folder, without Dagster, lineage or MLflow.

    result = run(load_study("studies/demo.yaml"), "results")
    print(result["image_market"].sentence)

What was trained before in the folder is found again, so that a run that was stopped goes on where it was. A second run
into the same folder waits for the first one's dataset.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.analyses.base import Inputs
from recsys.analyses.registry import headline_analyses
from recsys.content.arms import Arm
from recsys.content.features import FEATURES, Features
from recsys.data.dataset import Dataset
from recsys.engine.runner import CellInputs, CellRunner, Watcher
from recsys.engine.slots import Slots, default_workers
from recsys.engine.stored import StoredCell, place
from recsys.evaluation.whole_lists import whole_lists
from recsys.evidence.leaderboard import Leaderboard
from recsys.paths import resolve
from recsys.store import Store, content_hash
from recsys.study.applicable import left_out
from recsys.study.controls import select_with_controls
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.ensembles import train_ensemble
from recsys.study.estimate import cell_memory
from recsys.study.judgement import Judgement, judge, rank_without_content
from recsys.study.measuring import SUMMARY, UserScores, measure
from recsys.study.preparing import (
    UNUSABLE,
    VERSIONS,
    describe_items,
    encode_source,
    prepare_dataset,
    record_encoding,
)
from recsys.study.readiness import assess
from recsys.study.record import AssetRecord
from recsys.study.results import ModelResult
from recsys.study.selection import Selection, has_verdict
from recsys.study.study import Study
from recsys.study.training import ModelWork, train_model
from recsys.study.truth import TruthRow, planted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DatasetResult:
    """What a study found on one dataset.

    Attributes:
        results: every (model, arm) with its choice, its trials and its final cells, and what was left out.
        metrics: a row per (model, arm, metric) on the test part (see `recsys.study.measuring`).
        judgement: the verdict and the comparisons; None where no content was compared.
        headline: what stands beside the verdict: who loses, and how many settings agree.
        leaderboard: which model is best, where there is no verdict.
        truth: for a synthetic market, what was planted beside what was found.
    """

    results: ModelResult
    metrics: pd.DataFrame
    judgement: Judgement | None
    headline: list[str]
    leaderboard: Leaderboard | None
    truth: list[TruthRow]

    @property
    def sentence(self) -> str:
        """The answer in a sentence."""
        said = self.judgement.overall if self.judgement else self.leaderboard
        assert said is not None
        return said.sentence


def run(
    study: Study,
    folder: str | Path,
    *,
    data: str | Path | Sequence[str | Path] = (),
    workers: int | None = None,
    watcher: Watcher | None = None,
) -> dict[str, DatasetResult]:
    """Answer a study's question for each of its datasets.

    Args:
        study: as `recsys.study.file.load_study` reads it.
        folder: takes everything that is computed; made where it is missing.
        data: folder or folders where those that the study names are looked for, before the working folder.
        workers: cells that run side by side; None: one a core.
        watcher: is called after each cell.

    Raises:
        UserError: data or settings cannot be used, every model would do alike, or nothing is left to compare.
    """
    places = [Path(each) for each in ([data] if isinstance(data, str | Path) else data)] + [Path.cwd()]
    return {
        name: _Run(study, name, Path(folder), places, Slots(workers or default_workers()), watcher).result()
        for name in study.datasets
    }


class _Run:
    """One dataset of a study."""

    def __init__(
        self, study: Study, name: str, folder: Path, data: Sequence[Path], slots: Slots, watcher: Watcher | None
    ) -> None:
        self.study, self.name, self.spec = study, name, study.datasets[name]
        self.folder, self.store = folder / name, Store(folder, locks=folder / "locks")
        self.slots, self.watcher = slots, watcher or Watcher()
        self.source = _source_folder(name, self.spec, data)
        self.facts: dict[str, Any] = {}
        self.widths: dict[str, int] = {}

    def result(self) -> DatasetResult:
        with self.store.lock(self.name):
            return self._answer()

    def _answer(self) -> DatasetResult:
        self.facts = prepare_dataset(self.spec, self.source, self._place("dataset"), self.study.n_repeats).facts
        data = Dataset.load(self._place("dataset"))
        for doubt in whole_lists(data, self.study.evaluation):
            log.warning("%s: %s", self.name, doubt)
        for corpus, spec in self.spec.descriptions.items():
            out = self._place(f"descriptions/{corpus}")
            describe_items(spec, data.items, self.source or Path(), out, self._place("work"), _silent)
        encoded = {source: self._encode(source, data).facts for source in self.spec.content}
        self.widths = {source: facts["dim"] for source, facts in encoded.items()}
        lost = {source: facts[UNUSABLE] for source, facts in encoded.items() if UNUSABLE in facts}
        self.study = self.study.without_sources(self.name, lost)
        self.spec = self.study.datasets[self.name]
        results = sum((self._model(model) for model in self.study.models), ModelResult())
        for name, ensemble in self.study.ensembles.items():
            arms = self.study.arms_of(self.name, name)
            results += self._train(name, arms, ModelWork(partial(train_ensemble, name, ensemble, arms, results)))
        if not has_verdict(self.study, self.name):
            return self._measured(results, None)
        selection, made = select_with_controls(self.study, self.name, results, self._train)
        return self._measured(results.updated(made), selection)

    def _place(self, called: str) -> Path:
        place = self.folder / called
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _encode(self, source: str, data: Dataset) -> AssetRecord:
        content = self.spec.content[source]
        described = self._place(f"descriptions/{content.corpus}") if content.corpus else None
        out = self._place(f"embeddings/{source}")
        encoded = encode_source(content, data, self.source, described, out, self._place("work"), _silent)
        record_encoding(content, self.source, out)
        return encoded

    def _model(self, model: str) -> ModelResult:
        if why := left_out(self.study, self.name, model, self.facts, self.widths):
            return ModelResult(inapplicable=[why])
        arms = self.study.arms_of(self.name, model)
        return self._train(model, arms, ModelWork(partial(train_model, self.study, model, arms)))

    def _train(self, model: str, arms: Sequence[Arm], work: ModelWork) -> ModelResult:
        sources = sorted({source for arm in arms for source in arm.sources})
        places = {source: self._place(f"embeddings/{source}") for source in sources}
        inputs = CellInputs(
            dataset=self.name,
            folder=self._place("dataset"),
            data_versions=self.facts[VERSIONS],
            content={source: place / FEATURES for source, place in places.items()},
            content_versions={source: content_hash(place) for source, place in places.items()},
            model=model,
            protocol=self.study.evaluation,
            keeps_state=self.study.keeps_state,
            memory=cell_memory(model, self.facts["counts"], self.widths),
        )
        return work.do(CellRunner(self.store, inputs, self.slots, self.watcher))

    def _measured(self, results: ModelResult, selection: Selection | None) -> DatasetResult:
        results.require_arms(self.name)
        out = self._place("metrics")
        data = Dataset.load(self._place("dataset"))
        measure(self.study, self.name, data, results, self._cell, out)
        summary, scores = pd.read_parquet(out / SUMMARY), UserScores(out)
        judgement = None
        if selection:
            selection.save(self._place("controls"))
            features = {s: Features.load(self._place(f"embeddings/{s}") / FEATURES) for s in self.spec.content}
            ready = assess(self.study, self.name, selection, results, scores, data, features, self._cell)
            judgement = judge(self.study, self.name, selection, scores, ready)
        return DatasetResult(
            results=results,
            metrics=summary,
            judgement=judgement,
            headline=self._headline() if selection else [],
            leaderboard=None if judgement else rank_without_content(self.study, scores, summary),
            truth=planted(self.facts, self.spec, judgement) if judgement else [],
        )

    def _headline(self) -> list[str]:
        folders = {kind: self._place(kind) for kind in ("dataset", "controls", "metrics")}
        folders |= {f"embeddings/{source}": self._place(f"embeddings/{source}") for source in self.spec.content}
        inputs = Inputs(self.study, self.name, folders, self._cell)
        analyses = headline_analyses(self.study, self.name).values()
        return [sentence for each in analyses for sentence in each.headline(each.compute(inputs))]

    def _cell(self, fingerprint: str) -> StoredCell:
        return StoredCell.load(self.store.root / place(self.name) / fingerprint)


def _source_folder(name: str, spec: DatasetSpec, data: Sequence[Path]) -> Path | None:
    return resolve(spec.source.folder, data, f"dataset {name}") if spec.source.folder else None


def _silent(done: int, steps: int) -> None:
    """Progress that nobody watches."""
