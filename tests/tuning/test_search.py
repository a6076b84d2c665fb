"""Tuning and training of a model on its arms, with a runner that knows every trial's value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import NonNegativeFloat

from recsys.content.arms import Arm
from recsys.errors import UserError
from recsys.recommender import ModelConfig, searched
from recsys.tuning.pruning import Curve
from recsys.tuning.search import Trial, tune_and_train
from recsys.tuning.tuner import Tuner

ARMS = [Arm("text", ("text",)), Arm("interactions_only")]
N_EPOCHS = 12


class Config(ModelConfig):
    rate: NonNegativeFloat = searched(0.5, 0.0, 1.0)


@dataclass(frozen=True)
class Ran:
    valid: float | None
    message: str = ""
    curve: Curve = ()
    pruned: bool = False
    seconds: float = 1.0


@dataclass
class Runner:
    """A model that rises towards its rate by the same share every epoch; slower with text."""

    seconds: dict[str, float] = field(default_factory=dict)
    gradient: bool = True
    asked: list[Trial] = field(default_factory=list)

    def __call__(self, trials: Sequence[Trial]) -> list[Ran]:
        self.asked += trials
        return [self.run(trial) for trial in trials]

    def run(self, trial: Trial) -> Ran:
        curve: list[dict[str, float]] = []
        for epoch in range(1, N_EPOCHS + 1):
            curve.append({"epoch": epoch, "valid": trial.params["rate"] * epoch / (epoch + 5)})
            if trial.bar and trial.bar.hopeless(curve, N_EPOCHS):
                break
        pruned = len(curve) < N_EPOCHS
        seconds = self.seconds.get(trial.arm.name, 1.0)
        return Ran(curve[-1]["valid"], curve=curve if self.gradient else (), pruned=pruned, seconds=seconds)


def new_tuner(**budget: Any) -> Tuner:
    return Tuner(Config, {}, **{"n_trials": 12, "seed": 0} | budget)


def test_every_arm_has_the_same_budget_and_the_defaults_first() -> None:
    runner = Runner()
    for row in tune_and_train(ARMS, new_tuner, [1, 2], runner):
        tuning = [trial for trial in runner.asked if trial.arm == row.arm and trial.stage == "tuning"]
        assert len(row.trials) == len(tuning) == 12
        assert tuning[0].params == {"rate": 0.5}
        finals = [trial for trial in runner.asked if trial.arm == row.arm and trial.stage == "final"]
        assert [(trial.params, trial.seed, trial.bar) for trial in finals] == [(row.params, s, None) for s in (1, 2)]
        assert not row.exhausted


def test_the_first_round_is_never_given_up_and_later_ones_by_those_before_them() -> None:
    runner = Runner()
    (row,) = tune_and_train(ARMS[:1], new_tuner, [1], runner)
    tuning = runner.asked[:12]
    assert [trial.bar is None for trial in tuning[:4]] == [True] * 4
    assert len({trial.bar for trial in tuning[4:8]}) == 1 and tuning[4].bar is not None
    finished = [ran for ran in row.trials[:8] if not ran.pruned]
    at_the_end = sorted(ran.valid for ran in finished)
    middle = len(at_the_end) // 2
    expected = at_the_end[middle] if len(at_the_end) % 2 else sum(at_the_end[middle - 1 : middle + 1]) / 2
    assert tuning[8].bar is not None and tuning[8].bar.medians[-1] == pytest.approx(expected)
    assert any(ran.pruned for ran in row.trials)
    best = max(ran.valid for ran in row.trials if not ran.pruned)
    assert row.params["rate"] == pytest.approx(best * (N_EPOCHS + 5) / N_EPOCHS)


def test_giving_up_loses_no_winner_here_and_saves_epochs() -> None:
    (whole,), (pruned,) = (tune_and_train(ARMS[:1], new_tuner, [1], Runner(), prune) for prune in (False, True))
    assert not any(ran.pruned for ran in whole.trials)
    assert sum(len(ran.curve) for ran in pruned.trials) < sum(len(ran.curve) for ran in whole.trials)
    assert pruned.finals[0].valid == pytest.approx(whole.finals[0].valid, rel=0.05)


def test_models_without_a_curve_are_never_given_up() -> None:
    runner = Runner(gradient=False)
    tune_and_train(ARMS, new_tuner, [1], runner)
    assert {trial.bar for trial in runner.asked} == {None}


def test_the_same_minutes_are_fewer_trials_for_the_slower_arm() -> None:
    runner = Runner(seconds={"text": 20.0, "interactions_only": 5.0})
    slow, quick = tune_and_train(ARMS, lambda: new_tuner(n_trials=50, seconds=60.0), [1], runner)
    assert (len(slow.trials), len(quick.trials)) == (3, 12)


def test_an_arm_whose_every_trial_fails_is_one_line() -> None:
    def fails(trials: Sequence[Trial]) -> list[Ran]:
        return [Ran(None, "it diverged") for _ in trials]

    with pytest.raises(UserError, match="^arm 'text': every trial failed, the last with: it diverged$"):
        tune_and_train(ARMS, new_tuner, [1], fails)
