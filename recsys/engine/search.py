"""Tune, then train: the same budget for every arm of a model, and seeds for the one that is chosen.

Rounds of all arms are run together, so that a pool stays busy; what is asked in a round depends only on what
was told in earlier ones, never on the order in which cells ended. A run that was killed therefore asks for the
same cells again and finds them done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from recsys.content.arms import Arm
from recsys.engine.cell import Stage
from recsys.errors import UserError
from recsys.training.tuning import Tuner


class Valued(Protocol):
    """What a runner gives back: the primary metric on validation, None for a cell that failed."""

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part."""

    @property
    def message(self) -> str:
        """Why the cell failed, empty where it did not."""


Result = TypeVar("Result", bound=Valued)
Trial = tuple[Arm, dict[str, Any], int, Stage]
Runner = Callable[[Sequence[Trial]], Sequence[Result]]
TUNING_SEED = 0


@dataclass(frozen=True)
class Trained(Generic[Result]):
    """An arm's chosen hyper-parameters, the trials behind them, and one final cell a seed."""

    arm: Arm
    params: dict[str, Any]
    trials: list[Result]
    finals: list[Result]


def tune_and_train(
    arms: Sequence[Arm], new_tuner: Callable[[], Tuner], seeds: Sequence[int], run: Runner[Result]
) -> list[Trained[Result]]:
    """Tune each arm on validation, then run its choice with every seed; in the order of `arms`.

    Raises:
        UserError: every trial of an arm failed, or a final cell did.
    """
    tuners = {arm: new_tuner() for arm in arms}
    trials: dict[Arm, list[Result]] = {arm: [] for arm in arms}
    while asked := {arm: params for arm, tuner in tuners.items() if (params := tuner.ask())}:
        results = iter(run([(arm, p, TUNING_SEED, "tuning") for arm, params in asked.items() for p in params]))
        for arm, params in asked.items():
            told = [next(results) for _ in params]
            tuners[arm].tell([result.valid for result in told])
            trials[arm] += told
    chosen = {arm: _chosen(arm, tuner, trials[arm]) for arm, tuner in tuners.items()}
    finals = iter(run([(arm, chosen[arm], seed, "final") for arm in arms for seed in seeds]))
    trained = [Trained(arm, chosen[arm], trials[arm], [next(finals) for _ in seeds]) for arm in arms]
    for row in trained:
        if broken := next((final for final in row.finals if final.valid is None), None):
            raise UserError(f"arm '{row.arm.name}': the chosen hyper-parameters failed: {broken.message}")
    return trained


def _chosen(arm: Arm, tuner: Tuner, trials: Sequence[Valued]) -> dict[str, Any]:
    if all(trial.valid is None for trial in trials):
        raise UserError(f"arm '{arm.name}': every trial failed, the last with: {trials[-1].message}")
    return tuner.best[0]
