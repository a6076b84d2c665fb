"""Whether a search was still finding better settings when its budget ended."""

import math
from collections.abc import Sequence

PLATEAU = 0.01
"""What the last third of the trials may gain."""
FEWEST_TRIALS = 9
"""Trials of which a third can show anything."""


def late_gain(values: Sequence[float | None]) -> float:
    """What the last third of the trials gained over the best before it, relative to the best of all.

    Half as many trials again gained that much, so as many more may well do so again. The best of the last third alone
    says less: it may be low because the best was found early, and high because it was only just found.

    Args:
        values: trial by trial, in the order in which they were run; None for one that failed.
    """
    known = [0.0 if value is None or not math.isfinite(value) else value for value in values]
    best = max(known, default=0.0)
    return (best - max(known[: -(len(known) // 3) or None], default=0.0)) / best if best > 0 else 0.0
