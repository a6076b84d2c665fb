"""One model against another, paired by user and by repeat: how much better, how sure, what could have been seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from recsys.errors import UserError
from recsys.evidence.mean_error import MeanError
from recsys.evidence.resampling import NOTHING, sign_flip_p_value
from recsys.evidence.scores import Scores, label
from recsys.wording import count

ALPHA = 0.05
POWER = 0.80
MARGIN = 0.02
N_RESAMPLES = 10_000
Claim = Literal["better", "worse", "equivalent"]
Relation = Literal[Claim, "open"]


@dataclass(frozen=True)
class ComparisonOptions:
    """How comparisons are made.

    Attributes:
        margin: of equivalence, relative to B.
        n_resamples: sign patterns of `p_users`.
        seed: of these.
    """

    margin: float = MARGIN
    n_resamples: int = N_RESAMPLES
    seed: int = 0

    @property
    def without_p_users(self) -> "ComparisonOptions":
        """The same for comparisons whose `p_users` nobody reads, which is most of their work."""
        return replace(self, n_resamples=1)


DEFAULTS = ComparisonOptions()


@dataclass(frozen=True)
class Comparison:
    """A against B on one metric, over the users that both have.

    Lifts are relative to B (0.03 is three percent). They, their intervals and equivalence are undefined (nan, not
    equivalent) where B scores nothing at all; intervals and p-values are nan where one repeat says nothing of others.

    Attributes:
        model_a: model of A; likewise `arm_a`, `model_b`, `arm_b`.
        mean_a: mean over users and repeats; likewise `mean_b`.
        difference: `mean_a - mean_b`, with its 95 % interval `ci_low`, `ci_high` (see `recsys.evidence.mean_error`).
        lift: the difference relative to B, with its 95 % interval `lift_low`, `lift_high` and its 90 % interval
            `lift_low_90`, `lift_high_90`.
        p_value: two-sided, of the interval; it decides.
        p_equivalent: larger p-value of the two one-sided tests of |difference| < `margin` of B, of the same interval.
        p_users: permutation test over users alone (sign flips), for readers; it decides nothing.
        margin: of equivalence, relative to B.
        n_users: users compared.
        n_moved: users whose scores, averaged over repeats, differ.
        n_repeats: repeats compared.
        repeat_lifts: the lift in each repeat.
        error: of the difference, by what it comes of.
        detectable_lift: smallest lift that would have been shown with 80 % power, about; nan where nothing differs.
        p_holm: p-value corrected for the table the comparison stands in; likewise `p_equivalent_holm`, for
            the claims of equivalence are as many; None outside a table.
    """

    model_a: str
    arm_a: str
    model_b: str
    arm_b: str
    mean_a: float
    mean_b: float
    difference: float
    ci_low: float
    ci_high: float
    lift: float
    lift_low: float
    lift_high: float
    lift_low_90: float
    lift_high_90: float
    p_value: float
    p_equivalent: float
    p_users: float
    margin: float
    n_users: int
    n_moved: int
    n_repeats: int
    repeat_lifts: tuple[float, ...]
    error: MeanError
    detectable_lift: float
    p_holm: float | None = None
    p_equivalent_holm: float | None = None

    @property
    def a(self) -> str:
        """A in words."""
        return label(self.model_a, self.arm_a)

    @property
    def b(self) -> str:
        """B in words."""
        return label(self.model_b, self.arm_b)

    @property
    def n_repeats_of_its_sign(self) -> int:
        """Repeats in which the lift points where the whole does; one of nought points nowhere."""
        return sum((each > 0) == (self.lift > 0) and (each < 0) == (self.lift < 0) for each in self.repeat_lifts)

    @property
    def p(self) -> float:
        """The p-value that counts: the corrected one where the comparison stands in a table."""
        return self.p_value if self.p_holm is None else self.p_holm

    @property
    def equivalent(self) -> bool:
        """Whether the difference was shown to lie within the margin."""
        return (self.p_equivalent if self.p_equivalent_holm is None else self.p_equivalent_holm) <= ALPHA

    @property
    def a_better(self) -> bool:
        """Whether A was shown to be better."""
        return self.p <= ALPHA and self.difference > 0

    @property
    def b_better(self) -> bool:
        """Whether B was shown to be better."""
        return self.p <= ALPHA and self.difference < 0

    @property
    def relation(self) -> Relation:
        """How A relates to B; a difference that is shown and lies within the margin is a difference."""
        if self.a_better:
            return "better"
        if self.b_better:
            return "worse"
        return "equivalent" if self.equivalent else "open"


def compare(a: Scores, b: Scores, options: ComparisonOptions = DEFAULTS) -> Comparison:
    """Compare two models over the users and repeats that both have.

    Args:
        a: scores of one model.
        b: scores of the other, over the same repeats.
        options: how.

    Raises:
        UserError: they share fewer than two users.
        ValueError: they have different numbers of repeats.
    """
    users = np.intersect1d(a.users, b.users)
    if len(users) < 2:
        raise UserError(
            f"{a.label} and {b.label} share {count(len(users), 'user')} with a test score: "
            "a paired test needs two at least; enlarge the test part"
        )
    a, b = a.restricted(users), b.restricted(users)
    if len(a.values) != len(b.values):
        raise ValueError(f"{a.label} has {count(len(a.values), 'repeat')} and {b.label} {len(b.values)}")
    mean_a, mean_b = float(a.values.mean()), float(b.values.mean())
    differences = a.values - b.values
    differences[np.abs(differences) <= NOTHING] = 0.0
    by_user = differences.mean(axis=0)
    by_user[np.abs(by_user) <= NOTHING] = 0.0
    difference = float(by_user.mean())
    error = MeanError.of(differences, max(a.held_out, b.held_out), seeded=a.seeded or b.seeded)
    half, half_90 = error.half_width(1 - ALPHA), error.half_width(1 - 2 * ALPHA)
    return Comparison(
        model_a=a.model,
        arm_a=a.arm,
        model_b=b.model,
        arm_b=b.arm,
        mean_a=mean_a,
        mean_b=mean_b,
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        lift=_relative(difference, mean_b),
        lift_low=_relative(difference - half, mean_b),
        lift_high=_relative(difference + half, mean_b),
        lift_low_90=_relative(difference - half_90, mean_b),
        lift_high_90=_relative(difference + half_90, mean_b),
        p_value=error.p_differs(difference),
        p_equivalent=error.p_above(options.margin * mean_b - abs(difference)) if mean_b > 0 else 1.0,
        p_users=sign_flip_p_value(by_user, options.n_resamples, np.random.default_rng(options.seed)),
        margin=options.margin,
        n_users=len(users),
        n_moved=int(np.count_nonzero(by_user)),
        n_repeats=len(differences),
        repeat_lifts=tuple(
            _relative(float(each.mean()), float(base.mean())) for each, base in zip(differences, b.values, strict=True)
        ),
        error=error,
        detectable_lift=_relative(detectable_difference(half), mean_b),
    )


def holm(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons of one table, each with its two p-values corrected by Holm's method."""
    different = holm_corrected([each.p_value for each in comparisons])
    equivalent = holm_corrected([each.p_equivalent for each in comparisons])
    return [
        replace(each, p_holm=p, p_equivalent_holm=p_equivalent)
        for each, p, p_equivalent in zip(comparisons, different, equivalent, strict=True)
    ]


def holm_corrected(p_values: Sequence[float]) -> list[float]:
    """P-values of one family, corrected by Holm's method.

    As statsmodels does it, which collects garbage on every call: seconds, once torch is loaded. A p-value that is not
    known (nan) stays so, and counts as one of the family.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1)
    return corrected.tolist()


def detectable_difference(half_width: float) -> float:
    """The difference that an interval of this half width would show with the wanted power; nan where none is known."""
    if half_width <= NOTHING or math.isnan(half_width):
        return np.nan
    return half_width * (1 + float(special.ndtri(POWER) / special.ndtri(1 - ALPHA / 2)))


def _relative(difference: float, base: float) -> float:
    return difference / base if base > 0 else np.nan
