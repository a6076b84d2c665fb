"""One cell of a study: fit one model on one arm with one seed, and keep what everything later is computed from.

A cell is described by plain values and paths, and running it is a pure function of what they name: the same
cell gives the same result in this process, in a pool, or on another machine that sees the same files. Nothing is
measured in a cell but the score that tunes: metrics are functions of the lists that a final cell leaves.
"""

import resource
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from recsys.content.arms import Arm
from recsys.content.features import Features
from recsys.data.dataset import INTERACTIONS, Dataset
from recsys.evaluation.evaluate import Evaluator, Part, validator
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import TrainingData
from recsys.tuning.pruning import PruningCurve
from recsys.tuning.trials import Stage

STATE = "model.safetensors"


@dataclass(frozen=True)
class Cell:
    """What is to be run.

    Attributes:
        dataset: folder of a saved `Dataset`.
        repeat: whose split is used, and whose permutations an arm's control; from 1.
        content: file of saved `Features` by source; those the arm does not show are ignored.
        model: class name of the recommender.
        params: its hyper-parameters, all of them.
        arm: what it is shown.
        seed: of training.
        stage: a `tuning` cell sees the validation part only; a `final` one leaves its lists of both parts.
        protocol: how it is evaluated.
        pruning_curve: what a tuning cell trained by gradient is pruned by; None: it never is.
        keep_state: whether a final cell leaves the fitted model too.
    """

    dataset: str
    repeat: int
    content: dict[str, str]
    model: str
    params: dict[str, Any]
    arm: Arm
    seed: int
    stage: Stage
    protocol: Protocol
    pruning_curve: PruningCurve | None = None
    keep_state: bool = False


@dataclass(frozen=True)
class CellResult:
    """What came of a cell, beside the files it wrote.

    Attributes:
        valid: primary metric on the validation part.
        curve: one dict an epoch, for models trained by gradient.
        pruned: whether training was pruned; `valid` is then what it had reached.
        content_used: whether the fitted model gives content any weight.
        seconds: of the fit, and of ranking.
        peak_memory: highest resident memory of the process so far, MiB.
    """

    valid: float
    curve: list[dict[str, float]]
    pruned: bool
    content_used: bool
    seconds: dict[str, float]
    peak_memory: float


# What cells of one process share is read once, and again where `recsys.run` has written it anew in the same place.
@lru_cache(maxsize=1)
def _whole(folder: str, written: int) -> Dataset:
    return Dataset.load(Path(folder))


@lru_cache(maxsize=8)
def _dataset(folder: str, repeat: int, written: int) -> Dataset:
    return _whole(folder, written).repeat(repeat)


@lru_cache(maxsize=8)
def _features(file: str, written: int) -> Features:
    return Features.load(Path(file))


@lru_cache(maxsize=16)
def _evaluator(folder: str, repeat: int, part: Part, protocol: Protocol, written: int) -> Evaluator:
    return Evaluator(_dataset(folder, repeat, written), part, protocol)


def _written(file: str | Path) -> int:
    return Path(file).stat().st_mtime_ns


def run_cell(cell: Cell, out: Path) -> CellResult:
    """Fit and rank; a final cell writes `valid.safetensors` and `test.safetensors` (see `Ranking`) into `out`.

    Raises:
        UserError: the hyper-parameters cannot be used, or training diverges.
    """
    written = _written(Path(cell.dataset, INTERACTIONS))
    dataset = _dataset(cell.dataset, cell.repeat, written)
    features = {source: _features(file := cell.content[source], _written(file)) for source in cell.arm.sources}
    model = registry.load(cell.model).from_params(**cell.params)
    data = TrainingData(
        train=dataset.train,
        content=cell.arm.show(features, cell.repeat, dataset.popularity),
        seed=cell.seed,
        validate=validator(dataset, cell.protocol),
        ratings=dataset.ratings,
        should_prune=cell.pruning_curve.should_prune if cell.pruning_curve else None,
    )
    started = time.perf_counter()
    model.fit(data)
    fitted = time.perf_counter()
    validation = _evaluator(cell.dataset, cell.repeat, "valid", cell.protocol, written)
    if cell.stage == "tuning":
        lists = validation.rank(model)
    else:
        lists = validation.rank_for_store(model)
        lists.save(out / "valid.safetensors")
        test = _evaluator(cell.dataset, cell.repeat, "test", cell.protocol, written)
        test.rank_for_store(model).save(out / "test.safetensors")
        if cell.keep_state:
            model.save(out / STATE)
    ranked = time.perf_counter()
    return CellResult(
        valid=validation.primary(lists),
        curve=model.curve,
        pruned=model.pruned,
        content_used=bool(data.content) and model.content_used,
        seconds={"fit": fitted - started, "rank": ranked - fitted},
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
