"""For whom: content against its rival within strata of users and of items, and whether the strata differ.

A user may have a stratum's test rows in one repeat and none in another, so a stratum's mean is a ratio: of the scores
where there are such rows, to how many there are. It is brought to a plain mean by its linearisation (delta method), so
that the one interval that decides everywhere else decides here too. By user every user counts alike; by interaction
each counts as often as it has test rows. Whether strata differ, `stratum.stratum_contrasts` answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.evidence.comparison import DEFAULTS, Comparison, ComparisonOptions, compare, holm
from recsys.evidence.resampling import NOTHING, sign_flip_p_value
from recsys.evidence.scores import Scores
from recsys.evidence.stratum import Stratum, stratum_contrasts
from recsys.evidence.wording import means, with_interval
from recsys.wording import whole_percent

ENOUGH_USERS = 30
"""A stratum of fewer users is left out."""
WORTH_NAMING = 0.1
"""Share of the users whose loss belongs into the headline."""
COLD = "cold items"


@dataclass(frozen=True)
class StratumResult:
    """What was found in a stratum.

    Attributes:
        family: of the stratum.
        name: of the stratum.
        share_of_users: of all users, mean over repeats.
        share_of_rows: of all test rows, likewise.
        by_user: content against the rival, each user counting alike; p-values corrected over all strata by Holm.
        by_interaction: the same, each user counting as often as it has test rows, without a correction.
        contrast: the stratum's lift less that of all other strata of its family; nan where one is undefined.
        p_contrast: two-sided, corrected over the family by Holm; likewise.
        of_items: whether it is some items' test rows, and not some users.
    """

    family: str
    name: str
    share_of_users: float
    share_of_rows: float
    by_user: Comparison
    by_interaction: Comparison
    contrast: float
    p_contrast: float
    of_items: bool = False


def compare_strata(
    strata: Sequence[Stratum], n_rows: np.ndarray, options: ComparisonOptions = DEFAULTS
) -> list[StratumResult]:
    """Compare within each stratum of enough users.

    Args:
        strata: of one or several families, over the same users.
        n_rows: all test rows of each user, shape (n_repeats, n_users).
        options: of each comparison.
    """
    enough = [each for each in strata if each.n_users >= ENOUGH_USERS]
    by_user = holm([compare_weighted(each.content, each.rival, each.members, options) for each in enough])
    by_interaction = [compare_weighted(each.content, each.rival, each.n_rows, options) for each in enough]
    contrasted: dict[str, tuple[float, float]] = {}
    for family in dict.fromkeys(each.family for each in enough):
        contrasted |= stratum_contrasts([each for each in enough if each.family == family])
    has_rows = (n_rows > 0).sum()
    return [
        StratumResult(
            family=each.family,
            name=each.name,
            share_of_users=float(each.members.sum() / has_rows),
            share_of_rows=float(each.n_rows.sum() / n_rows.sum()),
            by_user=user,
            by_interaction=interaction,
            contrast=contrasted[each.name][0],
            p_contrast=contrasted[each.name][1],
            of_items=each.of_items,
        )
        for each, user, interaction in zip(enough, by_user, by_interaction, strict=True)
    ]


def compare_weighted(
    content: Scores, rival: Scores, weights: np.ndarray, options: ComparisonOptions = DEFAULTS
) -> Comparison:
    """Two models over the same users, each user counting by its weight in each repeat.

    Args:
        content: of all users.
        rival: of the same users in the same order.
        weights: non-negative, shape (n_repeats, n_users); users without any are left out.
        options: of the comparison.
    """
    counted = weights.any(axis=0)
    weights, users = weights[:, counted].astype(np.float64), content.users[counted]
    a, b = (_linearised(each.restricted(users), weights) for each in (content, rival))
    found = compare(a, b, options.without_p_users)
    # The linearised difference of a user who is served equally is that of its weight: these two need the plain one.
    moved = (weights * (content.values - rival.values)[:, counted]).mean(axis=0)
    moved[np.abs(moved) <= NOTHING] = 0.0
    return replace(
        found,
        n_moved=int(np.count_nonzero(moved)),
        p_users=sign_flip_p_value(moved, options.n_resamples, np.random.default_rng(options.seed)),
    )


def families_that_differ(results: Sequence[StratumResult]) -> dict[str, float]:
    """By family, the smallest corrected p-value of its contrasts; those of one stratum or repeat are left out."""
    smallest: dict[str, float] = {}
    for each in results:
        if np.isfinite(each.p_contrast):
            smallest[each.family] = min(smallest.get(each.family, 1.0), each.p_contrast)
    return smallest


def losers(results: Sequence[StratumResult], everybody: Comparison, metric: str) -> list[str]:
    """What the headline must add: who is shown to lose, and that cold items, for which content is meant, gain nothing.

    Args:
        results: of all strata.
        everybody: content against its rival over all users; where it is worse, the headline itself says who loses.
        metric: of the scores, such as `ndcg_at_20`.
    """
    if everybody.b_better:
        return []
    many = [each for each in results if each.share_of_users >= WORTH_NAMING]
    sentences = [_costs(each) for each in many if each.by_user.b_better]
    cold = [each for each in many if each.name == COLD and not (each.by_user.a_better or each.by_user.b_better)]
    return sentences + [
        f"Cold items, which {whole_percent(each.share_of_users)} of the users have in the test part, are not shown to "
        f"gain: {means(each.by_user, metric)}."
        for each in cold
    ]


def _linearised(scores: Scores, weights: np.ndarray) -> Scores:
    """Values whose plain mean is the weighted one, and whose spread is that of the weighted one."""
    mean = (weights * scores.values).sum() / weights.sum()
    return replace(scores, values=mean + weights * (scores.values - mean) / weights.mean())


def _costs(result: StratumResult) -> str:
    share, lift = whole_percent(result.share_of_users), _lift(result.by_user)
    if result.of_items:
        return f"On {result.name}, which {share} of the users have in the test part, content costs: {lift}."
    return f"Content costs {result.name} ({share} of the users): {lift}."


def _lift(comparison: Comparison) -> str:
    return with_interval(comparison.lift, comparison.lift_low, comparison.lift_high)
