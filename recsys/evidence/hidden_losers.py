"""Users whom content costs, where no label says who they are: found in some repeats, judged in another.

For each repeat, the users are taken who lost on average over the other repeats, and what content gives them is
measured in that repeat alone. A user's test rows are drawn anew in each repeat, but from the few interactions that the
user has, so that the same row comes up again: whoever lost by it loses by it once more, and where all users are alike
the group would still be shown to lose (in simulations in 20 to 85 % of the draws). Hence another repeat counts for a
user only if it measured none of the rows by which this one judges; rows that differ say nothing of each other where
users are alike. Where the split is a fact, all repeats judge by the same rows, and nothing can be said.

The group is picked by noisy figures and holds users who do not lose, so what it loses is less than what the losers do.
"""

from dataclasses import dataclass

import numpy as np

from recsys.evidence.comparison import DEFAULTS, Comparison, ComparisonOptions
from recsys.evidence.resampling import NOTHING
from recsys.evidence.scores import Scores
from recsys.evidence.strata import WORTH_NAMING, compare_weighted
from recsys.evidence.wording import with_interval
from recsys.wording import whole_percent


@dataclass(frozen=True)
class HiddenLosers:
    """The users who lost in other repeats.

    Attributes:
        share_of_users: who were taken, mean over repeats.
        comparison: content against the rival among them, in the repeat that did not pick them.
    """

    share_of_users: float
    comparison: Comparison

    @property
    def shown(self) -> bool:
        """Whether a tenth of the users or more are shown to lose by more than the margin: one-sided, at 5 %."""
        return self.share_of_users >= WORTH_NAMING and self.comparison.lift_high_90 < -self.comparison.margin

    @property
    def sentence(self) -> str:
        """For the headline."""
        lift = with_interval(self.comparison.lift, self.comparison.lift_low, self.comparison.lift_high)
        return (
            f"For about {whole_percent(self.share_of_users)} of the users content costs: {lift}, "
            "measured in repeats that did not pick them."
        )


def find_hidden_losers(
    content: Scores,
    rival: Scores,
    picked_by: np.ndarray,
    overlaps: np.ndarray,
    options: ComparisonOptions = DEFAULTS,
) -> HiddenLosers | None:
    """Cross-fit over repeats; None where repeats do not redraw the split, or too few users lost to be compared.

    Args:
        content: of all users.
        rival: of the same users in the same order.
        picked_by: differences of content and rival that pick the users, shape (n_repeats, n_users): on the test rows,
            or on all rows that a repeat held out.
        overlaps: bool, shape (n_repeats, n_repeats, n_users): whether a test row of the first repeat is among the
            rows on which `picked_by` of the second was measured.
        options: of the comparison; a loss must exceed the margin.
    """
    n_repeats = len(content.values)
    if n_repeats < 2 or not max(content.held_out, rival.held_out):
        return None
    others = ~overlaps & ~np.eye(n_repeats, dtype=bool)[:, :, None]
    lost = np.einsum("rsu,su->ru", others, picked_by) < -NOTHING
    if lost.any(axis=0).sum() < 2:
        return None
    comparison = compare_weighted(content, rival, lost, options)
    return HiddenLosers(float(lost.mean()), comparison)
