"""Tuning and training of a model on its arms, with a runner that knows every trial's value."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import NonNegativeFloat

from recsys.content.arms import Arm
from recsys.recommender import ModelConfig, searched
from recsys.tuning.pruning import Curve
from recsys.tuning.search import LeftOut, Trial, tune_and_train
from recsys.tuning.tuner import Tuner

ARMS = [Arm("text", ("text",)), Arm("interactions_only")]
N_EPOCHS = 12


class Config(ModelConfig):
    rate: NonNegativeFloat = searched(0.5, 0.0, 1.0)


@dataclass(frozen=True)
class Ended:
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

    def __call__(self, trials: Sequence[Trial]) -> list[Ended]:
        self.asked += trials
        return [self.run(trial) for trial in trials]

    def run(self, trial: Trial) -> Ended:
        curve: list[dict[str, float]] = []
        for epoch in range(1, N_EPOCHS + 1):
            curve.append({"epoch": epoch, "valid": trial.params["rate"] * epoch / (epoch + 5)})
            if trial.pruning_curve and trial.pruning_curve.should_prune(curve, N_EPOCHS):
                break
        pruned = len(curve) < N_EPOCHS
        seconds = self.seconds.get(trial.arm.name, 1.0)
        return Ended(curve[-1]["valid"], curve=curve if self.gradient else (), pruned=pruned, seconds=seconds)


def new_tuner(**budget: Any) -> Tuner:
    return Tuner(Config, {}, **{"n_trials": 12, "seed": 0} | budget)


def test_every_arm_has_the_same_budget_and_the_defaults_first() -> None:
    runner = Runner()
    for row in tune_and_train(ARMS, new_tuner, [1, 2], runner).trained:
        tuning = [trial for trial in runner.asked if trial.arm == row.arm and trial.stage == "tuning"]
        assert len(row.trials) == len(tuning) == 12
        assert tuning[0].params == {"rate": 0.5}
        finals = [trial for trial in runner.asked if trial.arm == row.arm and trial.stage == "final"]
        assert [(trial.params, trial.seed) for trial in finals] == [(row.params, seed) for seed in (1, 2)]
        assert not any(trial.pruning_curve for trial in finals)
        assert not row.exhausted


def test_the_first_round_is_never_pruned_and_later_ones_by_those_before_them() -> None:
    runner = Runner()
    (row,) = tune_and_train(ARMS[:1], new_tuner, [1], runner).trained
    tuning = runner.asked[:12]
    assert [trial.pruning_curve is None for trial in tuning[:4]] == [True] * 4
    assert len({trial.pruning_curve for trial in tuning[4:8]}) == 1 and tuning[4].pruning_curve is not None
    finished = [ended for ended in row.trials[:8] if not ended.pruned]
    at_the_end = sorted(ended.valid for ended in finished)
    middle = len(at_the_end) // 2
    expected = at_the_end[middle] if len(at_the_end) % 2 else sum(at_the_end[middle - 1 : middle + 1]) / 2
    assert tuning[8].pruning_curve is not None and tuning[8].pruning_curve.medians[-1] == pytest.approx(expected)
    assert any(ended.pruned for ended in row.trials)
    best = max(ended.valid for ended in row.trials if not ended.pruned)
    assert row.params["rate"] == pytest.approx(best * (N_EPOCHS + 5) / N_EPOCHS)


def test_pruning_loses_no_winner_here_and_saves_epochs() -> None:
    searches = (tune_and_train(ARMS[:1], new_tuner, [1], Runner(), prune) for prune in (False, True))
    whole, pruned = (search.trained[0] for search in searches)
    assert not any(ended.pruned for ended in whole.trials)
    assert sum(len(ended.curve) for ended in pruned.trials) < sum(len(ended.curve) for ended in whole.trials)
    assert pruned.finals[0].valid == pytest.approx(whole.finals[0].valid, rel=0.05)


def test_models_without_a_curve_are_never_pruned() -> None:
    runner = Runner(gradient=False)
    tune_and_train(ARMS, new_tuner, [1], runner)
    assert {trial.pruning_curve for trial in runner.asked} == {None}


def test_the_same_minutes_are_fewer_trials_for_the_slower_arm() -> None:
    runner = Runner(seconds={"text": 20.0, "interactions_only": 5.0})
    slow, quick = tune_and_train(ARMS, lambda: new_tuner(n_trials=50, seconds=60.0), [1], runner).trained
    assert (len(slow.trials), len(quick.trials)) == (3, 12)


@dataclass
class Failing(Runner):
    """A model whose cells fail on the text arm where `when` says so."""

    when: Callable[[Trial], bool] = lambda trial: True
    valid: float | None = None

    def run(self, trial: Trial) -> Ended:
        failed = trial.arm.name == "text" and self.when(trial)
        return Ended(self.valid, "the loss is NaN" if self.valid is None else "") if failed else super().run(trial)


def test_an_arm_whose_every_trial_fails_is_left_out_and_the_other_trained() -> None:
    runner = Failing()
    found = tune_and_train(ARMS, new_tuner, [1, 2], runner)
    assert found.left_out == [LeftOut(ARMS[0], "every trial failed, the last with: the loss is NaN")]
    assert [row.arm for row in found.trained] == [ARMS[1]]
    assert found.trained == tune_and_train(ARMS[1:], new_tuner, [1, 2], Runner()).trained
    assert sum(trial.arm == ARMS[0] for trial in runner.asked) == 12


def test_one_failed_trial_is_passed_over() -> None:
    runner = Failing(when=lambda trial: trial.params["rate"] == 0.5)
    found = tune_and_train(ARMS, new_tuner, [1], runner)
    assert [len(row.trials) for row in found.trained] == [12, 12] and not found.left_out
    assert [row.trials[0].valid is None for row in found.trained] == [True, False]


def test_a_setting_that_cannot_be_trained_is_replaced_by_the_next_best() -> None:
    best = tune_and_train(ARMS, new_tuner, [1, 2], Runner()).trained
    runner = Failing(when=lambda trial: trial.seed == 2 and trial.params == best[0].params)
    found = tune_and_train(ARMS, new_tuner, [1, 2], runner)
    text, interactions_only = found.trained
    assert interactions_only == best[1]
    finished = sorted((ended.valid for ended in text.trials if not ended.pruned), reverse=True)
    assert [final.valid for final in text.finals] == [finished[1]] * 2
    finals = [trial for trial in runner.asked if trial.stage == "final"]
    assert [(trial.arm, trial.seed) for trial in finals] == [
        *((arm, seed) for arm in ARMS for seed in (1, 2)),
        *((ARMS[0], seed) for seed in (1, 2)),
    ]


def test_an_arm_is_left_out_when_the_next_best_fails_too() -> None:
    runner = Failing(when=lambda trial: trial.stage == "final")
    found = tune_and_train(ARMS, new_tuner, [1], runner)
    reason = "training with the chosen hyper-parameters failed: the loss is NaN"
    assert found.left_out == [LeftOut(ARMS[0], reason)]
    assert [row.arm for row in found.trained] == [ARMS[1]]
    assert [trial.arm for trial in runner.asked if trial.stage == "final"] == [*ARMS, ARMS[0]]


def test_a_metric_that_is_not_finite_is_a_failure() -> None:
    found = tune_and_train(ARMS, new_tuner, [1], Failing(valid=math.nan))
    reason = "every trial failed, the last with: its validation metric is not finite"
    assert found.left_out == [LeftOut(ARMS[0], reason)]
