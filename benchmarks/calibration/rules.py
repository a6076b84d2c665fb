"""What must hold of the draws of a setting, and whether it does, with exact intervals (Clopper, Pearson 1934)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import binomtest

from calibration.studies import Record

Event = Callable[[Record], bool | None]
"""Whether something happened in a draw; None where the draw does not say."""
Holds = Literal["yes", "no", "too few draws", "printed"]


@dataclass(frozen=True)
class Rule:
    """How often something may, or must, happen.

    Attributes:
        must: in words, such as "says helps".
        event: what is counted.
        at_most: the largest share of draws that is right; None: no limit from above.
        at_least: the smallest one; None likewise. Without either the share is printed, and nothing must hold.
        by_bound: whether the upper 95 % bound of the share, and not the share itself, must keep to `at_most`.
    """

    must: str
    event: Event
    at_most: float | None = None
    at_least: float | None = None
    by_bound: bool = False

    @property
    def limit(self) -> str:
        """The limit in words."""
        if self.at_most is not None:
            return f"{'upper 95 % bound ' if self.by_bound else ''}at most {self.at_most:.0%}".replace("%", " %")
        return "printed" if self.at_least is None else f"at least {self.at_least:.0%}".replace("%", " %")


@dataclass(frozen=True)
class Tally:
    """How often it happened.

    Attributes:
        hits: draws in which it did.
        n: draws that say whether it did.
    """

    hits: int
    n: int

    @classmethod
    def of(cls, rule: Rule, draws: Sequence[Record]) -> "Tally":
        """Count."""
        known = [found for found in map(rule.event, draws) if found is not None]
        return cls(sum(known), len(known))

    @property
    def share(self) -> float:
        """Of the draws; nan without any."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Two-sided, 95 %."""
        if not self.n:
            return 0.0, 1.0
        interval = binomtest(self.hits, self.n).proportion_ci(0.95, "exact")
        return float(interval.low), float(interval.high)

    @property
    def upper_bound(self) -> float:
        """One-sided, 95 %."""
        return float(binomtest(self.hits, self.n, alternative="less").proportion_ci(0.95, "exact").high)

    def holds(self, rule: Rule) -> Holds:
        """Whether the rule does."""
        if rule.at_most is None and rule.at_least is None:
            return "printed"
        if not self.n:
            return "too few draws"
        if rule.at_least is not None:
            return "yes" if self.share >= rule.at_least else "no"
        assert rule.at_most is not None
        if not rule.by_bound:
            return "yes" if self.share <= rule.at_most else "no"
        if self.upper_bound <= rule.at_most:
            return "yes"
        possible = Tally(0, self.n).upper_bound <= rule.at_most
        return "no" if possible or self.share > rule.at_most else "too few draws"


def says(*verdicts: str) -> Event:
    """The verdict is one of these."""
    return lambda draw: draw["verdict"] in verdicts


def names_the_drivers(draw: Record) -> bool:
    """All sources that drive choice are named, as such or within a group, and no other."""
    named = {*draw["named"], *(source for group in draw.get("groups", ()) for source in group)}
    return named == set(draw["drivers"])
