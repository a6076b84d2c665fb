"""Tune, then train: the same budget for every arm of a model, and seeds for the one that is chosen.

Rounds of all arms are run together, so that a pool stays busy; what is asked in a round depends only on what
was told in earlier ones, never on the order in which cells ended. A run that was killed therefore asks for the
same cells again and finds them done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from recsys.content.arms import Arm
from recsys.tuning.pruning import Bar, Curve, bar
from recsys.tuning.tuner import Tuner


class Ran(Protocol):
    """What a runner gives back for a trial."""

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part, None for a cell that failed."""

    @property
    def message(self) -> str:
        """Why the cell failed, empty where it did not."""

    @property
    def curve(self) -> Curve:
        """One dict an epoch, for models trained by gradient."""

    @property
    def pruned(self) -> bool:
        """Whether training was given up."""

    @property
    def seconds(self) -> float:
        """Of the fit, and of ranking with metrics."""


Result = TypeVar("Result", bound=Ran)
TUNING_SEED = 0
Stage = Literal["tuning", "final"]


@dataclass(frozen=True)
class Trial:
    """A cell to be run for a model on an arm; `bar` is what it is given up by, None: it never is."""

    arm: Arm
    params: dict[str, Any]
    seed: int
    stage: Stage
    bar: Bar | None = None


Runner = Callable[[Sequence[Trial]], Sequence[Result]]


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
    """An arm without result, and why."""

    arm: Arm
    reason: str


@dataclass(frozen=True)
class SearchResult(Generic[Result]):
    """What was trained, and what was left out."""

    trained: list[Trained[Result]]
    left_out: list[LeftOut]


def tune_and_train(
    arms: Sequence[Arm], new_tuner: Callable[[], Tuner], seeds: Sequence[int], run: Runner[Result], prune: bool = True
) -> "SearchResult[Result]":
    """Tune each arm on validation, then run its choice with every seed; in the order of `arms`.

    Args:
        arms: what the model is shown.
        new_tuner: gives a tuner with the whole budget, one for each arm.
        seeds: of the final cells.
        run: runs trials and gives what came of them, in their order.
        prune: give up trials that are hopeless beside those of earlier rounds of the same arm.

    Raises:
        UserError: every trial of an arm failed, or a final cell did.
    """
    tuners = {arm: new_tuner() for arm in arms}
    trials: dict[Arm, list[Result]] = {arm: [] for arm in arms}
    while asked := {arm: params for arm, tuner in tuners.items() if (params := tuner.ask())}:
        bars = {arm: bar([trial.curve for trial in trials[arm] if _finished(trial)]) for arm in asked if prune}
        results = iter(
            run([Trial(arm, p, TUNING_SEED, "tuning", bars.get(arm)) for arm, params in asked.items() for p in params])
        )
        for arm, params in asked.items():
            told = [next(results) for _ in params]
            pruned = [position for position, result in enumerate(told) if result.pruned]
            tuners[arm].tell([result.valid for result in told], pruned, sum(result.seconds for result in told))
            trials[arm] += told
    chosen, left = {}, []
    for arm, tuner in tuners.items():
        if all(trial.valid is None for trial in trials[arm]):
            left.append(LeftOut(arm, f"every trial failed, the last with: {trials[arm][-1].message}"))
        else:
            chosen[arm] = tuner.best[0]
    finals = iter(run([Trial(arm, chosen[arm], seed, "final") for arm in chosen for seed in seeds]))
    trained = []
    for arm in chosen:
        row = Trained(arm, chosen[arm], trials[arm], [next(finals) for _ in seeds], tuners[arm].exhausted)
        if broken := next((final for final in row.finals if final.valid is None), None):
            left.append(LeftOut(arm, f"the chosen hyper-parameters failed: {broken.message}"))
        else:
            trained.append(row)
    return SearchResult(trained, left)


def _finished(trial: Ran) -> bool:
    return trial.valid is not None and not trial.pruned
