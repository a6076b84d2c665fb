"""One cell of a study: fit one model on one arm with one seed, and evaluate it.

A cell is described by plain values and paths, and running it is a pure function of what they name: the same
cell gives the same result in this process, in a pool, or on another machine that sees the same files.
"""

import resource
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from recsys.content.arms import Arm
from recsys.content.features import Features
from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import evaluate, validator
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking
from recsys.models import registry
from recsys.recommender import TrainingData
from recsys.tuning.pruning import Bar

Stage = Literal["tuning", "final"]


@dataclass(frozen=True)
class Cell:
    """What is to be run.

    Attributes:
        dataset: folder of a saved `Dataset`.
        content: file of saved `Features` by source; those the arm does not show are ignored.
        model: class name of the recommender.
        params: its hyper-parameters, all of them.
        arm: what it is shown.
        seed: of training and of the arm's control.
        stage: a `tuning` cell sees the validation part only; a `final` one is evaluated on test too.
        protocol: how it is evaluated.
        bar: what a tuning cell trained by gradient is given up by; None: it never is.
    """

    dataset: str
    content: dict[str, str]
    model: str
    params: dict[str, Any]
    arm: Arm
    seed: int
    stage: Stage
    protocol: Protocol
    bar: Bar | None = None


@dataclass(frozen=True)
class CellResult:
    """What came of a cell.

    Attributes:
        valid: each metric on the validation part.
        curve: one dict an epoch, for models trained by gradient.
        pruned: whether training was given up; `valid` is then what it had reached.
        content_used: whether the fitted model gives content any weight.
        seconds: of the fit, and of ranking with metrics.
        peak_memory: highest resident memory of the process so far, MiB.
        test: one row a user with every metric, final cells only.
        lists: metrics of whole test lists (coverage, Gini), final cells only.
        ranking: top lists at test, final cells only.
    """

    valid: dict[str, float]
    curve: list[dict[str, float]]
    pruned: bool
    content_used: bool
    seconds: dict[str, float]
    peak_memory: float
    test: pd.DataFrame | None = None
    lists: dict[str, float] = field(default_factory=dict)
    ranking: Ranking | None = None


@lru_cache(maxsize=2)
def _dataset(folder: str) -> Dataset:
    return Dataset.load(Path(folder))


@lru_cache(maxsize=8)
def _features(file: str) -> Features:
    return Features.load(Path(file))


def run_cell(cell: Cell) -> CellResult:
    """Fit and evaluate; UserError where the hyper-parameters cannot be used or training diverges."""
    dataset = _dataset(cell.dataset)
    features = {source: _features(cell.content[source]) for source in cell.arm.sources}
    model = registry.load(cell.model).from_params(**cell.params)
    data = TrainingData(
        train=dataset.train,
        content=cell.arm.show(features, cell.seed),
        seed=cell.seed,
        validate=validator(dataset, cell.protocol),
        ratings=dataset.ratings,
        should_prune=cell.bar.hopeless if cell.bar else None,
    )
    started = time.perf_counter()
    model.fit(data)
    fitted = time.perf_counter()
    valid = evaluate(model, dataset, "valid", cell.protocol)
    test = evaluate(model, dataset, "test", cell.protocol) if cell.stage == "final" else None
    ended = time.perf_counter()
    return CellResult(
        valid=valid.summary,
        curve=model.curve,
        pruned=model.pruned,
        content_used=bool(data.content) and model.content_used,
        seconds={"fit": fitted - started, "evaluate": ended - fitted},
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        test=test.per_user if test else None,
        lists=test.lists if test else {},
        ranking=test.ranking if test else None,
    )
