"""The error of a mean over users and repeats: the one interval, and the one p-value, that decide.

What is estimated is the lift of the procedure: split, tuning, training and permutations drawn anew. Its error has two
parts. Other users would have given another mean, and so would other repeats; the split of a repeat overlaps with
those of the others, so that their mean varies more than that of independent draws (Nadeau and Bengio, "Inference for
the generalization error", Machine Learning 2003). With V_u the variance of the mean over users, s^2 the variance among
the R means of single repeats, and h the held-out share (test rows to each training row; 0 where the split is a fact),

    V_r = s^2 (1 / R + h),   half width = max(t_{n-1} sqrt(V_u + V_r), t_{R-1} sqrt(V_r)).

The first form counts the noise of users within a repeat twice, and the second is wide where repeats are few. Simulated
over all mixtures of the two parts and R of 2, 3 and 5, the 95 % interval leaves out the truth in at most 5.5 %, and
where users are the larger part it is hardly wider than needed. One repeat says nothing of the others, so with one
nothing is decided where the split is drawn or a seed has a say.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import special

from recsys.evidence.resampling import NOTHING


@dataclass(frozen=True)
class MeanError:
    """What is known of the error of a mean difference.

    Attributes:
        of_users: V_u.
        among_repeats: s^2; 0 with one repeat.
        n_users: users that were compared.
        n_repeats: R.
        held_out: h.
        seeded: whether training or permutations depend on a seed, so that another repeat could have come out
            otherwise though its split were the same.
    """

    of_users: float
    among_repeats: float
    n_users: int
    n_repeats: int
    held_out: float
    seeded: bool

    @classmethod
    def of(cls, differences: np.ndarray, held_out: float, *, seeded: bool) -> Self:
        """The error of the mean of differences, shape (n_repeats, n_users)."""
        n_repeats, n_users = differences.shape
        of_users = float(differences.mean(axis=0).var(ddof=1)) / n_users
        among_repeats = float(differences.mean(axis=1).var(ddof=1)) if n_repeats > 1 else 0.0
        return cls(of_users, among_repeats, n_users, n_repeats, held_out, seeded)

    @property
    def of_repeats(self) -> float:
        """V_r."""
        return self.among_repeats * (1 / self.n_repeats + self.held_out)

    @property
    def known(self) -> bool:
        """Whether anything can be decided."""
        return self.n_repeats > 1 or not (self.seeded or self.held_out > 0)

    def half_width(self, confidence: float) -> float:
        """Half the width of the interval; nan where nothing is known of other repeats."""
        if not self.known:
            return math.nan
        return max(float(special.stdtrit(df, (1 + confidence) / 2)) * error for error, df in self._forms)

    def p_above(self, difference: float) -> float:
        """One-sided p-value of a difference against one of zero or less; nan where nothing is known."""
        if not self.known:
            return math.nan
        return max(_upper_tail(difference, error, df) for error, df in self._forms)

    def p_differs(self, difference: float) -> float:
        """Two-sided p-value of a difference; nan where nothing is known."""
        return 2 * float(np.minimum(self.p_above(abs(difference)), 0.5))

    def with_users(self, n_users: int) -> Self:
        """The error that so many users would have left, in as many repeats."""
        return replace(self, of_users=self.of_users * self.n_users / n_users, n_users=n_users)

    def with_repeats(self, n_repeats: int) -> Self:
        """The error that so many repeats would have left, among the same users."""
        return replace(self, n_repeats=n_repeats)

    @property
    def _forms(self) -> list[tuple[float, int]]:
        """Standard errors with their degrees of freedom, each of which an interval must be wide enough for."""
        both = (math.sqrt(self.of_users + self.of_repeats), self.n_users - 1)
        return [both, (math.sqrt(self.of_repeats), self.n_repeats - 1)] if self.n_repeats > 1 else [both]


def _upper_tail(difference: float, error: float, df: int) -> float:
    if error <= NOTHING:  # without spread the t statistic has no denominator, and there is no doubt
        return 0.0 if difference > NOTHING else 0.5 if abs(difference) <= NOTHING else 1.0
    return float(special.stdtr(df, -difference / error))  # Student's t; scipy.stats takes a hundred times as long
