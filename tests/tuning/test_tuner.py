import math
from statistics import median
from typing import Any

import pytest
from pydantic import NonNegativeFloat, PositiveInt

from recsys.errors import UserError
from recsys.recommender import ModelConfig, searched
from recsys.tuning.trials import Searched, Tried
from recsys.tuning.tuner import Tuner


class Config(ModelConfig):
    n_factors: PositiveInt = 64
    rate: NonNegativeFloat = searched(1e-2, 1e-4, 1.0, log=True)
    n_layers: PositiveInt = searched(2, 1, 4)
    loss: str = searched("bpr", choices=["bpr", "softmax"])


class Finite(ModelConfig):
    n_layers: PositiveInt = searched(2, 1, 3)
    loss: str = searched("bpr", choices=["bpr", "softmax"])


class Nothing(ModelConfig):
    n_factors: int = 64


def value(params: dict[str, Any]) -> float:
    """Highest at a rate of 0.1 and four layers."""
    return -abs(math.log10(params["rate"]) + 1) + params["n_layers"] / 10


def run(tuner: Tuner) -> list[dict[str, Any]]:
    asked = []
    while batch := tuner.ask():
        tuner.tell([value(params) for params in batch])
        asked += batch
    return asked


def test_first_trial_is_the_defaults_with_what_is_fixed() -> None:
    first = Tuner(Config, {"n_factors": 16, "rate": 0.5}, n_trials=8, seed=1).ask()[0]
    assert first == {"n_factors": 16, "rate": 0.5, "n_layers": 2, "loss": "bpr"}


def test_same_values_told_ask_the_same_again() -> None:
    assert run(Tuner(Config, {}, n_trials=22, seed=3)) == run(Tuner(Config, {}, n_trials=22, seed=3))


def test_another_seed_asks_for_other_points() -> None:
    assert run(Tuner(Config, {}, n_trials=8, seed=3)) != run(Tuner(Config, {}, n_trials=8, seed=4))


def test_a_killed_search_resumes_where_it_stood() -> None:
    whole = run(Tuner(Config, {}, n_trials=18, seed=3))
    resumed = Tuner(Config, {}, n_trials=18, seed=3)
    for _ in range(3):
        resumed.tell([value(params) for params in resumed.ask()])
    assert resumed.ask() == whole[12:16]


def test_budget_and_batches() -> None:
    tuner = Tuner(Config, {}, n_trials=6, seed=0)
    sizes = []
    while batch := tuner.ask():
        sizes.append(len(batch))
        tuner.tell([0.0] * len(batch))
    assert sizes == [4, 2]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_search_gets_nearer_than_its_random_start(seed: int) -> None:
    tuner = Tuner(Config, {}, n_trials=40, seed=seed)
    values = [value(params) for params in run(tuner)]
    assert median(values[12:]) > median(values[:12]) + 0.3


def test_values_stay_in_their_ranges_and_kinds() -> None:
    for params in run(Tuner(Config, {}, n_trials=30, seed=5)):
        assert 1e-4 <= params["rate"] <= 1.0
        assert type(params["n_layers"]) is int
        assert 1 <= params["n_layers"] <= 4
        assert params["loss"] in ("bpr", "softmax")


def test_a_list_is_searched_instead_of_the_range() -> None:
    asked = run(Tuner(Config, {"rate": [0.2, 0.3], "n_factors": [8, 32]}, n_trials=20, seed=1))
    assert asked[0] == {"n_factors": 8, "rate": 0.2, "n_layers": 2, "loss": "bpr"}
    assert {params["rate"] for params in asked} == {0.2, 0.3}
    assert {params["n_factors"] for params in asked} == {8, 32}


@pytest.mark.parametrize(("n_trials", "expected"), [(100, 6), (5, 5)])
def test_a_finite_space_is_never_asked_twice(n_trials: int, expected: int) -> None:
    tuner = Tuner(Finite, {}, n_trials, seed=2)
    asked = []
    while batch := tuner.ask():
        asked += batch
        tuner.tell([1.0 if params["loss"] == "bpr" else 0.0 for params in batch])
    assert len(asked) == len({tuple(params.values()) for params in asked}) == expected


def test_nothing_to_search_is_one_trial() -> None:
    tuner = Tuner(Nothing, {"n_factors": 8}, n_trials=30, seed=0)
    assert tuner.ask() == [{"n_factors": 8}]
    tuner.tell([0.5])
    assert tuner.ask() == []


def test_the_earliest_of_equals_is_best_and_what_failed_or_was_pruned_is_passed_over() -> None:
    tried = [
        Tried({"rate": 0.1}, None),
        Tried({"rate": 0.2}, 0.3),
        Tried({"rate": 0.3}, math.nan),
        Tried({"rate": 0.4}, 0.3),
        Tried({"rate": 0.5}, 0.9, pruned=True),
    ]
    assert Searched(tried).shortlist == [{"rate": 0.2}, {"rate": 0.4}]
    assert Searched([Tried({}, None)]).shortlist == []


def test_an_unknown_name_is_one_line() -> None:
    with pytest.raises(UserError, match=r"Config: no hyper-parameter 'layers' to fix; did you mean 'n_layers'\?"):
        Tuner(Config, {"layers": 3}, n_trials=4, seed=0)


def test_tells_a_caller_who_asks_twice() -> None:
    tuner = Tuner(Config, {}, n_trials=8, seed=0)
    tuner.ask()
    with pytest.raises(RuntimeError, match="tell the values"):
        tuner.ask()


def test_an_empty_list_of_choices_is_one_line() -> None:
    with pytest.raises(UserError, match="Config: the list of choices for 'rate' is empty: name at least one"):
        Tuner(Config, {"rate": []}, n_trials=4, seed=0)


def test_pruning_is_part_of_what_a_search_depends_on() -> None:
    def search(pruned: list[int]) -> list[dict[str, Any]]:
        tuner = Tuner(Config, {}, n_trials=22, seed=3)
        asked = []
        while batch := tuner.ask():
            asked += batch
            tuner.tell([value(params) for params in batch], pruned=pruned[: len(batch)])
        return asked

    assert search([0, 1]) == search([0, 1])
    assert search([0, 1]) != search([])


def timed(seconds: float, each: float, n_trials: int = 100) -> list[int]:
    """Sizes of the batches of a search by time, whose trials take `each` so many seconds."""
    tuner = Tuner(Config, {}, n_trials, seed=0, seconds=seconds)
    sizes = []
    while batch := tuner.ask():
        sizes.append(len(batch))
        tuner.tell([value(params) for params in batch], seconds=each * len(batch))
    return sizes


@pytest.mark.parametrize(
    ("seconds", "each", "sizes"),
    [
        (60, 100, [1]),  # the defaults are tried whatever they take
        (60, 20, [1, 2]),
        (60, 25, [1, 2]),  # the third begins at 50 s and is finished
        (60, 10, [1, 4, 1]),
        (60, 6, [1, 4, 4, 1]),
    ],
)
def test_a_budget_of_time_is_spent_by_what_trials_take(seconds: float, each: float, sizes: list[int]) -> None:
    assert timed(seconds, each) == sizes


def test_the_number_of_trials_bounds_a_budget_of_time() -> None:
    assert timed(1e9, 1.0, n_trials=7) == [1, 4, 2]
    assert timed(1e9, 0.0, n_trials=7) == [1, 4, 2]


def test_a_search_by_time_resumes_by_the_seconds_that_were_told() -> None:
    seconds = [7.0, 22.0, 30.0]
    whole, resumed = (Tuner(Config, {}, 100, seed=3, seconds=60) for _ in range(2))
    for spent in seconds[:2]:
        for tuner in (whole, resumed):
            tuner.tell([value(params) for params in tuner.ask()], seconds=spent)
    assert whole.ask() == resumed.ask() != []
    whole.tell([0.0] * 4, seconds=seconds[2])
    assert whole.ask() != []


@pytest.mark.parametrize(
    ("config", "n_trials", "exhausted"), [(Finite, 100, True), (Finite, 5, False), (Config, 9, False)]
)
def test_a_search_knows_whether_anything_is_left_to_try(
    config: type[ModelConfig], n_trials: int, exhausted: bool
) -> None:
    tuner = Tuner(config, {}, n_trials, seed=0)
    while batch := tuner.ask():
        tuner.tell([0.5] * len(batch))
    assert tuner.exhausted == exhausted


@pytest.mark.parametrize(("n_trials", "at_random"), [(10, 1), (30, 2)])
def test_what_is_drawn_before_tpe_begins_is_a_third_of_the_budget_at_most(n_trials: int, at_random: int) -> None:
    def batches(sign: int) -> list[list[dict[str, Any]]]:
        tuner = Tuner(Config, {}, n_trials, seed=3)
        asked = []
        while batch := tuner.ask():
            tuner.tell([sign * value(params) for params in batch])
            asked.append(batch)
        return asked

    same = [one == other for one, other in zip(batches(1), batches(-1), strict=True)]
    assert same == [True] * at_random + [False] * (len(same) - at_random)


class WithPoints(ModelConfig):
    first_points = ({"rate": 0.1}, {"rate": 0.2, "n_layers": 3}, {"rate": 1e-2}, {"n_layers": 1})

    rate: NonNegativeFloat = searched(1e-2, 1e-4, 1.0, log=True)
    n_layers: PositiveInt = searched(2, 1, 4)


def test_first_points_follow_the_defaults_each_once_in_half_of_the_budget() -> None:
    points = [{"rate": 0.01, "n_layers": 2}, {"rate": 0.1, "n_layers": 2}, {"rate": 0.2, "n_layers": 3}]
    points.append({"rate": 0.01, "n_layers": 1})
    assert run(Tuner(WithPoints, {}, n_trials=8, seed=0))[:4] == points
    few = run(Tuner(WithPoints, {}, n_trials=4, seed=0))
    assert few[:2] == points[:2]
    assert few[2] not in points


@pytest.mark.parametrize(
    ("fixed", "points"),
    [
        ({"n_layers": 2}, [(0.01, 2), (0.1, 2)]),
        ({"n_layers": 3}, [(0.01, 3), (0.1, 3), (0.2, 3)]),
        ({"rate": [0.1, 0.2]}, [(0.1, 2), (0.2, 3), (0.1, 1)]),
    ],
)
def test_first_points_that_contradict_a_study_are_dropped(
    fixed: dict[str, Any], points: list[tuple[float, int]]
) -> None:
    asked = run(Tuner(WithPoints, fixed, n_trials=30, seed=0))
    assert [(params["rate"], params["n_layers"]) for params in asked[: len(points)]] == points
    assert len(asked) > len(points)
