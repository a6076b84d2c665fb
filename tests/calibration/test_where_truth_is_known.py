"""The calibration in small: real models of a closed form on a few markets whose truth is known.

Each test would have caught a fault that the first edition of the procedure had; `make calibrate` has the rates.
"""

from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
from calibration import from_interactions, markets, rules
from calibration.markets import Shape
from calibration.same_model import same_model_twice
from calibration.settings import HALVES, ONE_SOURCE, TEXT, WHO_LOSES, WHOLE, draw_split
from calibration.studies import Plan, Record, study_draw

LINEAR = {"TopPop": {}, "EASE": {}, "AddEASE": {}}
QUICK = Plan(LINEAR, trials=12)
SMALL = Shape(n_users=200, n_items=120)
HELPS = ("helps", "helps_a_little")


@cache
def found(setting: str, seed: int) -> Record:
    """A draw of a setting; several tests look at the same one."""
    draw = {
        "irrelevant": partial(markets.market, shape=SMALL),
        "text drives": partial(markets.market, shape=TEXT),
        "same twice": partial(markets.with_same_content_twice, shape=ONE_SOURCE, blur=0.0),
    }[setting]
    return study_draw(draw, QUICK, seed)


@pytest.mark.parametrize("seed", [1, 2])
def test_irrelevant_content_is_not_said_to_help(seed: int) -> None:
    assert found("irrelevant", seed)["verdict"] not in HELPS


@pytest.mark.parametrize("seed", [1, 2])
def test_a_shuffled_control_that_equals_the_rival_is_no_capacity(seed: int) -> None:
    assert found("irrelevant", seed)["verdict"] != "capacity_not_content"


def test_a_lift_of_a_fifth_is_said_to_help_by_the_source_that_drives_choice() -> None:
    draw = found("text drives", 1)
    assert draw["lift"] > 0.1
    assert draw["verdict"] == "helps"
    assert rules.names_the_drivers(draw)


def test_of_two_sources_that_say_the_same_something_is_named() -> None:
    draw = found("same twice", 1)
    assert draw["verdict"] == "helps"
    assert draw["named"] or draw["groups"]


def test_the_headline_says_who_loses() -> None:
    draw = study_draw(partial(markets.with_half_misled, shape=HALVES, by_activity=True), WHO_LOSES, 1)
    assert draw["lift"] > 0
    assert draw["losers"]


@pytest.mark.parametrize("parts", [WHOLE[:1], WHOLE], ids=["training part", "all parts"])
def test_vectors_made_from_interactions_raise_an_alarm_and_honest_ones_do_not(parts: tuple[str, ...]) -> None:
    made = partial(from_interactions.with_singular_vectors, parts, 64)
    draw = study_draw(partial(draw_split, ONE_SOURCE, made), Plan(LINEAR, trials=9, repeats=2), 1)
    assert draw["alarms"] == [from_interactions.LEAK]


def test_a_text_that_only_says_what_sells_is_not_said_to_help() -> None:
    plan = Plan({"Random": {}, "EASE": {"l2": 1.0}, "AddEASE": {"l2": 1.0}}, trials=12)
    shape = Shape(popularity=1.5, hidden=1.0)
    draw = study_draw(partial(draw_split, shape, from_interactions.with_text_of_what_sells), plan, 1)
    assert draw["relation"] == "better"
    assert draw["verdict"] not in HELPS


def test_a_model_with_its_content_taken_away_is_as_good_as_the_model_without() -> None:
    means = found("irrelevant", 1)["means"]
    assert means["AddEASE interactions_only"] == pytest.approx(means["EASE interactions_only"], rel=0.01)


def test_a_model_is_not_better_than_itself() -> None:
    market = markets.market(3, SMALL)
    draw = same_model_twice(market, "IALS", {"n_factors": 8, "n_iterations": 2, "initial_deviation": 1.0}, 3, True)
    assert draw["relations"]["1"] == "open"
    assert not {"better", "worse"} & set(draw["relations"].values())


@pytest.mark.parametrize(
    ("hits", "n", "holds"), [(0, 100, "yes"), (1, 100, "yes"), (2, 100, "no"), (0, 20, "too few draws"), (2, 20, "no")]
)
def test_a_rule_by_bound_holds_where_the_exact_bound_does(hits: int, n: int, holds: str) -> None:
    assert rules.Tally(hits, n).holds(rules.NO_HELP[0]) == holds


def test_a_rule_counts_only_the_draws_that_say() -> None:
    draws = [{"relation": "better", "verdict": "helps"}, {"relation": "open", "verdict": "inconclusive"}]
    assert rules.Tally.of(rules.ONLY_POPULARITY[1], draws) == rules.Tally(hits=0, n=1)


def test_a_market_is_drawn_from_its_seed_alone() -> None:
    first, again, other = (markets.market(seed, SMALL) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.interactions, again.interactions)
    np.testing.assert_array_equal(first.content["text"].matrix, again.content["text"].matrix)
    assert not first.interactions.equals(other.interactions)
