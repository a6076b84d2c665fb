"""A stratum: some users, or the test rows of some items; and whether the strata of a family differ.

That is asked of each stratum against all others of its family: is its relative lift another one? The contrast is
formed user by user and repeat by repeat, for Cochran's Q would need estimates that are independent, and strata share
the repeats, and strata of items the users too. Holm's method corrects over the contrasts of a family.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evidence.comparison import holm_corrected
from recsys.evidence.mean_error import MeanError
from recsys.evidence.scores import Scores


@dataclass(frozen=True)
class Stratum:
    """Some users, or the test rows of some items, with the scores of both sides there.

    Attributes:
        family: what strata of one kind have in common, such as `training interactions`.
        name: who or what, as a sentence names it: `users with up to 5 training interactions`, `cold items`.
        content: of all users, in the order of `rival`; where `n_rows` is 0 they do not count.
        rival: of the same users.
        n_rows: int, shape (n_repeats, n_users): test rows that each user has in the stratum.
        of_items: whether it is some items' test rows, and not some users.
    """

    family: str
    name: str
    content: Scores
    rival: Scores
    n_rows: np.ndarray
    of_items: bool = False

    @property
    def members(self) -> np.ndarray:
        """Who counts in which repeat, float64 of 0 and 1, shape (n_repeats, n_users)."""
        return (self.n_rows > 0).astype(np.float64)

    @property
    def n_users(self) -> int:
        """Users that count in any repeat."""
        return int(self.n_rows.any(axis=0).sum())


def stratum_contrasts(strata: Sequence[Stratum]) -> dict[str, tuple[float, float]]:
    """By name of each stratum of a family its lift less that of all others, and the corrected p-value.

    Where a lift is undefined, nan twice.
    """
    sums = [_Sums(each.members * each.content.values, each.members * each.rival.values) for each in strata]
    found: list[tuple[float, float]] = []
    for own in sums:
        others = [each for each in sums if each is not own]
        found.append(_contrast(own, _Sums.of(others), strata[0]) if others else (np.nan, np.nan))
    # Of two strata each is the other's rest: that is one test.
    p_values = [p for _, p in found]
    corrected = p_values if len(found) <= 2 else holm_corrected(p_values)
    return {each.name: (contrast, p) for each, (contrast, _), p in zip(strata, found, corrected, strict=True)}


@dataclass(frozen=True)
class _Sums:
    """What each user adds to the numerator and to the denominator of a lift, each of shape (n_repeats, n_users)."""

    content: np.ndarray
    rival: np.ndarray

    @classmethod
    def of(cls, parts: "Sequence[_Sums]") -> "_Sums":
        return cls(
            np.sum([each.content for each in parts], axis=0),
            np.sum([each.rival for each in parts], axis=0),
        )

    @property
    def ratio(self) -> float:
        return float(self.content.sum() / self.rival.sum()) if self.rival.any() else np.nan

    @property
    def influence(self) -> np.ndarray:
        """How much each user moves the ratio; its mean is zero."""
        return (self.content - self.ratio * self.rival) / self.rival.mean()


def _contrast(own: _Sums, others: _Sums, stratum: Stratum) -> tuple[float, float]:
    difference = own.ratio - others.ratio
    if not np.isfinite(difference):
        return np.nan, np.nan
    content, rival = stratum.content, stratum.rival
    error = MeanError.of(
        difference + own.influence - others.influence,
        max(content.held_out, rival.held_out),
        seeded=content.seeded or rival.seeded,
    )
    return difference, error.p_differs(difference)
