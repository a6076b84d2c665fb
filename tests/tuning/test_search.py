"""Tuning and training of a model on its arms, with a runner that knows every trial's value."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from pydantic import NonNegativeFloat

from recsys.content.arms import Arm
from recsys.recommender import ModelConfig, searched
from recsys.tuning.budget import SHORTLIST, most_nested, most_trials
from recsys.tuning.pruning import Curve
from recsys.tuning.search import nested, train, tune
from recsys.tuning.space import SearchSpace
from recsys.tuning.trials import LeftOut, Searched, SearchResult, Stage, Trained, Trial, Tried
from recsys.tuning.tuner import Tuner

TEXT, ALONE = ARMS = [Arm("text", ("text",)), Arm("interactions_only")]
N_EPOCHS = 12
N_TRIALS = 12


class Config(ModelConfig):
    rate: NonNegativeFloat = searched(0.5, 0.0, 1.0)


@dataclass(frozen=True)
class Ended:
    valid: float | None
    message: str = ""
    curve: Curve = ()
    pruned: bool = False
    seconds: float = 1.0
    fingerprint: str = ""


def identity(trial: Trial) -> float:
    return float(trial.params["rate"])


@dataclass
class Runner:
    """A model that rises towards what its rate is worth by the same share every epoch; slower with text."""

    seconds: dict[str, float] = field(default_factory=dict)
    gradient: bool = True
    worth: Callable[[Trial], float] = identity
    asked: list[Trial] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)

    def __call__(self, trials: Sequence[Trial]) -> list[Ended]:
        self.asked += trials
        self.rounds.append(len(trials))
        return [self.run(trial) for trial in trials]

    def run(self, trial: Trial) -> Ended:
        curve: list[dict[str, float]] = []
        for epoch in range(1, N_EPOCHS + 1):
            curve.append({"epoch": epoch, "valid": self.worth(trial) * epoch / (epoch + 5)})
            if trial.pruning_curve and trial.pruning_curve.should_prune(curve, N_EPOCHS):
                break
        pruned = len(curve) < N_EPOCHS
        seconds = self.seconds.get(trial.arm.name, 1.0) * len(curve) / N_EPOCHS
        kept = curve if self.gradient else ()
        return Ended(curve[-1]["valid"], "", kept, pruned, seconds, self.fingerprint(trial))

    def fingerprint(self, trial: Trial) -> str:
        return f"{trial.arm.name} {trial.stage} {trial.repeat} {trial.params}"

    def of(self, arm: Arm, stage: Stage, repeat: int = 1) -> list[Trial]:
        """What was asked for, in order."""
        return [t for t in self.asked if (t.arm, t.stage, t.repeat) == (arm, stage, repeat)]


def new_tuner(_: Arm, **budget: Any) -> Tuner:
    return Tuner(Config, {}, **{"n_trials": N_TRIALS, "seed": 0} | budget)


def tune_and_train(
    arms: Sequence[Arm], tuner_of: Callable[[Arm], Tuner], n_repeats: int, runner: Runner, prune: bool = True
) -> SearchResult[Ended]:
    return train(tune(arms, tuner_of, runner, prune), n_repeats, runner)


def searched_by(runner: Runner, n_repeats: int = 1, arms: Sequence[Arm] = ARMS) -> SearchResult[Ended]:
    return tune_and_train(arms, new_tuner, n_repeats, runner)


def own(row: Trained[Ended]) -> list[Tried]:
    """The trials of an arm's own budget."""
    return row.trials[: len(row.trials) - row.n_nested]


def test_every_arm_has_the_same_budget_and_the_defaults_first() -> None:
    runner = Runner()
    for row in searched_by(runner, 2).trained:
        tuning = runner.of(row.arm, "tuning")
        assert len(own(row)) == N_TRIALS and len(tuning) == len(row.trials)
        assert [trial.params for trial in tuning] == [trial.params for trial in row.trials]
        assert tuning[0].params == {"rate": 0.5}
        assert not row.exhausted


def test_the_first_round_is_never_pruned_and_later_ones_by_those_before_them() -> None:
    runner = Runner()
    (row,) = searched_by(runner, arms=ARMS[:1]).trained
    tuning = runner.asked[:N_TRIALS]
    assert [trial.pruning_curve is None for trial in tuning[:4]] == [True] * 4
    assert len({trial.pruning_curve for trial in tuning[4:8]}) == 1 and tuning[4].pruning_curve is not None
    at_the_end = sorted(trial.valid for trial in row.trials[:8] if trial.valid is not None and not trial.pruned)
    middle = len(at_the_end) // 2
    expected = at_the_end[middle] if len(at_the_end) % 2 else sum(at_the_end[middle - 1 : middle + 1]) / 2
    assert tuning[8].pruning_curve is not None and tuning[8].pruning_curve.medians[-1] == pytest.approx(expected)
    assert any(trial.pruned for trial in row.trials)
    best = max(trial.valid for trial in row.trials if trial.valid is not None and not trial.pruned)
    assert row.settings[0]["rate"] == pytest.approx(best * (N_EPOCHS + 5) / N_EPOCHS)


def test_pruning_loses_no_winner_here_and_saves_epochs() -> None:
    searches = (tune_and_train(ARMS[:1], new_tuner, 1, Runner(), prune) for prune in (False, True))
    whole, pruned = (search.trained[0] for search in searches)
    assert not any(trial.pruned for trial in whole.trials)
    assert pruned.seconds < whole.seconds
    assert pruned.finals[0].valid == pytest.approx(whole.finals[0].valid, rel=0.05)


def test_models_without_a_curve_are_never_pruned() -> None:
    runner = Runner(gradient=False)
    searched_by(runner)
    assert {trial.pruning_curve for trial in runner.asked} == {None}


def test_the_same_minutes_are_fewer_trials_for_the_slower_arm() -> None:
    runner = Runner(seconds={"text": 20.0, "interactions_only": 5.0}, gradient=False)
    slow, quick = tune_and_train(ARMS, lambda arm: new_tuner(arm, n_trials=50, seconds=60.0), 1, runner).trained
    assert (len(own(slow)), len(own(quick))) == (3, 12)


def peaks(**at: float) -> Callable[[Trial], float]:
    """What a rate is worth: the most at a point of the arm's own."""
    return lambda trial: 1 - abs(trial.params["rate"] - at[trial.arm.name])


def test_each_arm_is_tried_with_what_the_others_chose() -> None:
    third = Arm("image", ("image",))
    runner = Runner(gradient=False, worth=peaks(text=0.1, interactions_only=0.6, image=0.9))
    seeds = count()
    rows = tune_and_train([*ARMS, third], lambda arm: new_tuner(arm, seed=next(seeds)), 1, runner).trained
    best = {row.arm: max(own(row), key=lambda trial: trial.valid or 0) for row in rows}
    for row in rows:
        assert row.n_nested == 2
        others = [best[other] for other in best if other != row.arm]
        by_value = sorted(others, key=lambda trial: -(trial.valid or 0))
        assert [trial.params for trial in row.trials[-2:]] == [trial.params for trial in by_value]
    # One round for all of it, and one for the final cells: a pool stays busy.
    assert [size for size in runner.rounds if size][-2:] == [6, 3]


def test_no_arm_is_ahead_by_the_luck_of_its_search() -> None:
    # Equal arms, of which one alone finds the good settings by itself.
    lucky, unlucky = [0.5, 0.2, 0.8, 0.99], [0.5, 0.2, 0.3, 0.4]

    class Told(Tuner):
        """Asks for what it is told to."""

        def __init__(self, rates: Sequence[float]) -> None:
            super().__init__(Config, {}, n_trials=4, seed=0)
            self.rates = list(rates)

        def ask(self) -> list[dict[str, Any]]:
            rates, self.rates = self.rates, []
            return [{"rate": rate} for rate in rates]

        def tell(self, *_: Any) -> None:
            """Learns nothing."""

    tuners = iter([Told(lucky), Told(unlucky)])
    rows = tune_and_train(ARMS, lambda arm: next(tuners), 1, Runner(gradient=False)).trained
    assert [row.settings for row in rows] == [[{"rate": 0.99}]] * 2
    # The first had tried the best of the second itself, and nothing is tried twice.
    assert [row.n_nested for row in rows] == [0, 1]


def test_settings_of_others_fill_in_the_own_best_where_nothing_is_shared() -> None:
    class Wide(Config):
        depth: int = searched(2, 1, 4)

    worse = [Tried({"rate": 0.5, "depth": 2}, 0.3), Tried({"rate": 0.6, "depth": 2}, 0.2)]
    found = Searched([*worse, Tried({"rate": 0.1, "depth": 4}, 0.7)])
    space = SearchSpace(Wide, {})
    given = [{"rate": 0.9}, {"rate": 0.9, "other": 1}, {"rate": 5.0}, {"depth": 1}, {"depth": 9, "rate": 0.2}]
    assert nested(space, found, given) == [
        {"rate": 0.9, "depth": 4},
        {"rate": 0.1, "depth": 1},
        {"rate": 0.2, "depth": 4},
    ]
    assert nested(space, Searched([Tried({"rate": 0.5, "depth": 2}, None)]), given) == []
    fixed = Searched([Tried({"rate": 0.5, "depth": depth}, 0.1 * depth) for depth in (2, 3)])
    assert nested(SearchSpace(Wide, {"rate": 0.5}), fixed, [{"rate": 0.9}, {"depth": 3}]) == []


@pytest.mark.parametrize(("n_trials", "most"), [(1, 1), (2, 2), (10, 3), (30, 10)])
def test_of_many_settings_of_others_the_best_third_of_the_budget_is_tried(n_trials: int, most: int) -> None:
    found = Searched([Tried({"rate": number / 1000}, 0.1) for number in range(n_trials)])
    given = [{"rate": 1 - number / 100} for number in range(40)]
    assert nested(SearchSpace(Config, {}), found, given) == given[:most]
    assert most_nested(n_trials) == most


def test_later_repeats_choose_among_the_best_few_of_the_first() -> None:
    # What is best drifts with the repeat.
    def worth(trial: Trial) -> float:
        return 1 - abs(trial.params["rate"] - 0.3 - 0.1 * trial.repeat)

    runner = Runner(gradient=False, worth=worth)
    for row in searched_by(runner, 3).trained:
        shortlist = Searched(row.trials).shortlist
        assert len(shortlist) == SHORTLIST
        assert row.settings[0] == shortlist[0] == max(row.trials, key=lambda trial: trial.valid or 0).params
        for repeat in (2, 3):
            assert [trial.params for trial in runner.of(row.arm, "tuning", repeat)] == shortlist
            best = min(shortlist, key=lambda params: abs(params["rate"] - 0.3 - 0.1 * repeat))
            assert row.settings[repeat - 1] == best
        finals = [trial for trial in runner.asked if trial.arm == row.arm and trial.stage == "final"]
        assert [(trial.repeat, trial.params) for trial in finals] == list(enumerate(row.settings, start=1))
        assert not any(trial.pruning_curve for trial in finals)
        assert [final.valid for final in row.finals] == [runner.run(trial).valid for trial in finals]
        assert row.settings[0] != row.settings[2]


def test_what_is_tried_beyond_the_budget_is_never_more_than_the_budget() -> None:
    others = [TEXT, ALONE, Arm("image", ("image",))]
    runner = Runner(gradient=False, seconds={"text": 0.4, "interactions_only": 2.0, "image": 2.0})
    rows = tune_and_train(others, lambda arm: new_tuner(arm, seconds=1.0), 3, runner).trained
    assert [len(own(row)) for row in rows] == [3, 1, 1]
    for row in rows:
        assert row.n_nested <= len(own(row))
        again = runner.of(row.arm, "tuning", 2)
        # With one trial of its own an arm chooses once, and later repeats train what it chose.
        assert len(again) == (len(own(row)) if len(own(row)) > 1 else 0)
    assert rows[1].settings == [rows[1].settings[0]] * 3


def test_with_a_single_setting_nothing_is_chosen_again() -> None:
    runner = Runner()
    (row,) = tune_and_train(ARMS[:1], lambda arm: Tuner(Config, {"rate": 0.4}, 12, 0), 3, runner).trained
    assert row.settings == [{"rate": 0.4}] * 3 and row.exhausted
    assert [(trial.stage, trial.repeat) for trial in runner.asked] == [("tuning", 1)] + [
        ("final", repeat) for repeat in (1, 2, 3)
    ]


def test_an_arm_with_settings_of_its_own_for_each_repeat_chooses_nothing() -> None:
    runner, fixed = Runner(), [{"rate": 0.1}, {"rate": 0.9}]
    (row,) = train({TEXT: Searched([], fixed=fixed)}, 2, runner).trained
    assert row.settings == fixed and row.trials == [] and row.n_nested == 0
    assert [(trial.stage, trial.repeat, trial.params) for trial in runner.asked] == [
        ("final", 1, fixed[0]),
        ("final", 2, fixed[1]),
    ]


def test_another_repeat_asks_for_nothing_new_of_those_before_it() -> None:
    two, three = Runner(), Runner()
    searched_by(two, 2), searched_by(three, 3)
    assert [trial for trial in three.asked if trial.repeat < 3] == two.asked
    for arm in ARMS:
        assert len(three.of(arm, "tuning", 3)) == SHORTLIST and len(three.of(arm, "final", 3)) == 1


def test_seconds_are_those_of_all_cells() -> None:
    runner = Runner(gradient=False)
    for row in searched_by(runner, 3).trained:
        assert row.seconds == pytest.approx(sum(trial.arm == row.arm for trial in runner.asked))


class OneSplit(Runner):
    """A closed form whose repeats all have the same split, so that each setting is one cell at each stage."""

    def fingerprint(self, trial: Trial) -> str:
        return f"{trial.arm.name} {trial.stage} {trial.params}"


def test_seconds_of_a_cell_that_several_repeats_share_count_once() -> None:
    runner = OneSplit(gradient=False)
    for row in searched_by(runner, 3).trained:
        of_arm = [trial for trial in runner.asked if trial.arm == row.arm]
        assert len(of_arm) > len({trial.params["rate"] for trial in of_arm}) + 1
        assert row.seconds == pytest.approx(len({(trial.stage, trial.params["rate"]) for trial in of_arm}))


def rising() -> Callable[[Trial], float]:
    """A trial is worth a tenth more than the one before it, whatever its rate."""
    numbers = count()
    return lambda trial: 1.1 ** next(numbers)


@pytest.mark.parametrize(("n_trials", "most"), [(8, 8), (9, 18), (12, 24), (13, 26)])
def test_a_search_that_still_finds_better_settings_goes_on_to_twice_its_budget(n_trials: int, most: int) -> None:
    def tuner(arm: Arm) -> Tuner:
        return new_tuner(arm, n_trials=n_trials)

    (row,) = tune_and_train(ARMS[:1], tuner, 1, Runner(gradient=False, worth=rising())).trained
    assert len(own(row)) == most == most_trials(n_trials)
    (flat,) = tune_and_train(ARMS[:1], tuner, 1, Runner(gradient=False, worth=lambda trial: 1.0)).trained
    assert len(own(flat)) == n_trials


def test_time_and_the_number_of_settings_are_bounds_of_a_search_that_goes_on() -> None:
    timed = Runner(gradient=False, worth=rising())
    (row,) = tune_and_train(ARMS[:1], lambda arm: new_tuner(arm, seconds=10.0), 1, timed).trained
    assert len(own(row)) <= N_TRIALS
    few = Runner(gradient=False, worth=rising())
    rates = [number / 20 for number in range(20)]
    (row,) = tune_and_train(ARMS[:1], lambda arm: Tuner(Config, {"rate": rates}, 15, 0), 1, few).trained
    assert len(own(row)) == 20 and row.exhausted


@dataclass
class Failing(Runner):
    """A model whose cells fail on the text arm where `when` says so."""

    when: Callable[[Trial], bool] = lambda trial: True
    valid: float | None = None

    def run(self, trial: Trial) -> Ended:
        failed = trial.arm == TEXT and self.when(trial)
        return Ended(self.valid, "the loss is NaN" if self.valid is None else "") if failed else super().run(trial)


def test_an_arm_whose_every_trial_fails_is_left_out_and_the_other_trained() -> None:
    runner = Failing()
    found = searched_by(runner, 2)
    assert found.left_out == [LeftOut(TEXT, "every trial failed, the last with: the loss is NaN")]
    assert [row.arm for row in found.trained] == [ALONE]
    assert found.trained == searched_by(Runner(), 2, ARMS[1:]).trained
    assert sum(trial.arm == TEXT for trial in runner.asked) == N_TRIALS


def test_one_failed_trial_is_passed_over() -> None:
    found = searched_by(Failing(when=lambda trial: trial.params["rate"] == 0.5))
    assert all(len(own(row)) >= N_TRIALS for row in found.trained) and not found.left_out
    assert [row.trials[0].valid is None for row in found.trained] == [True, False]


def test_a_setting_that_cannot_be_trained_is_replaced_by_the_next_best_in_that_repeat() -> None:
    text, alone = searched_by(Runner(), 2).trained
    best, second = Searched(text.trials).shortlist[:2]
    runner = Failing(when=lambda trial: trial.stage == "final" and trial.repeat == 2 and trial.params == best)
    again, other = searched_by(runner, 2).trained
    assert other == alone
    assert again.settings == [best, second]
    finals = [trial for trial in runner.asked if trial.stage == "final"]
    assert [(trial.arm, trial.repeat) for trial in finals] == [
        *((arm, repeat) for arm in ARMS for repeat in (1, 2)),
        (TEXT, 2),
    ]


def test_a_repeat_in_which_no_setting_can_be_tried_takes_the_first_repeats() -> None:
    found = searched_by(Failing(when=lambda trial: trial.stage == "tuning" and trial.repeat == 2), 2)
    (text, _) = found.trained
    assert text.settings == [Searched(text.trials).best] * 2


def test_an_arm_is_left_out_when_the_next_best_fails_too() -> None:
    runner = Failing(when=lambda trial: trial.stage == "final" and trial.repeat == 2)
    found = searched_by(runner, 2)
    reason = "training with the chosen hyper-parameters failed: the loss is NaN"
    assert found.left_out == [LeftOut(TEXT, reason)]
    assert [row.arm for row in found.trained] == [ALONE]
    assert sum(trial.stage == "final" and trial.arm == TEXT for trial in runner.asked) == 3


def test_a_metric_that_is_not_finite_is_a_failure() -> None:
    found = searched_by(Failing(valid=math.nan))
    reason = "every trial failed, the last with: its validation metric is not finite"
    assert found.left_out == [LeftOut(TEXT, reason)]
