"""Means with intervals for tables."""

import numpy as np
import pytest
from scipy import stats

from recsys.evidence.interval import mean_intervals


def test_the_interval_of_one_repeat_is_scipys():
    values = np.random.default_rng(0).exponential(size=150) * (np.arange(150) % 2)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    interval = mean_intervals({"recall": values[None]}, n_resamples=20_000)["recall"]
    assert interval.mean == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx((reference.low, reference.high), abs=0.01)


def test_each_cell_keeps_its_own_figures_and_number_of_repeats():
    rng = np.random.default_rng(0)
    cells = {
        ("A", "recall"): rng.random((3, 50)),
        ("A", "ndcg"): rng.random((3, 50)) / 2,
        ("B", "recall"): np.ones((1, 50)),
    }
    intervals = mean_intervals(cells)
    assert list(intervals) == list(cells)
    for key, values in cells.items():
        assert intervals[key].mean == pytest.approx(values.mean())
        assert intervals[key].low <= intervals[key].mean <= intervals[key].high
    assert intervals["B", "recall"].low == intervals["B", "recall"].high == 1


def test_the_interval_covers_the_truth_over_users_and_repeats():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        values = 0.5 + rng.normal(0, 0.2, 100) + rng.normal(0, 0.02, (8, 1)) + rng.normal(0, 0.02, (8, 100))
        interval = mean_intervals({"x": values}, n_resamples=400)["x"]
        covered += interval.low <= 0.5 <= interval.high
    assert covered >= stats.binom.ppf(1e-3, 200, 0.95)


def test_equal_values_have_equal_intervals():
    values = np.random.default_rng(0).random((3, 50))
    intervals = mean_intervals({"EASE": values, "between": values / 2, "the same": values.copy()})
    assert intervals["EASE"] == intervals["the same"]


def test_no_cell_no_interval():
    assert mean_intervals({}) == {}
