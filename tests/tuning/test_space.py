"""Hyper-parameters that have no effect are left out of the space; the rest reaches its ends."""

import itertools
from typing import Any

import pytest
from pydantic import NonNegativeFloat, PositiveInt

from recsys.errors import UserError
from recsys.models import registry
from recsys.recommender import ModelConfig, searched
from recsys.tuning.budget import default_trials
from recsys.tuning.space import SearchSpace
from recsys.tuning.tuner import Tuner


class Blend(ModelConfig):
    similarity: str = searched("cosine", choices=["cosine", "tversky", "dot"])
    alpha: PositiveInt = searched(1, 1, 2, unless={"similarity": ["cosine", "dot"]})
    weight: NonNegativeFloat = searched(0.2, 0.0, 0.4, step=0.2, needs="content")
    n_neighbours: PositiveInt = searched(2, 1, 3, log=True, unless={"weight": [0.0]}, needs="content")


def whole(fixed: dict[str, Any], sources: tuple[str, ...] = ("text",)) -> list[dict[str, Any]]:
    tuner = Tuner(Blend, fixed, n_trials=100, seed=0, sources=sources)
    asked = []
    while batch := tuner.ask():
        asked += batch
        tuner.tell([0.5] * len(batch))
    assert tuner.exhausted
    return asked


def test_points_differ_in_what_has_an_effect() -> None:
    asked = whole({})
    assert len(asked) == SearchSpace(Blend, {}).n_points == (1 + 1 + 2) * (1 + 3 + 3)
    for one, other in itertools.combinations(asked, 2):
        different = {name for name in one if one[name] != other[name]}
        assert different
        assert different != {"alpha"} or one["similarity"] == "tversky"
        assert different != {"n_neighbours"} or one["weight"] > 0
    assert {params["alpha"] for params in asked if params["similarity"] != "tversky"} == {1}


@pytest.mark.parametrize(
    ("fixed", "sources", "n_points"),
    [
        ({"similarity": "cosine"}, ("text",), 7),
        ({"similarity": "tversky", "weight": 0.0}, ("text",), 2),
        ({"similarity": ["cosine", "tversky"], "weight": 0.2}, ("text",), 9),
        ({}, (), 4),
        ({"n_neighbours": [1, 2]}, (), 4),
    ],
)
def test_what_never_has_an_effect_is_not_searched(
    fixed: dict[str, Any], sources: tuple[str, ...], n_points: int
) -> None:
    assert len(whole(fixed, sources)) == n_points


class Mixed(ModelConfig):
    any_content: bool = searched(False, choices=[False, True], needs="content")
    of_two: bool = searched(False, choices=[False, True], needs="sources")
    of_others: bool = searched(False, choices=[False, True], needs="other_than_image")
    of_images: bool = searched(False, choices=[False, True], needs="image")
    between: bool = searched(False, choices=[False, True], needs="text_and_image")


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ((), set()),
        (("text",), {"any_content", "of_others"}),
        (("image",), {"any_content", "of_images"}),
        (("tags", "audio"), {"any_content", "of_two", "of_others"}),
        (("image", "text"), {"any_content", "of_two", "of_others", "of_images", "between"}),
        (("text", "image", "audio"), {"any_content", "of_two", "of_others", "of_images"}),
        (None, {"any_content", "of_two", "of_others", "of_images", "between"}),
    ],
)
def test_what_is_searched_depends_on_the_sources_shown(sources: tuple[str, ...] | None, names: set[str]) -> None:
    assert set(SearchSpace(Mixed, {}, sources).distributions) == names


def test_what_a_study_fixes_holds_where_it_has_no_effect() -> None:
    assert {params["alpha"] for params in whole({"alpha": 2})} == {2}


def test_a_setting_brings_what_it_needs_and_leaves_out_what_it_does_not() -> None:
    space = SearchSpace(Blend, {})
    tversky = space.adapted({"similarity": "tversky", "alpha": 2}, space.first[0])
    assert space.settings(tversky) == {"similarity": "tversky", "alpha": 2, "weight": 0.2, "n_neighbours": 2}
    assert space.settings(space.adapted({"similarity": "dot", "weight": 0.0}, tversky)) == {
        "similarity": "dot",
        "weight": 0.0,
    }
    assert space.adapted({"weight": 0.1}, tversky) == tversky


def test_what_was_chosen_elsewhere_is_tried_with_the_own_best_for_the_rest() -> None:
    space = SearchSpace(Blend, {})
    best = {"similarity": "tversky", "alpha": 2, "weight": 0.4, "n_neighbours": 3}
    settings = [
        {"similarity": "tversky", "alpha": 1},
        {"similarity": "hamming", "weight": 0.4},  # no such similarity, and the weight is the own: nothing new
        {"weight": 0.0, "l2": 0.1},  # without weight the neighbours have no effect, and stand at their default
        {"alpha": 1},  # the first again
        {"similarity": "cosine", "alpha": 2},  # which has an effect beside tversky alone
    ]
    assert space.nested(settings, best, tried=[best]) == [
        best | {"alpha": 1},
        best | {"weight": 0.0, "n_neighbours": 2},
        best | {"similarity": "cosine", "alpha": 1},
    ]
    assert space.nested(settings[:1], best, tried=[best, best | {"alpha": 1}]) == []


def test_of_a_choice_what_had_an_effect_is_handed_on() -> None:
    whole = {"similarity": "dot", "alpha": 2, "weight": 0.0, "n_neighbours": 3}
    assert SearchSpace(Blend, {}).effective(whole) == {"similarity": "dot", "weight": 0.0}
    assert SearchSpace(Blend, {}, ()).effective(whole) == {"similarity": "dot"}
    assert SearchSpace(Blend, {"similarity": "dot"}).effective(whole) == {"weight": 0.0}


@pytest.mark.parametrize("model", sorted(registry.load_all()))
def test_a_models_first_points_lie_in_its_space(model: str) -> None:
    config = registry.load(model).Config
    space = SearchSpace(config, {})
    for setting in config.first_points:
        point = space.settings(space.adapted(setting, space.first[0]))
        assert {name: point.get(name) for name in setting} == setting
    assert len(space.first) == 1 + len(config.first_points)


@pytest.mark.parametrize("model", sorted(registry.load_all()))
def test_values_that_act_by_ratio_are_searched_by_ratio(model: str) -> None:
    for name, distribution in SearchSpace(registry.load(model).Config, {}).distributions.items():
        if name.startswith(("learning_rate", "n_neighbours", "n_factors", "shrink", "l1", "norm_weight")):
            assert getattr(distribution, "log", True), name


@pytest.mark.parametrize(("model", "n_trials"), [("ItemKNN", 30), ("EASE", 30), ("IALS", 30), ("BPRMF", 10)])
def test_models_trained_by_gradient_get_fewer_trials(model: str, n_trials: int) -> None:
    assert default_trials(model) == n_trials


def test_what_does_not_fit_is_said_of_the_model_and_not_of_its_config() -> None:
    class LinearConfig(ModelConfig):
        l2: float = searched(1.0, low=0.1, high=10.0, log=True)

    for fixed in ({"l2": []}, {"l1": 1.0}):
        with pytest.raises(UserError, match="^Linear: "):
            SearchSpace(LinearConfig, fixed)
