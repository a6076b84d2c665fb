"""Weighted sums of several models' scores, with the same interval and p-value as a comparison of two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from recsys.errors import UserError
from recsys.evidence.comparison import ALPHA
from recsys.evidence.mean_error import MeanError
from recsys.evidence.resampling import NOTHING
from recsys.evidence.scores import Pair, Scores
from recsys.wording import count

Weights = Mapping[Pair, float]


@dataclass(frozen=True)
class Estimate:
    """A mean over users and repeats with its 95 % interval, in the units of the metric.

    Attributes:
        value: the mean.
        low: lower end of the interval; likewise `high`.
        p_above: one-sided p-value of the mean against one of zero or less.
    """

    value: float
    low: float
    high: float
    p_above: float

    @property
    def differs(self) -> bool:
        """Whether the mean was shown to differ from zero."""
        return self.low > 0 or self.high < 0

    def over(self, base: float) -> "Estimate":
        """The same in units of a positive base that is taken as known; nan where it is not positive."""
        scale = 1 / base if base > 0 else np.nan
        return Estimate(self.value * scale, self.low * scale, self.high * scale, self.p_above)


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of scores of each user in each repeat.

    Attributes:
        values: float64, shape (n_repeats, n_users).
        held_out: as of `Scores`, the largest of all that went in.
        seeded: whether any of them was.
    """

    values: np.ndarray
    held_out: float
    seeded: bool

    @property
    def estimate(self) -> Estimate:
        """Its mean, with the error of `recsys.evidence.mean_error`."""
        values = np.where(np.abs(self.values) <= NOTHING, 0.0, self.values)
        mean, error = float(values.mean()), MeanError.of(values, self.held_out, seeded=self.seeded)
        half = error.half_width(1 - ALPHA)
        return Estimate(mean, mean - half, mean + half, error.p_above(mean))

    def minus(self, other: "Contrast", times: float) -> "Contrast":
        """This one less `times` the other."""
        return Contrast(self.values - times * other.values, self.held_out, self.seeded)


def contrasts(weights: Sequence[Weights], scores: Mapping[Pair, Scores]) -> list[Contrast]:
    """Several weighted sums over the users that all of their scores have.

    Args:
        weights: of each sum, by (model, arm).
        scores: by (model, arm); one is held at a time, beside the sums.

    Raises:
        UserError: the scores share fewer than two users.
        ValueError: they have different numbers of repeats.
    """
    pairs = list(dict.fromkeys(pair for each in weights for pair in each))
    users = reduce(np.intersect1d, (scores[pair].users for pair in pairs))
    if len(users) < 2:
        names = ", ".join(scores[pair].label for pair in pairs)
        raise UserError(f"{names} share {count(len(users), 'user')} with a test score: enlarge the test part")
    sums: list[np.ndarray] = []
    held_out, seeded = 0.0, False
    for pair in pairs:
        each = scores[pair].restricted(users)
        sums = sums or [np.zeros(each.values.shape) for _ in weights]
        if len(each.values) != len(sums[0]):
            raise ValueError(f"{each.label} has {count(len(each.values), 'repeat')} where others have {len(sums[0])}")
        for total, weight in zip(sums, weights, strict=True):
            total += weight.get(pair, 0.0) * each.values
        held_out, seeded = max(held_out, each.held_out), seeded or each.seeded
    return [Contrast(total, held_out, seeded) for total in sums]
