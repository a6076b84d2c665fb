"""Tune, then train: the same budget for every arm of a model, and seeds for the setting that is chosen.

Rounds of all arms are run together, so that a pool stays busy; what is asked in a round depends only on the results
of earlier ones, never on the order in which cells ended. A run that was killed therefore asks for the same cells
again and finds them done. A cell that fails is a result like any other: an arm that cannot be trained is left out,
with the reason, and the others go on.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from recsys.content.arms import Arm
from recsys.tuning.pruning import Curve, PruningCurve, pruning_curve
from recsys.tuning.tuner import Tuner

Stage = Literal["tuning", "final"]
TUNING_SEED = 0
_CHOICES = 2
"""Settings of an arm that are tried with all seeds: the best, and the next best where a final cell of it fails."""


class TrialResult(Protocol):
    """What the search needs to know of a cell that has ended."""

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part; None for a cell that failed."""

    @property
    def message(self) -> str:
        """Why the cell failed; empty where it did not."""

    @property
    def curve(self) -> Curve:
        """One dict an epoch, for models trained by gradient."""

    @property
    def pruned(self) -> bool:
        """Whether training was pruned."""

    @property
    def seconds(self) -> float:
        """Of the fit, and of ranking with metrics."""


Result = TypeVar("Result", bound=TrialResult)


@dataclass(frozen=True)
class Trial:
    """A cell to be run for a model on an arm; it is pruned by `pruning_curve`, None: never."""

    arm: Arm
    params: dict[str, Any]
    seed: int
    stage: Stage
    pruning_curve: PruningCurve | None = None


Runner = Callable[[Sequence[Trial]], Sequence[Result]]
"""Runs trials and gives their results in the same order; a trial that fails is a result, not an exception."""


@dataclass(frozen=True)
class Trained(Generic[Result]):
    """An arm's chosen hyper-parameters, the trials behind them, and one final cell a seed.

    Attributes:
        exhausted: whether the trials are all the settings that there are.
    """

    arm: Arm
    params: dict[str, Any]
    trials: list[Result]
    finals: list[Result]
    exhausted: bool


@dataclass(frozen=True)
class LeftOut:
    """An arm without a trained model, and why."""

    arm: Arm
    reason: str


@dataclass(frozen=True)
class SearchResult(Generic[Result]):
    """Every arm of a search, in the order it was given, as one of the two."""

    trained: list[Trained[Result]]
    left_out: list[LeftOut]


def tune_and_train(
    arms: Sequence[Arm], new_tuner: Callable[[], Tuner], seeds: Sequence[int], run: Runner[Result], prune: bool = True
) -> SearchResult[Result]:
    """Tune each arm on validation, then run its best setting with every seed.

    An arm is left out if all its trials fail, or if final cells of its best setting and of the next best fail.

    Args:
        arms: what the model is shown.
        new_tuner: gives a tuner with the whole budget, one for each arm.
        seeds: of the final cells.
        run: runs trials and gives their results.
        prune: stop trials that fall behind those of earlier rounds of the same arm.
    """
    tuners = {arm: new_tuner() for arm in arms}
    trials = _tune(tuners, run, prune)
    chosen = _train({arm: _choices(tuner) for arm, tuner in tuners.items()}, seeds, run)
    found = SearchResult[Result]([], [])
    for arm in arms:
        if arm not in chosen:
            found.left_out.append(LeftOut(arm, f"every trial failed, the last with: {_reason(trials[arm][-1])}"))
        elif failed := _failed(chosen[arm][1]):
            reason = f"training with the chosen hyper-parameters failed: {_reason(failed)}"
            found.left_out.append(LeftOut(arm, reason))
        else:
            found.trained.append(Trained(arm, chosen[arm][0], trials[arm], chosen[arm][1], tuners[arm].exhausted))
    return found


def _tune(tuners: dict[Arm, Tuner], run: Runner[Result], prune: bool) -> dict[Arm, list[Result]]:
    """Spend each tuner's budget; the trials of each arm, in the order they were asked for."""
    trials: dict[Arm, list[Result]] = {arm: [] for arm in tuners}
    while asked := {arm: params for arm, tuner in tuners.items() if (params := tuner.ask())}:
        curves = {arm: _pruning_curve(trials[arm]) if prune else None for arm in asked}
        batch = [Trial(arm, p, TUNING_SEED, "tuning", curves[arm]) for arm, params in asked.items() for p in params]
        results = iter(run(batch))
        for arm, params in asked.items():
            ended = [next(results) for _ in params]
            pruned = [position for position, result in enumerate(ended) if result.pruned]
            tuners[arm].tell([result.valid for result in ended], pruned, sum(result.seconds for result in ended))
            trials[arm] += ended
    return trials


def _pruning_curve(trials: Sequence[TrialResult]) -> PruningCurve | None:
    return pruning_curve([trial.curve for trial in trials if _has_value(trial) and not trial.pruned])


def _train(
    choices: dict[Arm, list[dict[str, Any]]], seeds: Sequence[int], run: Runner[Result]
) -> dict[Arm, tuple[dict[str, Any], list[Result]]]:
    """The final cells of each arm that has a choice, by its first setting none of whose cells failed, or its last."""
    chosen: dict[Arm, tuple[dict[str, Any], list[Result]]] = {}
    for number in range(_CHOICES):
        todo = [arm for arm in choices if len(choices[arm]) > number and (number == 0 or _failed(chosen[arm][1]))]
        if todo:
            results = iter(run([Trial(arm, choices[arm][number], seed, "final") for arm in todo for seed in seeds]))
            chosen |= {arm: (choices[arm][number], [next(results) for _ in seeds]) for arm in todo}
    return chosen


def _choices(tuner: Tuner) -> list[dict[str, Any]]:
    """The best settings of an arm, each once, the best first."""
    different: list[dict[str, Any]] = []
    for params, _ in tuner.ranked:
        if params not in different:
            different.append(params)
    return different[:_CHOICES]


def _failed(finals: Sequence[Result]) -> Result | None:
    return next((final for final in finals if not _has_value(final)), None)


def _has_value(result: TrialResult) -> bool:
    return result.valid is not None and math.isfinite(result.valid)


def _reason(failed: TrialResult) -> str:
    return failed.message or "its validation metric is not finite"
