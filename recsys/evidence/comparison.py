"""One model against another, user by user: how much better, how sure, and what could have been seen.

statsmodels takes more than a second to import, so it is imported where it computes: a list of models needs none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from recsys.errors import UserError
from recsys.evidence.resampling import NOTHING, over_seeds, resampled_means, sign_flip_p_value
from recsys.evidence.scores import Scores, label

ALPHA = 0.05
POWER = 0.80
MARGIN = 0.02
N_RESAMPLES = 10_000


@dataclass(frozen=True)
class Comparison:
    """A against B on one metric, over the users that both have.

    Lifts are relative to B (0.03 is three percent); they, their interval and the equivalence test are
    undefined (nan, not equivalent) where B scores nothing at all.

    Attributes:
        model_a: model of A; likewise `arm_a`, `model_b`, `arm_b`.
        mean_a: mean over users and seeds; likewise `mean_b`.
        difference: `mean_a - mean_b`, with its 95 % bootstrap interval `ci_low`, `ci_high`.
        lift: the difference relative to B, with its 95 % bootstrap interval `lift_low`, `lift_high`.
        p_value: two-sided paired permutation test over users.
        p_equivalent: larger p-value of the two one-sided tests of |difference| < `margin` of B.
        margin: of equivalence, relative to B.
        n_users: users compared.
        share_tied: share of the users whose scores, averaged over seeds, differ by exactly nothing.
        detectable_lift: smallest lift that these users could have shown with 80 % power at 5 %; nan where
            no two users differ in their difference, for then nothing is known of its spread.
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
    p_value: float
    p_equivalent: float
    margin: float
    n_users: int
    share_tied: float
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


def compare(
    a: Scores, b: Scores, *, margin: float = MARGIN, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> Comparison:
    """Compare two models user by user; UserError where they share fewer than two users.

    The interval resamples users (the same for both models) and seeds (of each model on its own, for a seed
    means nothing across models), as in Owen, "The pigeonhole bootstrap", 2007. With few seeds it is too
    narrow in that part: two seeds show half of their variance. The tests take users as the unit, on scores
    averaged over seeds: they speak of these trained models, the interval also of others like them.
    """
    users = np.intersect1d(a.users, b.users)
    if len(users) < 2:
        raise UserError(
            f"{a.label} and {b.label} share {len(users)} users with a test score: "
            "a paired test needs two at least; enlarge the test part"
        )
    a, b = a.restricted(users), b.restricted(users)
    mean_a, mean_b = float(a.values.mean()), float(b.values.mean())
    differences = a.values.mean(axis=0) - b.values.mean(axis=0)
    differences[np.abs(differences) <= NOTHING] = 0.0
    difference = float(differences.mean())
    (ci_low, ci_high), (lift_low, lift_high) = _intervals(a.values, b.values, n_resamples, seed)
    return Comparison(
        model_a=a.model,
        arm_a=a.arm,
        model_b=b.model,
        arm_b=b.arm,
        mean_a=mean_a,
        mean_b=mean_b,
        difference=difference,
        ci_low=ci_low,
        ci_high=ci_high,
        lift=_relative(difference, mean_b),
        lift_low=lift_low,
        lift_high=lift_high,
        p_value=sign_flip_p_value(differences, n_resamples, np.random.default_rng(seed)),
        p_equivalent=_equivalence_p_value(differences, margin * mean_b),
        margin=margin,
        n_users=len(users),
        share_tied=float((differences == 0).mean()),
        detectable_lift=_relative(_detectable_difference(differences), mean_b),
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

    As statsmodels does it, which collects garbage on every call: seconds, once torch is loaded.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1)
    return corrected.tolist()


def _intervals(a: np.ndarray, b: np.ndarray, n_resamples: int, seed: int) -> tuple[list[float], list[float]]:
    """95 % percentile intervals of the difference and of the lift."""
    rng = np.random.default_rng(seed)
    means = resampled_means(np.concatenate([a, b]), n_resamples, rng)
    means_a, means_b = over_seeds(means[:, : len(a)], rng), over_seeds(means[:, len(a) :], rng)
    differences = means_a - means_b
    lifts = np.divide(differences, means_b, out=np.full_like(differences, np.nan), where=means_b > 0)
    ends = [ALPHA / 2, 1 - ALPHA / 2]
    return np.quantile(differences, ends).tolist(), np.quantile(lifts, ends).tolist()


def _equivalence_p_value(differences: np.ndarray, margin: float) -> float:
    if margin <= 0:
        return 1.0
    if np.ptp(differences) <= NOTHING:  # without spread the t statistic has no denominator, and there is no doubt
        return 0.0 if abs(differences[0]) < margin else 1.0
    from statsmodels.stats.weightstats import ttost_paired

    return float(ttost_paired(differences, np.zeros_like(differences), -margin, margin)[0])


def _detectable_difference(differences: np.ndarray) -> float:
    if np.ptp(differences) <= NOTHING:
        return np.nan
    return _detectable_effect(len(differences)) * float(differences.std(ddof=1))


@cache
def _detectable_effect(n_users: int) -> float:
    """In standard deviations; kept, for finding the root takes longer than the rest of a small comparison."""
    from statsmodels.stats.power import TTestPower

    # For some numbers of users the solver answers with an array of one.
    return np.asarray(TTestPower().solve_power(nobs=n_users, alpha=ALPHA, power=POWER)).item()


def _relative(difference: float, base: float) -> float:
    return difference / base if base > 0 else np.nan
