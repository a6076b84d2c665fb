"""What must hold of the draws of a setting, and whether it does, with exact intervals (Clopper, Pearson 1934)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import binomtest

from calibration.studies import Record
from recsys.evidence.comparison import MARGIN

Event = Callable[[Record], bool | None]
"""Whether something happened in a draw; None where the draw does not say."""
HELPS = ("helps", "helps_a_little")
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
    def fewest_draws(self) -> int:
        """Below, a single draw on the wrong side would be too many."""
        left = self.at_most if self.at_most is not None else 1 - (self.at_least or 0)
        return 1 if self.by_bound or not left else round(1 / left)

    @property
    def limit(self) -> str:
        """The limit in words."""
        if self.at_most is not None:
            return f"{'upper 95 % bound ' if self.by_bound else ''}at most {round(100 * self.at_most)} %"
        return "printed" if self.at_least is None else f"at least {round(100 * self.at_least)} %"


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
        """Share of the draws; nan without any."""
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
        if self.n < rule.fewest_draws:
            return "too few draws"
        if rule.at_least is not None:
            return "yes" if self.share >= rule.at_least else "no"
        assert rule.at_most is not None
        if not rule.by_bound:
            return "yes" if self.share <= rule.at_most else "no"
        if self.n and self.upper_bound <= rule.at_most:
            return "yes"
        possible = bool(self.n) and Tally(0, self.n).upper_bound <= rule.at_most
        return "no" if possible or self.share > rule.at_most else "too few draws"


def says(*verdicts: str) -> Event:
    """The verdict is one of these."""
    return lambda draw: draw["verdict"] in verdicts


def names_the_drivers(draw: Record) -> bool:
    """All sources that drive choice are named, as such or within a group, and no other."""
    named = {*draw["named"], *(source for group in draw["groups"] for source in group)}
    return named == set(draw["drivers"])


def names_the_group(draw: Record) -> bool:
    """All that says the same is named as one group."""
    return any(set(group) == set(draw["drivers"]) for group in draw["groups"])


def popularity_where_it_lifts(draw: Record) -> bool | None:
    """Content that beats the rival is called popularity."""
    return draw["verdict"] == "popularity_not_content" if draw["relation"] == "better" else None


def fires(source: str) -> Event:
    """A probe fires on this source."""
    return lambda draw: source in draw["alarms"]


def fires_elsewhere(source: str) -> Event:
    """A probe fires on any other source."""
    return lambda draw: bool(set(draw["alarms"]) - {source})


def differ_by_name(draw: Record) -> bool:
    """The same model under two names differs by 1 % or more."""
    first, second = (draw["means"][f"{name} interactions_only"] for name in ("ItemKNN", "ItemKNNAgain"))
    return abs(second / first - 1) >= 0.01


def differ_by_seed(n: int) -> Event:
    """A model is said to be better or worse than itself, by so many trainings a side."""
    return lambda draw: draw["relations"][str(n)] in ("better", "worse")


def false_sameness(draw: Record) -> bool | None:
    """Sameness is claimed at any number of trainings, of a model whose seeds differ by more than the margin."""
    return "equivalent" in draw["relations"].values() if draw["spread"] > MARGIN else None


NO_HELP = (Rule("says that content helps", says(*HELPS), at_most=0.05, by_bound=True),)
NEVER_HELPS = Rule("says that content helps", says(*HELPS), at_most=0.0)
NO_CAPACITY = Rule("says capacity, not content", says("capacity_not_content"), at_most=0.0)
DRIVEN = Rule("says that content helps", says("helps"), at_least=0.9)
RIGHT_SOURCES = Rule("names the sources that drive choice, and no other", names_the_drivers, at_least=0.9)
POWER = (Rule("says that content helps", says(*HELPS)),)
WEAK = (
    *POWER,
    Rule(
        "says that it does not pay, has no effect, or is capacity",
        says("used_but_does_not_pay", "no_effect", "capacity_not_content"),
        at_most=0.05,
    ),
)
ONLY_POPULARITY = (
    Rule("says that content helps", says(*HELPS), at_most=0.05, by_bound=True),
    Rule("calls a lift popularity", popularity_where_it_lifts, at_least=0.9),
)
GROUP = (
    Rule("names the group", names_the_group, at_least=0.9),
    Rule("names nothing", lambda draw: not (draw["named"] or draw["groups"]), at_most=0.0),
)
LOSERS = Rule("says who loses", lambda draw: bool(draw["losers"]), at_least=0.9)
TWO_NAMES = Rule("the two differ by 1 % or more", differ_by_name, at_most=0.0)
NO_FALSE_SAMENESS = Rule(
    "says that they are the same, where seeds differ by more than 2 %", false_sameness, at_most=0.0
)


def same_model(n: int) -> Rule:
    """A model is not better or worse than itself."""
    return Rule(f"says better or worse, {n} a side", differ_by_seed(n), at_most=0.07)


SILENT_PROBES = Rule(
    "a probe fires (few factors of a dense matrix are beyond the probes)", lambda draw: bool(draw["alarms"])
)


def alarm(source: str) -> Rule:
    """A probe finds a source that was made from interactions."""
    return Rule(f"a probe fires on '{source}'", fires(source), at_least=0.95)


def false_alarm(source: str) -> Rule:
    """No probe suspects any other source."""
    return Rule("a probe fires on an honest source", fires_elsewhere(source), at_most=0.05)
