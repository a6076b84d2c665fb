"""One budget, the same trials whoever runs them, and no point measured twice."""

from typing import Any

import pytest

from recsys.models.base import ModelConfig, searched
from recsys.training.tuning import Tuner


class Smooth(ModelConfig):
    x: float = searched(0.5, 0.001, 10.0, log=True)
    n: int = searched(5, 1, 100)
    kind: str = searched("a", choices=["a", "b"])
    kept: int = 3


class Small(ModelConfig):
    a: int = searched(1, 1, 3)
    b: bool = searched(True, choices=[True, False])


class Nothing(ModelConfig):
    kept: int = 3


def worth(params: dict[str, Any]) -> float:
    return -abs(params["x"] - 2) - abs(params["n"] - 40) / 100 + (params["kind"] == "b")


def asked(tuner: Tuner, told: list[float | None] | None = None) -> list[dict[str, Any]]:
    trials: list[dict[str, Any]] = []
    while batch := tuner.ask():
        trials += batch
        tuner.tell([worth(p) if "x" in p else 0.0 for p in batch])
    return trials


def test_the_first_trial_has_the_defaults_and_the_budget_is_kept() -> None:
    trials = asked(Tuner(Smooth, {}, n_trials=10, seed=0))
    assert len(trials) == 10
    assert trials[0] == {"x": 0.5, "n": 5, "kind": "a"}


def test_the_same_values_lead_to_the_same_trials() -> None:
    assert asked(Tuner(Smooth, {}, 12, seed=3)) == asked(Tuner(Smooth, {}, 12, seed=3))
    assert asked(Tuner(Smooth, {}, 12, seed=3)) != asked(Tuner(Smooth, {}, 12, seed=4))


def test_it_learns_from_what_it_is_told() -> None:
    tuner = Tuner(Smooth, {}, n_trials=60, seed=0)
    values = [worth(trial) for trial in asked(tuner)]
    assert tuner.best[1] == max(values) > values[0]
    assert sum(values[-20:]) > sum(values[:20])


def test_fixed_values_stay_and_lists_are_searched() -> None:
    trials = asked(Tuner(Smooth, {"x": 2.0, "n": [7, 8], "kept": 9}, n_trials=20, seed=0))
    assert {(t["x"], t["kept"]) for t in trials} == {(2.0, 9)}
    assert {(t["n"], t["kind"]) for t in trials} == {(n, kind) for n in (7, 8) for kind in "ab"}
    assert len(trials) == 4


def test_a_small_space_is_walked_through_once() -> None:
    trials = asked(Tuner(Small, {}, n_trials=50, seed=0))
    assert len(trials) == 6 == len({(t["a"], t["b"]) for t in trials})


def test_a_model_without_hyper_parameters_has_one_trial() -> None:
    assert asked(Tuner(Nothing, {}, n_trials=50, seed=0)) == [{}]
    assert asked(Tuner(Nothing, {"kept": 4}, n_trials=50, seed=0)) == [{"kept": 4}]


def test_a_failed_trial_is_no_choice_and_the_earliest_of_equals_is() -> None:
    tuner = Tuner(Small, {}, n_trials=4, seed=0, batch=4)
    trials = tuner.ask()
    tuner.tell([None, 0.3, 0.3, float("nan")])
    assert tuner.best == (trials[1], 0.3)


def test_asking_twice_without_telling_is_refused() -> None:
    tuner = Tuner(Smooth, {}, n_trials=4, seed=0)
    tuner.ask()
    with pytest.raises(RuntimeError, match="tell the values"):
        tuner.ask()
