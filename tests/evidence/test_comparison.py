"""Comparisons of two models: the interval that decides, and what it says."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from recsys.errors import UserError
from recsys.evidence.comparison import ALPHA, compare, holm, holm_corrected
from recsys.evidence.mean_error import MeanError
from recsys.evidence.scores import Scores
from recsys.evidence.wording import interval, lift, p_cell
from recsys.wording import DASH, percent
from tests.evidence.options import QUICK


def scored(values, users=None, model="A", arm="both", **facts):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    users = np.arange(values.shape[1]) if users is None else np.asarray(users)
    return Scores(model, arm, users, values, valid=0.0, **facts)


def noisy(n_users=200, shift=0.0, seed=0, n_repeats=3, model="A", **facts):
    base = np.random.default_rng(99).random(n_users)
    deviation = np.random.default_rng(seed).normal(0, 0.1, (n_repeats, n_users))
    return scored(base + shift + deviation, model=model, **facts)


def test_a_case_computed_by_hand():
    """Two repeats, held-out share 0.25; differences per user 0.1, 0.3, 0.2 and per repeat 0.1, 0.3."""
    a = scored([[0.5, 0.7, 0.6], [0.7, 0.9, 0.8]], model="A", held_out=0.25)
    b = scored([[0.5] * 3] * 2, model="B", arm="interactions_only")
    comparison = compare(a, b)
    assert (comparison.a, comparison.b) == ("A (both)", "B")
    assert (comparison.mean_a, comparison.mean_b) == pytest.approx((0.7, 0.5))
    assert (comparison.difference, comparison.lift) == pytest.approx((0.2, 0.4))
    assert comparison.repeat_lifts == pytest.approx((0.2, 0.6))
    assert (comparison.n_users, comparison.n_moved, comparison.n_repeats) == (3, 3, 2)
    of_users, of_repeats = 0.01 / 3, 0.02 * (1 / 2 + 0.25)
    half = max(stats.t.ppf(0.975, 2) * math.sqrt(of_users + of_repeats), stats.t.ppf(0.975, 1) * math.sqrt(of_repeats))
    assert comparison.ci_high - comparison.difference == pytest.approx(half)
    assert comparison.p_value == pytest.approx(2 * stats.t.sf(0.2 / math.sqrt(of_repeats), 1))
    assert comparison.p_users == 0.125  # of eight sign patterns two are as extreme, and tied: half of 2 / 8
    assert comparison.relation == "open"


def test_only_users_that_both_have_are_compared_whatever_their_order():
    a = scored([[1.0, 2.0, 3.0, 9.0]], users=[7, 3, 5, 1])
    b = scored([[3.0, 8.0, 2.0, 0.5]], users=[5, 4, 3, 7], model="B")
    comparison = compare(a, b)
    assert (comparison.n_users, comparison.n_moved) == (3, 1)
    assert comparison.difference == pytest.approx(0.5 / 3)


def test_too_few_users_in_common_is_an_error_of_one_line():
    message = (
        "A (both) and B (both) share 1 user with a test score: a paired test needs two at least; enlarge the test part"
    )
    with pytest.raises(UserError) as error:
        compare(scored([[1, 2]], users=[0, 1]), scored([[1, 2]], users=[1, 2], model="B"))
    assert str(error.value) == message


def test_repeats_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match="has 3 repeats and B"):
        compare(noisy(), noisy(n_repeats=2, model="B"))


FACTS = st.fixed_dictionaries({"seeded": st.booleans(), "held_out": st.sampled_from([0.0, 0.125, 0.25])})


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.floats(-0.05, 0.05), st.integers(1, 5), FACTS)
def test_intervals_and_p_values_agree_always(seed, shift, n_repeats, facts):
    a = noisy(60, shift, seed, n_repeats, **facts)
    b = noisy(60, 0.0, seed + 1, n_repeats, "B", seeded=False)
    there, back = compare(a, b, options=QUICK), compare(b, a, options=QUICK)
    assume(there.error.known)
    assert (there.p_value <= ALPHA) == (there.ci_low > 0 or there.ci_high < 0)
    assert there.a_better == (there.ci_low > 0) == back.b_better
    assert there.equivalent == (-there.margin <= there.lift_low_90 and there.lift_high_90 <= there.margin)
    assert there.ci_low <= there.difference <= there.ci_high
    assert there.ci_low == pytest.approx(-back.ci_high)
    assert there.p_value == pytest.approx(back.p_value)
    assert (there.relation == "better") == there.a_better
    assert there.lift_low <= there.lift_low_90 <= there.lift <= there.lift_high_90 <= there.lift_high


def test_with_one_repeat_of_a_seeded_model_nothing_is_decided():
    base = np.random.default_rng(0).random(500)
    for values in (base + 0.5, base):
        comparison = compare(scored(values), scored(base, model="B"))
        assert (comparison.relation, comparison.equivalent) == ("open", False)
        unknown = ("ci_low", "ci_high", "lift_low", "lift_high_90", "p_value", "p_equivalent", "detectable_lift")
        assert all(math.isnan(getattr(comparison, figure)) for figure in unknown)


def test_a_p_value_that_is_not_known_counts_as_one_of_its_family():
    assert holm_corrected([0.01, 0.02, 1.0])[:2] == holm_corrected([0.01, 0.02, math.nan])[:2]
    assert math.isnan(holm_corrected([math.nan, 0.01])[0])


def test_what_one_repeat_cannot_tell_is_a_dash():
    base = np.random.default_rng(0).random(500)
    once = compare(scored(base + 0.5), scored(base, model="B"))
    assert (interval(once.lift_low, once.lift_high), p_cell(once.p_value), percent(once.detectable_lift)) == (
        DASH,
    ) * 3
    assert lift(once) == f"lift {percent(once.lift, signed=True)} in the only repeat"


def test_no_lift_is_given_over_a_model_without_a_hit():
    nothing = compare(scored(np.random.default_rng(0).random((2, 30))), scored(np.zeros((2, 30)), model="B"))
    assert lift(nothing) == "the lift is undefined, since B (both) has no hit"


def test_with_one_repeat_that_no_seed_could_change_users_decide():
    a, b = noisy(n_repeats=1, shift=0.02, seeded=False), noisy(n_repeats=1, seed=1, model="B", seeded=False)
    reference = stats.ttest_rel(a.values[0], b.values[0])
    comparison, expected = compare(a, b), reference.confidence_interval()
    assert comparison.p_value == pytest.approx(reference.pvalue)
    assert (comparison.ci_low, comparison.ci_high) == pytest.approx((expected.low, expected.high))


def test_repeats_that_are_all_the_same_say_no_more_than_one():
    a, b = noisy(n_repeats=1, shift=0.02, seeded=False), noisy(n_repeats=1, seed=1, model="B", seeded=False)
    tripled = [replace(each, values=np.repeat(each.values, 3, axis=0), held_out=0.25) for each in (a, b)]
    assert compare(*tripled).ci_low == pytest.approx(compare(a, b).ci_low)


def test_a_model_against_itself_differs_by_exactly_nothing():
    a = scored(np.random.default_rng(0).random((2, 50)))
    comparison = compare(a, a)
    assert (comparison.difference, comparison.ci_low, comparison.ci_high) == (0, 0, 0)
    assert (comparison.p_value, comparison.p_users, comparison.n_moved) == (1, 1, 0)
    assert comparison.relation == "equivalent"
    assert math.isnan(comparison.detectable_lift)


def test_against_a_model_without_a_hit_the_lift_is_undefined():
    comparison = compare(scored(np.random.default_rng(0).random((2, 30))), scored(np.zeros((2, 30)), model="B"))
    assert comparison.a_better
    assert not comparison.equivalent
    undefined = (comparison.lift, comparison.lift_low, comparison.lift_high, comparison.detectable_lift)
    assert all(math.isnan(figure) for figure in undefined)


def test_repeats_that_disagree_widen_the_interval():
    base = np.random.default_rng(0).random(200)
    b, steady = scored([base] * 3, model="B"), scored([base + 0.01] * 3)
    restless = scored([base - 0.04, base + 0.01, base + 0.06])
    assert compare(steady, b).a_better
    assert compare(restless, b).relation == "open"
    assert compare(restless, b).ci_high == pytest.approx(0.01 + stats.t.ppf(0.975, 2) * 0.05 / math.sqrt(3))


def test_splits_that_overlap_widen_the_interval():
    a, b = noisy(shift=0.02), noisy(seed=1, model="B")
    independent, overlapping = compare(a, b), compare(replace(a, held_out=0.25), b)
    assert overlapping.ci_high > independent.ci_high
    assert overlapping.error.of_repeats == pytest.approx(independent.error.of_repeats * (1 / 3 + 0.25) * 3)


NOISE = {  # of users, of users within a repeat, of repeats
    "users": (1.0, 0.0, 0.0),
    "users within repeats": (0.0, 1.0, 0.0),
    "repeats": (0.0, 0.0, 0.1),
    "users and repeats": (1.0, 0.0, 0.1),
    "everything": (1.0, 1.0, 0.05),
}
N_DRAWS = 300


def differences(noise, n_repeats, held_out, rng, n_users=100):
    """True difference 0; the means of repeats are correlated as Nadeau and Bengio say of splits that overlap."""
    of_users, within, of_repeats = noise
    correlation = held_out / (1 + held_out)
    shared, own = rng.normal(0, of_repeats), rng.normal(0, of_repeats, (n_repeats, 1))
    shifts = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
    return rng.normal(0, of_users, n_users) + rng.normal(0, within, (n_repeats, n_users)) + shifts


def n_apart(kind, n_repeats, rng):
    """How many of the draws of equal models the interval tells apart."""
    held_out, apart = 0.25 if n_repeats % 2 else 0.0, 0
    for _ in range(N_DRAWS):
        drawn = differences(NOISE[kind], n_repeats, held_out, rng)
        error = MeanError.of(drawn, held_out, seeded=n_repeats > 1)
        apart += abs(drawn.mean()) > error.half_width(0.95)
    return apart


@pytest.mark.parametrize("n_repeats", [2, 3, 4, 5])
def test_equal_models_are_told_apart_in_at_most_seven_percent(n_repeats):
    rng = np.random.default_rng(n_repeats)
    apart = [n_apart(kind, n_repeats, rng) for kind in NOISE]
    assert max(apart) <= stats.binom.ppf(0.999, N_DRAWS, 0.07)
    assert sum(apart) <= stats.binom.ppf(0.99, N_DRAWS * len(NOISE), 0.06)


def test_one_repeat_tells_equal_models_apart_in_at_most_seven_percent_where_no_seed_has_a_say():
    assert n_apart("users", 1, np.random.default_rng(0)) <= stats.binom.ppf(0.999, N_DRAWS, 0.06)


@pytest.mark.parametrize("kind", NOISE)
def test_models_that_differ_by_more_than_the_margin_are_seldom_equivalent(kind):
    rng, margin = np.random.default_rng(0), 0.1
    equivalent = 0
    for _ in range(N_DRAWS):
        drawn = differences(NOISE[kind], 3, 0.25, rng, n_users=1000) + margin
        error = MeanError.of(drawn, 0.25, seeded=True)
        equivalent += error.p_above(margin - abs(drawn.mean())) <= ALPHA
    assert equivalent <= stats.binom.ppf(0.9999, N_DRAWS, 0.05)


def test_the_interval_is_hardly_wider_than_needed_where_users_are_most_of_it():
    rng = np.random.default_rng(0)
    drawn = [differences((1.0, 0.2, 0.005), 5, 0.0, rng, n_users=400) for _ in range(50)]
    widths = [MeanError.of(each, 0.0, seeded=True).half_width(0.95) for each in drawn]
    needed = 1.96 * math.sqrt(1 / 400 + 0.2**2 / 2000 + 0.005**2 / 5)
    assert needed <= np.mean(widths) <= 1.05 * needed


def test_equivalence_is_that_of_statsmodels_where_users_alone_vary():
    a, b = noisy(2000, n_repeats=1, seeded=False), noisy(2000, seed=1, n_repeats=1, model="B", seeded=False)
    margin = 0.02 * b.values.mean()
    comparison = compare(a, b, options=QUICK)
    assert comparison.p_equivalent == pytest.approx(ttost_paired(a.values[0], b.values[0], -margin, margin)[0])
    assert comparison.equivalent
    assert not compare(noisy(2000, shift=0.1, n_repeats=1, seeded=False), b, options=QUICK).equivalent


def test_a_constant_difference_is_equivalent_only_within_the_margin():
    b = scored(np.full((2, 40), 0.5), model="B")
    near, far = scored(np.full((2, 40), 0.505)), scored(np.full((2, 40), 0.515))
    assert compare(near, b, options=QUICK).equivalent
    assert not compare(far, b, options=QUICK).equivalent


def test_a_difference_that_is_shown_within_the_margin_is_a_difference():
    base = np.random.default_rng(0).random(2000)
    comparison = compare(scored([base + 0.003] * 2), scored([base] * 2, model="B"), options=QUICK)
    assert comparison.equivalent
    assert comparison.relation == "better"


def test_the_detectable_lift_is_found_in_four_of_five_draws():
    rng = np.random.default_rng(0)
    n_users, spread = 300, 0.1
    base = rng.random(n_users)
    b = scored(base, model="B", seeded=False)

    def lifted(lift):
        return scored(base + lift + rng.normal(0, spread, n_users), seeded=False)

    detectable = compare(lifted(0.0), b, options=QUICK).detectable_lift
    closed_form = (1.96 + 0.8416) * spread / np.sqrt(n_users) / base.mean()
    assert detectable == pytest.approx(closed_form, rel=0.1)
    found = sum(compare(lifted(closed_form * base.mean()), b, options=QUICK).a_better for _ in range(200))
    assert stats.binom.cdf(found, 200, 0.8) > 1e-3
    assert stats.binom.sf(found, 200, 0.8) > 1e-3


def test_holm_corrects_as_statsmodels_does_and_keeps_the_order():
    b = noisy(model="B", seed=50)
    comparisons = [compare(noisy(shift=shift, seed=i), b, options=QUICK) for i, shift in enumerate((0.05, 0, 0.02))]
    corrected = holm(comparisons)
    expected = multipletests([each.p_value for each in comparisons], method="holm")[1]
    assert [each.p_holm for each in corrected] == pytest.approx(expected.tolist())
    assert [each.difference for each in corrected] == [each.difference for each in comparisons]
    assert holm([]) == []


def test_holm_by_hand():
    comparison = compare(noisy(), noisy(seed=1, model="B"), options=QUICK)
    table = [replace(comparison, p_value=p) for p in (0.01, 0.04, 0.03)]
    assert [each.p_holm for each in holm(table)] == pytest.approx([0.03, 0.06, 0.06])
    assert [each.p for each in table] == [0.01, 0.04, 0.03]
    assert [each.p for each in holm(table)] == pytest.approx([0.03, 0.06, 0.06])


def test_in_a_table_only_corrected_differences_and_equivalences_count():
    comparison = compare(noisy(shift=0.1), noisy(seed=1, model="B"), options=QUICK)
    table = [replace(comparison, p_value=0.03, p_equivalent=0.03) for _ in range(2)]
    assert all(each.a_better and each.equivalent for each in table)
    assert not any(each.a_better or each.equivalent for each in holm(table))


@pytest.mark.parametrize(
    ("values", "users", "message"),
    [
        ([[0.1, 0.2]], [1], "expected (n_repeats, n_users) and (n_users,)"),
        ([[0.1, 0.2]], [1, 1], "a user stands twice"),
        ([[0.1, np.nan]], [1, 2], "not a finite number"),
        (np.zeros((0, 2)), [1, 2], "expected (n_repeats, n_users) and (n_users,)"),
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
    a = Scores("A", "both", np.arange(n_users), values, 0.5, seeded=False)
    b = Scores("B", "interactions_only", np.arange(n_users), values[:, ::-1], 0.5, seeded=False)
    assert 0 < compare(a, b, options=QUICK).detectable_lift < 1


@pytest.mark.parametrize(
    ("lift", "repeats", "n"), [(-0.1, (-0.2, 0.0, 0.1), 1), (0.1, (0.1, 0.2, 0.0), 2), (0, (0, 0), 2)]
)
def test_a_repeat_without_a_difference_has_no_sign(lift: float, repeats: tuple[float, ...], n: int) -> None:
    comparison = replace(compare(noisy(shift=0.1), noisy(model="B")), lift=lift, repeat_lifts=repeats)
    assert comparison.n_repeats_of_its_sign == n
