"""What a verdict on a dataset holds: its name, the comparisons that it rests on, and both in words.

How it is reached is in `recsys.evidence.decision`.
"""

from dataclasses import dataclass
from typing import Literal

from recsys.evidence.comparison import Comparison

VerdictName = Literal[
    "helps",
    "helps_a_little",
    "popularity_not_content",
    "capacity_not_content",
    "used_but_does_not_pay",
    "no_effect",
    "harms",
    "model_harms",
    "content_not_chosen",
    "not_ready",
    "inconclusive",
]
HELPS: tuple[VerdictName, ...] = ("helps", "helps_a_little")


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about one dataset.

    Attributes:
        name: the verdict.
        sentence: what holds and what does not, with the figures.
        advice: what the person who decides should do.
        metric: what all figures are in, such as `ndcg_at_20`.
        against_rival: C against I; likewise `against_shuffled` (S1), `against_untuned` (S0), `against_popularity` (P)
            and `against_itself`, None where the model has no such arm.
        shuffled_against_rival: S1 against I.
    """

    name: VerdictName
    sentence: str
    advice: str
    metric: str
    against_rival: Comparison
    against_shuffled: Comparison
    against_untuned: Comparison
    against_popularity: Comparison
    against_itself: Comparison | None
    shuffled_against_rival: Comparison

    @property
    def gain(self) -> Comparison:
        """What content itself gives: C against the best of its shuffled selves and of itself without content."""
        compared = (self.against_shuffled, self.against_untuned, self.against_itself)
        return max((each for each in compared if each), key=lambda each: each.mean_b)
