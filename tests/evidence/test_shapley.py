"""What is due to each source, and weighted sums of scores."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsys.errors import UserError
from recsys.evidence.comparison import compare
from recsys.evidence.contrast import contrasts
from recsys.evidence.scores import Scores
from recsys.evidence.shapley import shapley_shares, shapley_weights, subset_name
from tests.evidence.options import QUICK


def designed(sources, value, *, n_users=200, noise=0.0, repeats=0.0, seed=0, **facts):
    """Subsets and scores of a model whose mean over a subset is its value."""
    rng = np.random.default_rng(seed)
    subsets, scores = {}, {}
    for size in range(len(sources) + 1):
        for subset in combinations(sources, size):
            deviations = rng.normal(0, noise, (3, n_users)) + rng.normal(0, repeats, (3, 1))
            each = Scores("MGCN", f"arm {size}{subset}", np.arange(n_users), value(subset) + deviations, 0.0, **facts)
            subsets[subset_name(subset)] = each.pair
            scores[each.pair] = each
    return subsets, scores


def test_a_case_computed_by_hand():
    """v: none 0.2, text 0.3, image 0.25, both 0.4: text gets (0.10 + 0.15) / 2, image (0.05 + 0.10) / 2."""
    values = {(): 0.2, ("text",): 0.3, ("image",): 0.25, ("text", "image"): 0.4}
    found = shapley_shares(["text", "image"], *designed(["text", "image"], values.get))
    text, image = found.by_source
    assert (text.value.value, image.value.value) == pytest.approx((0.125, 0.075))
    assert (text.lift.value, image.lift.value) == pytest.approx((0.625, 0.375))
    assert (text.share.value, image.share.value) == pytest.approx((0.625, 0.375))
    assert found.total.value == pytest.approx(0.2)
    assert found.sentence == (
        "All sources together give MGCN +100.0 % (95 % interval +100.0 % to +100.0 %) over interactions only. Of "
        "this gain, by Shapley shares: text 62.5 % (95 % interval 62.5 % to 62.5 %) and image 37.5 % "
        "(95 % interval 37.5 % to 37.5 %)."
    )


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 1000))
def test_values_are_means_over_all_orders_and_add_up(n_sources, seed):
    sources = "abcd"[:n_sources]
    drawn = {frozenset(s): x for s, x in _random_game(sources, seed)}
    found = shapley_shares(list(sources), *designed(sources, lambda subset: drawn[frozenset(subset)]))
    orders = list(permutations(sources))
    for each in found.by_source:
        added = [
            drawn[frozenset(order[: order.index(each.source) + 1])]
            - drawn[frozenset(order[: order.index(each.source)])]
            for order in orders
        ]
        assert each.value.value == pytest.approx(np.mean(added))
    assert sum(each.value.value for each in found.by_source) == pytest.approx(found.total.value)


def _random_game(sources, seed):
    rng = np.random.default_rng(seed)
    return [(s, rng.uniform(0.1, 0.5)) for size in range(len(sources) + 1) for s in combinations(sources, size)]


def test_a_source_that_adds_nothing_gets_nothing_and_equals_get_equal_parts():
    found = shapley_shares("abc", *designed("abc", lambda subset: 0.2 + 0.1 * bool({"a", "b"} & set(subset))))
    assert [each.share.value for each in found.by_source] == pytest.approx([0.5, 0.5, 0.0])


def test_the_weights_of_three_sources():
    subsets, _ = designed("abc", lambda subset: 0.2)
    weights = shapley_weights("b", "abc", subsets)
    assert sum(weights.values()) == pytest.approx(0)
    assert weights[subsets["b"]] == -weights[subsets[""]] == pytest.approx(1 / 3)
    assert weights[subsets["a+b"]] == -weights[subsets["a"]] == pytest.approx(1 / 6)


def test_the_intervals_of_values_and_shares_cover_the_truth():
    truth, n, covered = [0.03, 0.01], 200, np.zeros(2)
    for seed in range(n):
        game = designed(
            "ab", lambda s: 0.3 + 0.03 * ("a" in s) + 0.01 * ("b" in s), noise=0.05, repeats=0.002, seed=seed
        )
        parts = shapley_shares("ab", *game).by_source
        covered[0] += all(part.value.low <= x <= part.value.high for part, x in zip(parts, truth, strict=True))
        covered[1] += parts[0].share.low <= 0.75 <= parts[0].share.high
    assert (covered >= stats.binom.ppf(0.001, n, [0.90, 0.95])).all()  # two values at once in the first


def test_where_the_total_is_not_shown_nothing_is_divided():
    found = shapley_shares("ab", *designed("ab", lambda subset: 0.3, noise=0.1))
    assert all(each.share is None for each in found.by_source)
    assert found.sentence.endswith("so that there is nothing to divide.")


def test_one_repeat_of_a_seeded_model_divides_nothing():
    subsets, scores = designed("ab", lambda subset: 0.3 + 0.1 * len(subset), noise=0.01)
    first = {pair: Scores(*pair, each.users, each.values[:1], 0.0) for pair, each in scores.items()}
    found = shapley_shares("ab", subsets, first)
    assert found.by_source[0].share is None
    assert " % in the only repeat over interactions only, which is not shown to differ from nothing" in found.sentence


@pytest.mark.parametrize(
    ("sources", "change", "message"),
    [
        ("abcde", {}, "of 5 sources: from 1 to 4 can be divided"),
        ("abc", {}, "need every subset: missing 'c', 'a\\+c', 'b\\+c' and 'a\\+b\\+c'"),
        ("ab", {"a": ("VBPR", "a")}, "are those of one model, and the subsets are of MGCN and VBPR"),
    ],
)
def test_what_cannot_be_divided_is_refused(sources, change, message):
    subsets, scores = designed("ab", lambda subset: 0.3)
    with pytest.raises(ValueError, match=message):
        shapley_shares(sources, {**subsets, **change}, scores)


def noisy(model, seed, users=50, **facts):
    return Scores(model, "both", np.arange(users), np.random.default_rng(seed).random((3, users)), 0.0, **facts)


def test_the_contrast_of_two_is_their_comparison():
    a, b = noisy("A", 0, held_out=0.25), noisy("B", 1)
    (found,) = contrasts([{a.pair: 1.0, b.pair: -1.0}], {a.pair: a, b.pair: b})
    expected = compare(a, b, options=QUICK)
    estimate = found.estimate
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (expected.difference, expected.ci_low, expected.ci_high)
    )
    assert min(estimate.p_above, 1 - estimate.p_above) == pytest.approx(expected.p_value / 2)
    assert estimate.over(expected.mean_b).value == pytest.approx(expected.lift)
    assert np.isnan(estimate.over(0.0).value)


def test_a_contrast_is_over_the_users_that_all_have():
    a, b = noisy("A", 0), noisy("B", 1, users=20)
    (found,) = contrasts([{a.pair: 1.0, b.pair: 0.0}], {a.pair: a, b.pair: b})
    assert found.values == pytest.approx(a.values[:, :20])


def test_scores_that_cannot_be_added_are_refused():
    a, b = noisy("A", 0), Scores("B", "both", np.arange(49, 80), np.zeros((3, 31)), 0.0)
    with pytest.raises(UserError, match=r"A \(both\), B \(both\) share 1 user with"):
        contrasts([{a.pair: 1.0, b.pair: -1.0}], {a.pair: a, b.pair: b})
    once = Scores("B", "both", a.users, a.values[:1], 0.0)
    with pytest.raises(ValueError, match="has 1 repeat where others have 3"):
        contrasts([{a.pair: 1.0, once.pair: -1.0}], {a.pair: a, once.pair: once})
