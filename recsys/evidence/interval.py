"""Means with intervals for tables of many models, arms and metrics."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recsys.evidence.comparison import ALPHA
from recsys.evidence.resampling import over_repeats, resampled_means

Key = TypeVar("Key", bound=Hashable)
N_RESAMPLES = 2_000
"""Fewer than for a comparison: no decision hangs on a table's intervals, and there are hundreds of them."""


@dataclass(frozen=True)
class Interval:
    """A mean over users and repeats with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def mean_intervals(
    cells: Mapping[Key, np.ndarray], *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> dict[Key, Interval]:
    """Mean and 95 % interval of each cell of a table, all from the same resamples of users and of repeats.

    Args:
        cells: by key, a metric of every user in every repeat, shape (n_repeats, n_users); the users are
            the same in all cells, the repeats need not be.
        n_resamples: of users, and of each cell's repeats.
        seed: of the draws.
    """
    if not cells:
        return {}
    rng = np.random.default_rng(seed)
    # Single precision is twice as fast and leaves six digits; a table shows four.
    stacked = np.concatenate(list(cells.values()), dtype=np.float32, casting="same_kind")
    ends = np.cumsum([len(values) for values in cells.values()])[:-1]
    means = np.split(resampled_means(stacked, n_resamples, rng), ends, axis=1)
    intervals = {}
    for (key, values), resamples in zip(cells.items(), means, strict=True):
        # Drawn alike for every cell: equal values have equal intervals.
        drawn = over_repeats(resamples, np.random.default_rng((seed, 1)))
        low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2])
        intervals[key] = Interval(float(values.mean(dtype=np.float64)), float(low), float(high))
    return intervals
