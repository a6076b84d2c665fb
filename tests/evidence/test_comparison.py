"""Comparisons of two models, user by user."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from recsys.errors import UserError
from recsys.evidence.comparison import compare, holm
from recsys.evidence.scores import Scores


def scored(values, users=None, model="A", arm="both"):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    users = np.arange(values.shape[1]) if users is None else np.asarray(users)
    return Scores(model, arm, users, values, valid=0.0)


def noisy(n_users=200, shift=0.0, seed=0, n_seeds=3, model="A"):
    base = np.random.default_rng(99).random(n_users)
    return scored(base + shift + np.random.default_rng(seed).normal(0, 0.1, (n_seeds, n_users)), model=model)


def test_a_case_computed_by_hand():
    a = scored([[0.5, 0.0, 1.0, 0.25], [0.5, 0.0, 0.5, 0.25]], model="A")
    b = scored([[0.5, 0.0, 0.25, 0.0]], model="B", arm="interactions_only")
    comparison = compare(a, b)
    assert (comparison.a, comparison.b) == ("A (both)", "B")
    assert comparison.mean_a == pytest.approx(0.375)
    assert comparison.mean_b == pytest.approx(0.1875)
    assert comparison.difference == pytest.approx(0.1875)  # differences 0, 0, 0.5, 0.25
    assert comparison.lift == pytest.approx(1.0)
    assert comparison.share_tied == 0.5
    assert comparison.n_users == 4
    assert comparison.p_value == 0.25  # of four sign patterns two are as extreme: half of 2 / 4
    assert not (comparison.a_better or comparison.b_better or comparison.equivalent)


def test_only_users_that_both_have_are_compared_whatever_their_order():
    a = scored([[1.0, 2.0, 3.0, 9.0]], users=[7, 3, 5, 1])
    b = scored([[3.0, 8.0, 2.0, 0.5]], users=[5, 4, 3, 7], model="B")
    comparison = compare(a, b)
    assert comparison.n_users == 3
    assert comparison.difference == pytest.approx(0.5 / 3)
    assert comparison.share_tied == pytest.approx(2 / 3)


def test_too_few_users_in_common_is_an_error_of_one_line():
    message = (
        "A (both) and B (both) share 1 users with a test score: a paired test needs two at least; "
        "enlarge the test part"
    )
    with pytest.raises(UserError) as error:
        compare(scored([[1, 2]], users=[0, 1]), scored([[1, 2]], users=[1, 2], model="B"))
    assert str(error.value) == message


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-0.05, 0.05))
def test_comparing_the_other_way_turns_the_signs(seed, shift):
    a, b = noisy(shift=shift, seed=seed), noisy(seed=seed + 1, model="B")
    there, back = compare(a, b, n_resamples=500), compare(b, a, n_resamples=500)
    assert there.difference == pytest.approx(-back.difference)
    assert (there.p_value, there.share_tied) == (back.p_value, back.share_tied)
    assert there.ci_low == pytest.approx(-back.ci_high, abs=0.01)
    assert there.a_better == back.b_better


def test_a_model_against_itself_differs_by_exactly_nothing():
    a = scored(np.random.default_rng(0).random((1, 50)))
    comparison = compare(a, a)
    assert (comparison.difference, comparison.ci_low, comparison.ci_high) == (0, 0, 0)
    assert (comparison.p_value, comparison.share_tied) == (1, 1)
    assert comparison.equivalent
    assert math.isnan(comparison.detectable_lift)


def test_seeds_in_another_order_differ_by_exactly_nothing():
    values = np.random.default_rng(0).random((3, 50))
    comparison = compare(scored(values), scored(values[[2, 0, 1]], model="B"))
    assert (comparison.p_value, comparison.share_tied, comparison.difference) == (1, 1, 0)


def test_against_a_model_without_a_hit_the_lift_is_undefined():
    comparison = compare(scored(np.random.default_rng(0).random((2, 30))), scored(np.zeros((1, 30)), model="B"))
    assert comparison.a_better
    assert not comparison.equivalent
    undefined = (comparison.lift, comparison.lift_low, comparison.lift_high, comparison.detectable_lift)
    assert all(math.isnan(figure) for figure in undefined)


def test_the_interval_is_scipys_for_one_seed():
    a, b = noisy(n_seeds=1, shift=0.02), noisy(n_seeds=1, seed=1, model="B")
    reference = stats.bootstrap(
        (a.values[0] - b.values[0],), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    comparison = compare(a, b, n_resamples=20_000)
    assert (comparison.ci_low, comparison.ci_high) == pytest.approx((reference.low, reference.high), abs=5e-4)


def test_seeds_that_disagree_widen_the_interval():
    base = np.random.default_rng(0).random(200)
    steady, b = scored([base + 0.01] * 3), scored([base], model="B")
    restless = scored([base - 0.04, base + 0.01, base + 0.06])
    narrow, wide = compare(steady, b, n_resamples=2000), compare(restless, b, n_resamples=2000)
    assert narrow.difference == pytest.approx(wide.difference)
    assert narrow.ci_high - narrow.ci_low == pytest.approx(0, abs=1e-9)
    assert wide.ci_low == pytest.approx(-0.04, abs=1e-3)
    assert wide.ci_high == pytest.approx(0.06, abs=1e-3)


def test_equivalence_is_that_of_statsmodels():
    a, b = noisy(2000), noisy(2000, seed=1, model="B")
    margin = 0.02 * b.values.mean()
    expected = ttost_paired(a.values.mean(axis=0), b.values.mean(axis=0), -margin, margin)[0]
    comparison = compare(a, b, n_resamples=100)
    assert comparison.p_equivalent == pytest.approx(expected)
    assert comparison.equivalent
    assert not compare(noisy(2000, shift=0.1), b, n_resamples=100).equivalent


def test_a_constant_difference_is_equivalent_only_within_the_margin():
    b = scored(np.full(40, 0.5), model="B")
    assert compare(scored(np.full(40, 0.505)), b, n_resamples=100).equivalent
    assert not compare(scored(np.full(40, 0.515)), b, n_resamples=100).equivalent


def test_the_detectable_lift_is_found_in_four_of_five_draws():
    rng = np.random.default_rng(0)
    n_users, spread = 300, 0.1
    base = rng.random(n_users)
    b = scored(base, model="B")
    detectable = compare(scored(base + rng.normal(0, spread, n_users)), b, n_resamples=100).detectable_lift
    closed_form = (1.96 + 0.8416) * spread / np.sqrt(n_users) / base.mean()
    assert detectable == pytest.approx(closed_form, rel=0.1)
    lift = closed_form * base.mean()
    draws = [scored(base + lift + rng.normal(0, spread, n_users)) for _ in range(200)]
    found = sum(compare(each, b, n_resamples=200).a_better for each in draws)
    assert stats.binom.cdf(found, 200, 0.8) > 1e-3
    assert stats.binom.sf(found, 200, 0.8) > 1e-3


def test_p_values_are_uniform_where_nothing_differs():
    rng = np.random.default_rng(0)
    base = rng.random(80) * (rng.random(80) < 0.5)

    def draw():
        return scored(np.where(base > 0, base + rng.normal(0, 0.1, 80), 0))

    p_values = [compare(draw(), draw(), n_resamples=400).p_value for _ in range(300)]
    assert sum(p <= 0.05 for p in p_values) <= stats.binom.ppf(0.999, 300, 0.05)
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    truth, covered = 0.02, 0
    for _ in range(200):
        base = rng.random(100)
        a = scored(base + truth + rng.normal(0, 0.1, 100) + rng.normal(0, 0.02, (8, 100)))
        comparison = compare(a, scored(base, model="B"), n_resamples=400)
        covered += comparison.ci_low <= truth <= comparison.ci_high
    assert covered >= stats.binom.ppf(1e-3, 200, 0.95)


def test_holm_corrects_as_statsmodels_does_and_keeps_the_order():
    b = noisy(model="B", seed=50)
    comparisons = [compare(noisy(shift=shift, seed=i), b, n_resamples=500) for i, shift in enumerate((0.05, 0, 0.02))]
    corrected = holm(comparisons)
    expected = multipletests([each.p_value for each in comparisons], method="holm")[1]
    assert [each.p_holm for each in corrected] == pytest.approx(expected.tolist())
    assert [each.difference for each in corrected] == [each.difference for each in comparisons]
    assert holm([]) == []


def test_holm_by_hand():
    comparison = compare(noisy(), noisy(seed=1, model="B"), n_resamples=50)
    table = [replace(comparison, p_value=p) for p in (0.01, 0.04, 0.03)]
    assert [each.p_holm for each in holm(table)] == pytest.approx([0.03, 0.06, 0.06])
    assert [each.p for each in table] == [0.01, 0.04, 0.03]
    assert [each.p for each in holm(table)] == pytest.approx([0.03, 0.06, 0.06])


def test_in_a_table_only_corrected_differences_and_equivalences_count():
    comparison = compare(noisy(shift=0.1), noisy(seed=1, model="B"), n_resamples=50)
    table = [replace(comparison, p_value=0.03, p_equivalent=0.03) for _ in range(2)]
    assert all(each.a_better and each.equivalent for each in table)
    assert not any(each.a_better or each.equivalent for each in holm(table))


@pytest.mark.parametrize(
    ("values", "users", "message"),
    [
        ([[0.1, 0.2]], [1], "expected (n_seeds, n_users) and (n_users,)"),
        ([[0.1, 0.2]], [1, 1], "a user stands twice"),
        ([[0.1, np.nan]], [1, 2], "not a finite number"),
        (np.zeros((0, 2)), [1, 2], "expected (n_seeds, n_users) and (n_users,)"),
    ],
)
def test_scores_that_cannot_be_paired_are_refused(values, users, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        Scores("A", "both", np.asarray(users), np.asarray(values), valid=0.0)


def test_scores_of_a_user_that_is_not_there():
    with pytest.raises(KeyError, match="no score of user 9"):
        scored([[1, 2]], users=[3, 5]).restricted(np.array([3, 9]))


@pytest.mark.parametrize("n_users", [30, 66, 120, 500])
def test_a_detectable_lift_is_one_number(n_users: int) -> None:
    values = np.random.default_rng(n_users).random((1, n_users))
    a = Scores("A", "both", np.arange(n_users), values, 0.5)
    b = Scores("B", "interactions_only", np.arange(n_users), values[:, ::-1], 0.5)
    assert 0 < compare(a, b, n_resamples=200).detectable_lift < 1
