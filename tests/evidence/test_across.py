"""Several datasets answered together."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from recsys.evidence.across import answer_together, mean_lift
from recsys.evidence.comparison import compare
from recsys.evidence.scores import Scores
from tests.evidence.options import QUICK

USERS = np.arange(30)
BASE = np.full((1, 30), 0.5)
PLAIN = compare(
    Scores("A", "both", USERS, BASE * np.linspace(0.9, 1.3, 30), 0.0, seeded=False),
    Scores("B", "interactions_only", USERS, BASE, 0.0, seeded=False),
    options=QUICK,
)


def lifted(lift, error, mean_b=0.5):
    """A comparison of this lift, with a 95 % interval of 1.96 errors to each side."""
    half = stats.norm.ppf(0.975) * error
    return replace(
        PLAIN, lift=lift, lift_low=lift - half, lift_high=lift + half, mean_a=mean_b * (1 + lift), mean_b=mean_b
    )


def test_a_case_computed_by_hand():
    """Logarithms -0.1, 0.1 and 0.3 with errors of 0.1: tau^2 = 0.04 - 0.01, error^2 = 0.04 / 3."""
    logs = np.array([-0.1, 0.1, 0.3])
    found = mean_lift({name: lifted(np.expm1(x), 0.1 * np.exp(x)) for name, x in zip("abc", logs, strict=True)})
    assert found.tau == pytest.approx(np.sqrt(0.03), abs=1e-6)
    assert found.lift == pytest.approx(np.expm1(0.1))
    half = stats.t.ppf(0.975, 2) * np.sqrt(0.04 / 3)
    assert (found.low, found.high) == pytest.approx((np.expm1(0.1 - half), np.expm1(0.1 + half)), abs=1e-5)
    half = stats.t.ppf(0.975, 1) * np.sqrt(0.03 + 0.04 / 3)
    predicted = (found.predicted_low, found.predicted_high)
    assert predicted == pytest.approx((np.expm1(0.1 - half), np.expm1(0.1 + half)), rel=1e-4)


def test_datasets_that_agree_by_luck_do_not_narrow_the_interval():
    """Equal lifts: Hartung and Knapp's factor would be 0 and the interval a point."""
    found = mean_lift({name: lifted(0.1, 0.02) for name in "abcd"})
    assert found.tau == 0
    assert found.lift == pytest.approx(0.1)
    half = stats.t.ppf(0.975, 3) * 0.02 / 1.1 / 2
    assert np.log1p(found.high) - np.log1p(found.lift) == pytest.approx(half)


def test_precise_datasets_weigh_more_where_all_have_one_lift():
    found = mean_lift({"precise": lifted(0.10, 0.01), "vague": lifted(0.13, 0.10), "vaguer": lifted(0.07, 0.12)})
    assert found.lift == pytest.approx(0.10, abs=0.002)


def test_two_datasets_have_no_mean():
    """Their interval would run from -95 % to +2978 % where the lifts are 0.1 % and 65 %."""
    found = answer_together({"a": ("helps", lifted(0.65, 0.03)), "b": ("content_not_chosen", lifted(0.001, 0.01))})
    assert found.mean is None
    assert found.sentence == "Content helps in 1 of 2 datasets, harms in none, is of no use in 1."


def test_a_dataset_on_which_both_sides_are_the_same_does_not_outweigh_the_others():
    found = mean_lift({"same": lifted(0.0, 0.0), "a": lifted(0.20, 0.02), "b": lifted(0.22, 0.02)})
    assert found.lift == pytest.approx(0.135, abs=0.01)


@pytest.mark.parametrize("tau", [0.0, 0.05])
def test_the_intervals_cover_the_mean_and_the_next_dataset(tau):
    rng, covered, predicted, n = np.random.default_rng(0), 0, 0, 300
    for _ in range(n):
        truths, error = 0.1 + tau * rng.normal(size=7), rng.uniform(0.01, 0.05, 6)
        logs = truths[:6] + error * rng.normal(size=6)
        found = mean_lift(
            {str(i): lifted(np.expm1(x), e * np.exp(x)) for i, (x, e) in enumerate(zip(logs, error, strict=True))}
        )
        covered += found.low <= np.expm1(0.1) <= found.high
        predicted += found.predicted_low <= np.expm1(truths[6]) <= found.predicted_high
    assert covered >= stats.binom.ppf(0.001, n, 0.95)
    assert predicted >= stats.binom.ppf(0.001, n, 0.93)  # nominally a little less than 0.95 where tau is near zero


def test_the_sentence_counts_the_verdicts():
    verdicts = ["helps", "helps", "helps_a_little", "helps", "inconclusive", "not_ready"]
    found = answer_together({str(i): (name, lifted(0.1, 0.02)) for i, name in enumerate(verdicts)})
    assert found.sentence.startswith(
        "Content helps in 4 of 6 datasets, harms in none, leaves the question open in 2; "
        "mean lift +10.0 % (95 % interval +"
    )
    assert found.sentence.endswith("(95 % prediction interval).")
    assert found.mean.datasets == ("0", "1", "2", "3", "4")
    assert found.left_open == ("4", "5")


def test_what_neither_helps_nor_harms_is_counted_by_itself():
    names = ["helps", "harms", "no_effect", "used_but_does_not_pay", "model_harms"]
    found = answer_together({name: (name, lifted(0.0, 0.02)) for name in names})
    assert (found.helps, found.harms, found.left_open) == (("helps",), ("harms",), ())
    assert found.without_use == ("no_effect", "used_but_does_not_pay", "model_harms")
    assert "helps in 1 of 5 datasets, harms in 1, is of no use in 3; mean lift" in found.sentence


def test_a_lift_without_an_error_or_a_base_is_left_out_of_the_mean():
    unknown = replace(lifted(0.1, 0.02), lift_low=-np.inf, lift_high=np.inf)
    without_hit = replace(lifted(0.1, 0.02), mean_b=0.0, lift=np.nan)
    found = answer_together(
        {"a": ("helps", lifted(0.1, 0.02)), "b": ("inconclusive", unknown), "c": ("helps", without_hit)}
    )
    assert found.mean is None
    assert found.sentence == "Content helps in 2 of 3 datasets, harms in none, leaves the question open in 1."


def test_one_dataset_has_nothing_to_be_answered_with():
    assert answer_together({"a": ("helps", lifted(0.1, 0.02))}) is None
