"""Bootstrap intervals for tables, and a sign-flip p-value for readers; no verdict rests on either.

`scipy.stats` has both, but its bootstrap resamples one axis only and gathers every value anew for each
statistic, and its permutation test counts ties in full and holds users times resamples in memory. Here a
resample is a vector of user weights, so that one matrix product serves all repeats and all metrics at once.
"""

import numpy as np

BLOCK = 64
"""Resamples drawn at a time: the weights of 20,000 users then fill 10 MB."""
CACHED = 2**14
"""Counts that are made at a time: 128 kB."""
NOTHING = 1e-12
"""A difference below this is the rounding of a mean over seeds, not a difference."""


def resampled_means(values: np.ndarray, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means over users drawn with replacement, the same draws for every row.

    Users whose values are zero in all rows only dilute a mean, so it is enough to draw how many of the
    others a resample holds (a binomial number), and then which: the same distribution at a fraction of
    the cost, for most users have no hit at all.

    Args:
        values: float, shape (n_rows, n_users).
        n_resamples: how often to draw.
        rng: source of the draws.

    Returns:
        float64, shape (n_resamples, n_rows).
    """
    n_users = values.shape[1]
    columns = np.ascontiguousarray(values[:, values.any(axis=0)].T)
    n_drawn = len(columns)
    means = np.zeros((n_resamples, len(values)))
    sizes = rng.binomial(n_users, n_drawn / n_users, size=n_resamples)
    for start in range(0, n_resamples if n_drawn else 0, BLOCK):
        counts = _drawn(sizes[start : start + BLOCK], n_drawn, rng)
        means[start : start + BLOCK] = counts.astype(columns.dtype) @ columns
    return means / n_users


def _drawn(sizes: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n users is drawn in resamples of these sizes, shape (len(sizes), n)."""
    counts = []
    # Several resamples of few users are drawn at once, as far as their counts stay in a core's cache.
    for part in np.array_split(sizes, -(-len(sizes) * n // CACHED)):
        first = np.repeat(np.arange(len(part)) * n, part)
        drawn = rng.integers(0, n, len(first)) + first
        counts.append(np.bincount(drawn, minlength=len(part) * n).reshape(len(part), n))
    return np.concatenate(counts)


def over_repeats(means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Means over repeats drawn with replacement in each resample: (n_resamples, n_repeats) to (n_resamples,)."""
    n_resamples, n_repeats = means.shape
    weights = rng.multinomial(n_repeats, np.full(n_repeats, 1 / n_repeats), size=n_resamples) / n_repeats
    return (means * weights).sum(axis=1)


def sign_flip_p_value(differences: np.ndarray, n_resamples: int, rng: np.random.Generator) -> float:
    """Two-sided p-value of a mean difference, if each user's difference were as likely to have the other sign.

    Ties with the observed sum count by half (mid-rank): metrics per user take few values, and counting
    ties in full would cost power where there are many. All sign patterns are tried where there are no
    more than `n_resamples` of them; otherwise the observed one is counted as one more draw, in full.

    Args:
        differences: float, shape (n_users,), paired differences.
        n_resamples: sign patterns drawn.
        rng: source of the draws.

    Returns:
        The p-value; 1 where all users differ by nothing.

    Source: Pitman, "Significance tests which may be applied to samples from any populations", 1937;
    mid-p: Lancaster, "Significance tests in discrete distributions", JASA 1961; the observed pattern among
    the draws: Phipson and Smyth, "Permutation p-values should never be zero", 2010.
    """
    moved = differences[np.abs(differences) > NOTHING]
    if not len(moved):
        return 1.0
    if len(moved) < np.log2(n_resamples):
        patterns = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1
        beyond, tied = _extreme(moved, patterns)
        return (beyond + tied / 2) / len(patterns)
    beyond, tied = 0, 0
    for start in range(0, n_resamples, BLOCK):
        n_drawn = min(BLOCK, n_resamples - start)
        packed = rng.integers(0, 256, size=(n_drawn, -(-len(moved) // 8)), dtype=np.uint8)
        block = _extreme(moved, np.unpackbits(packed, axis=1, count=len(moved)))
        beyond, tied = beyond + block[0], tied + block[1]
    return (1 + beyond + tied / 2) / (1 + n_resamples)


def _extreme(moved: np.ndarray, patterns: np.ndarray) -> tuple[int, int]:
    """How many sign patterns (rows of zeros and ones) give a sum beyond the observed one, and how many the same."""
    total = moved.sum()
    sums = np.abs(2 * (patterns.astype(np.float64) @ moved) - total)
    rounding = NOTHING * np.abs(moved).sum()
    beyond = int((sums > abs(total) + rounding).sum())
    return beyond, int((sums >= abs(total) - rounding).sum()) - beyond
