"""How many users or repeats would decide."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.evidence.comparison import Comparison, compare, detectable_difference
from recsys.evidence.mean_error import MeanError
from recsys.evidence.planning import prospects, repeats_needed, users_needed, what_would_decide, what_would_show
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK


def error(of_users, among_repeats, n_users=400, n_repeats=5, held_out=0.0):
    return MeanError(of_users, among_repeats, n_users, n_repeats, held_out, seeded=True)


def open_comparison(lift: float, noise: float = 1.0, n_repeats: int = 3) -> Comparison:
    """A comparison of exactly this lift."""
    rng = np.random.default_rng(0)
    deviation = rng.normal(0, noise, 400) + rng.normal(0, noise / 10, (n_repeats, 400))
    base = np.full((n_repeats, 400), 0.5)
    values = base * (1 + lift) + deviation - deviation.mean()
    a = Scores("A", "both", np.arange(400), values, 0.0)
    return compare(a, Scores("B", "interactions_only", a.users, base, 0.0), options=QUICK)


def test_users_are_needed_by_the_square_of_the_difference():
    noise = error(of_users=1e-4, among_repeats=0.0)
    now = detectable_difference(noise.half_width(0.95))
    assert users_needed(noise, now) == 400
    assert users_needed(noise, now / 3) == pytest.approx(9 * 400, rel=0.15)
    assert users_needed(noise, now / 30) is None


def test_the_number_named_is_enough_and_less_is_not():
    noise = error(of_users=1e-6, among_repeats=4e-4, n_repeats=2)
    needed = repeats_needed(noise, 0.03)
    assert detectable_difference(noise.with_repeats(needed).half_width(0.95)) <= 0.03
    assert detectable_difference(noise.with_repeats(needed - 1).half_width(0.95)) > 0.03


def test_no_number_of_repeats_helps_where_splits_overlap_too_much_or_users_are_too_few():
    assert repeats_needed(error(of_users=1e-8, among_repeats=1e-4, held_out=0.25), 0.01) is None
    assert repeats_needed(error(of_users=1e-4, among_repeats=1e-8), 0.01) is None


@pytest.mark.parametrize("lift", [-0.05, -0.012, 0.0, 0.004, 0.011, 0.019, 0.03])
def test_more_is_named_than_there_is(lift):
    for noise in (0.06, 0.1, 0.2, 0.5):
        comparison = open_comparison(lift, noise)
        if comparison.relation == "open":
            target = max(abs(lift), comparison.margin - abs(lift)) * comparison.mean_b
            users, repeats = users_needed(comparison.error, target), repeats_needed(comparison.error, target)
            assert users is None or users > comparison.n_users
            assert repeats is None or repeats > comparison.n_repeats


def test_what_would_show_a_lift():
    said = what_would_decide(open_comparison(0.05, noise=0.5))
    assert said.startswith("that A (both) beats B by 5.0 % would be shown by about ")
    assert said.endswith(" users (there are 400)")


def test_what_would_show_that_there_is_none():
    said = what_would_decide(open_comparison(0.005, noise=0.2))
    assert said.startswith("that A (both) equals B within 2.0 % would be shown by ")


def test_where_no_number_would_do_that_is_said():
    said = what_would_decide(open_comparison(0.02, noise=20))
    assert said.startswith(
        "neither 100 times the users nor 30 repeats would show that A (both) beats B by 2.0 %, where the smallest lift"
    )


def test_of_several_claims_the_hardest_gives_the_numbers():
    easy, hard = open_comparison(0.05, noise=0.5), replace(open_comparison(-0.03, noise=0.5), model_b="C")
    of_each = [users_needed(each.error, abs(each.difference)) for each in (easy, hard)]
    said = what_would_show([prospects(each)[0] for each in (easy, hard)])
    assert of_each[0] < of_each[1]
    assert said == (
        "that A (both) beats B by 5.0 % and is worse than C by 3.0 % "
        f"would be shown by about {of_each[1]:,} users (there are 400)"
    )


def test_several_claims_that_no_number_would_show_together_get_none():
    easy, impossible = open_comparison(0.05, noise=0.5), open_comparison(0.03, noise=20)
    said = what_would_show([prospects(each)[0] for each in (easy, impossible)])
    assert said.startswith("neither 100 times the users nor 30 repeats would show that A (both) beats B by 5.0 % and")


@pytest.mark.parametrize(
    ("lift", "claims"),
    [
        (0.03, ["better"]),
        (-0.03, ["worse"]),
        (0.012, ["better", "equivalent"]),
        (-0.005, ["equivalent", "worse"]),
        (0.0, ["equivalent"]),
    ],
)
def test_what_may_come_to_be_shown_is_what_was_measured_the_easiest_first(lift, claims):
    found = prospects(open_comparison(lift, noise=0.5))
    assert [each.claim for each in found] == claims
    assert [each.narrowing for each in found] == sorted(each.narrowing for each in found)


def test_one_repeat_of_a_seeded_model_needs_others():
    assert (
        what_would_decide(open_comparison(0.02, n_repeats=1))
        == "one repeat cannot be distinguished from chance: run at least 3"
    )


def test_without_a_hit_no_number_can_be_named():
    comparison = replace(open_comparison(0.02), mean_b=0.0, lift=math.nan)
    assert what_would_decide(comparison) == "how many users it would take is unknown, since B has no hit"
