"""Does the answer hang on how it was measured: the same comparisons under other metrics, cut-offs and masks.

Each setting is compared as the headline is, and its p-values are not corrected: nothing new is claimed, it is asked
how often the same would have been said. A setting agrees where content stands to its rival, and to its shuffled
control, as it does in the headline; it contradicts where one of the two is turned round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.evidence.comparison import Comparison

OPPOSITE = {("better", "worse"), ("worse", "better")}


@dataclass(frozen=True)
class Setting:
    """What was found with one metric under one mask.

    Attributes:
        metric: such as `ndcg_at_20`.
        mask: `seen` or `train`.
        against_rival: content against its rival.
        against_shuffled: content against its shuffled control, tuned anew.
    """

    metric: str
    mask: str
    against_rival: Comparison
    against_shuffled: Comparison

    def agrees_with(self, headline: "Setting") -> bool:
        """Whether both relations are those of the headline."""
        return self._relations == headline._relations

    def contradicts(self, headline: "Setting") -> bool:
        """Whether one of the relations is the opposite one."""
        return any(pair in OPPOSITE for pair in zip(self._relations, headline._relations, strict=True))

    @property
    def _relations(self) -> tuple[str, str]:
        return self.against_rival.relation, self.against_shuffled.relation


@dataclass(frozen=True)
class Agreement:
    """How often the headline would have been the same.

    Attributes:
        n_settings: combinations of metric, cut-off and mask, the headline's own among them.
        n_agree: of these.
        n_contradict: of these.
        n_repeats: repeats; 1 where they are all the same, for neither split nor training could differ.
        n_repeats_agree: repeats in which content's mean lies on the same side of its rival's as over all.
    """

    n_settings: int
    n_agree: int
    n_contradict: int
    n_repeats: int
    n_repeats_agree: int

    @property
    def sentence(self) -> str:
        """For the headline."""
        counted = (
            f"The answer agrees in {self.n_agree} of {self.n_settings} combinations of metric, cut-off and mask, and "
            f"is contradicted in {self.n_contradict or 'none'}"
        )
        if self.n_repeats == 1:
            return f"{counted}."
        return f"{counted}; the lift has the same sign in {self.n_repeats_agree} of {self.n_repeats} repeats."


def agreement(settings: Sequence[Setting], headline: Setting) -> Agreement:
    """Count the settings, and the headline's repeats, that say what the headline says."""
    alike = len(set(headline.against_rival.repeat_lifts)) == 1
    return Agreement(
        n_settings=len(settings),
        n_agree=sum(each.agrees_with(headline) for each in settings),
        n_contradict=sum(each.contradicts(headline) for each in settings),
        n_repeats=1 if alike else len(headline.against_rival.repeat_lifts),
        n_repeats_agree=1 if alike else headline.against_rival.n_repeats_of_its_sign,
    )
