"""The two resamplings, against closed forms and scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsys.evidence.resampling import over_repeats, resampled_means, sign_flip_p_value


def p_value(differences, n_resamples=10_000, seed=0):
    return sign_flip_p_value(np.asarray(differences, dtype=float), n_resamples, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([0, 0, 0, 0], 1.0),
        ([1, -1], 0.75),  # sums 2, 0, 0, -2: two beyond the observed 0, two the same
        ([3, 1, 1], 1 / 8),  # of eight sums only 5 and -5 are as large: half of 2 / 8
        ([1, 1, 1, 1], 1 / 16),
        ([2, 1, -1], 0.25 + 0.5 * 0.5),  # sums 4, 2, 2, 0 and their mirrors: 2 beyond, 4 the same, of 8
    ],
)
def test_the_exact_p_value_counts_ties_by_half(differences, expected):
    assert p_value(differences) == expected


@settings(max_examples=30)
@given(st.lists(st.floats(-1, 1).filter(lambda x: abs(x) > 1e-3), min_size=2, max_size=9, unique_by=abs))
def test_the_exact_p_value_is_scipys_but_for_the_ties(differences):
    ours = p_value(differences)
    test = stats.permutation_test(
        (np.asarray(differences), np.zeros(len(differences))),
        lambda x, y, axis: np.abs((x - y).mean(axis=axis)),
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        n_resamples=np.inf,
    )
    sums = test.null_distribution
    tied = np.isclose(sums, test.statistic, rtol=1e-9, atol=1e-12).mean()
    assert ours == pytest.approx(test.pvalue - tied / 2, abs=1e-9)


def test_the_drawn_p_value_is_the_binomial_mid_p_where_all_differences_are_of_one_size():
    n, k, n_resamples = 40, 25, 40_000
    expected = 2 * (stats.binom.sf(k, n, 0.5) + stats.binom.pmf(k, n, 0.5) / 2)
    drawn = p_value([0.3] * k + [-0.3] * (n - k), n_resamples)
    assert abs(drawn - expected) < 4 * np.sqrt(expected * (1 - expected) / n_resamples)


def test_the_drawn_p_value_is_near_the_exact_one():
    differences = np.random.default_rng(1).normal(0.3, 1, 14)
    exact, drawn = p_value(differences, 2**14 + 1), p_value(differences, 10_000)
    assert exact != drawn
    assert abs(exact - drawn) < 4 * np.sqrt(exact * (1 - exact) / 10_000)


def test_users_that_differ_by_nothing_change_nothing():
    differences = np.random.default_rng(2).normal(0.1, 1, 50)
    assert p_value(differences) == p_value(np.concatenate([differences, np.zeros(500)]))
    assert p_value(differences) == p_value(np.concatenate([differences, np.full(500, 1e-17)]))


def test_the_sign_of_all_differences_changes_nothing():
    differences = np.random.default_rng(3).normal(0.1, 1, 50)
    assert p_value(differences) == p_value(-differences)


def test_a_drawn_p_value_is_never_zero():
    assert p_value(np.ones(200), 999) == 1 / 1000


def test_resampled_means_spread_as_the_mean_does():
    values = np.random.default_rng(4).random((1, 300)) * (np.arange(300) % 3 == 0)
    means = resampled_means(values, 20_000, np.random.default_rng(0))[:, 0]
    assert means.mean() == pytest.approx(values.mean(), rel=0.01)
    assert means.std() == pytest.approx(values.std() / np.sqrt(300), rel=0.02)


def test_resampled_means_have_the_quantiles_of_scipys_bootstrap():
    values = np.random.default_rng(5).exponential(size=80) * (np.arange(80) % 2)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = np.quantile(resampled_means(values[None], 20_000, np.random.default_rng(1)), [0.025, 0.975])
    assert ours == pytest.approx([reference.low, reference.high], abs=0.01)


def test_all_rows_meet_the_same_draws_of_users():
    row = np.random.default_rng(6).random(40)
    means = resampled_means(np.stack([row, 2 * row, np.zeros(40)]), 100, np.random.default_rng(0))
    assert means[:, 1] == pytest.approx(2 * means[:, 0])
    assert not means[:, 2].any()


def test_nothing_resampled_is_nothing():
    assert not resampled_means(np.zeros((2, 5)), 10, np.random.default_rng(0)).any()


def test_one_seed_stays_as_it_is_and_many_spread():
    rng = np.random.default_rng(0)
    means = np.tile([[0.1, 0.2, 0.6]], (20_000, 1))
    assert (over_repeats(means[:, :1], rng) == 0.1).all()
    drawn = over_repeats(means, rng)
    assert drawn.mean() == pytest.approx(0.3, rel=0.01)
    assert drawn.std() == pytest.approx(np.std([0.1, 0.2, 0.6]) / np.sqrt(3), rel=0.02)
