"""The table of verdicts in `docs/evidence.md`, and what keeps a verdict open by it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, get_args

from recsys.evidence.comparison import Claim, Comparison
from recsys.evidence.planning import Prospect, prospects
from recsys.evidence.verdict import Verdict, VerdictName

Compared = Literal[
    "against_rival", "against_shuffled", "against_untuned", "shuffled_against_rival", "against_popularity"
]
COMPARISONS: tuple[Compared, ...] = get_args(Compared)
"""Attributes of a `Verdict`."""
CONTROLS: tuple[Compared, ...] = ("against_shuffled", "against_untuned", "against_popularity")
Shown = frozenset[Claim]
"""What a comparison has shown: nothing, or a difference, or equivalence, or a difference within the margin."""
BETTER: Shown = frozenset({"better"})


@dataclass(frozen=True)
class TableInput:
    """All that the table asks for.

    Attributes:
        shown: by comparison.
        reaches_margin: whether the lift over I is the margin or more.
        below_margin: whether the interval of that lift ends below the margin.
    """

    shown: Mapping[Compared, Shown]
    reaches_margin: bool
    below_margin: bool

    @classmethod
    def of(cls, found: Verdict) -> "TableInput":
        """What the comparisons of a verdict have shown."""
        rival = found.against_rival
        return cls(
            {name: _shown(getattr(found, name)) for name in COMPARISONS},
            reaches_margin=rival.lift >= rival.margin or rival.mean_b == 0,
            below_margin=rival.lift_high < rival.margin,
        )

    @property
    def verdict(self) -> VerdictName:
        """The first row that holds, of those that rest on comparisons."""
        rival, shuffled, untuned, capacity, popularity = (self.shown[name] for name in COMPARISONS)
        used = "better" in shuffled and "better" in untuned
        if "better" in rival and used and "better" in popularity:
            return "helps" if self.reaches_margin else "helps_a_little"
        if "better" in rival and used and popularity:
            return "popularity_not_content"
        if "better" in capacity and "equivalent" in shuffled:
            return "capacity_not_content"
        if used and self.below_margin:
            return "used_but_does_not_pay"
        if "equivalent" in rival & shuffled & untuned:
            return "no_effect"
        if "worse" in rival & shuffled:
            return "harms"
        if "worse" in rival and "equivalent" in shuffled:
            return "model_harms"
        return "inconclusive"

    def with_claims(self, claims: Mapping[Compared, Claim]) -> "TableInput":
        """The same with some claims shown as well; C that is worse than I, or the same, ends below the margin."""
        shown = {name: each | {claims[name]} if name in claims else each for name, each in self.shown.items()}
        below = claims.get("against_rival") in ("equivalent", "worse")
        return replace(self, shown=shown, below_margin=self.below_margin or below)


def awaited(found: Verdict) -> list[Prospect]:
    """What would lead an open verdict to another one, if all lifts are what was measured: the easiest way to it.

    Empty where no verdict would follow.
    """
    given = TableInput.of(found)
    ways: list[list[Prospect]] = []
    for chosen in product(*([None, *prospects(getattr(found, name))] for name in COMPARISONS)):
        way = {name: each for name, each in zip(COMPARISONS, chosen, strict=True) if each}
        if given.with_claims({name: each.claim for name, each in way.items()}).verdict != "inconclusive":
            ways.append(list(way.values()))
    return min(ways, key=lambda way: (max(each.narrowing for each in way), len(way)), default=[])


def unbeaten(found: Verdict) -> Comparison | None:
    """The control that content equals and would have to beat, where it beats I and no verdict fits; else None."""
    given = TableInput.of(found)
    if "better" not in given.shown["against_rival"]:
        return None
    for name in CONTROLS:
        beaten = replace(given, shown={**given.shown, name: BETTER})
        if given.shown[name] == {"equivalent"} and beaten.verdict != "inconclusive":
            return getattr(found, name)
    return None


def in_the_way(found: Verdict) -> Comparison | None:
    """Why no verdict fits, where what was shown against I and S1 does not say it already; else None."""
    shown = TableInput.of(found).shown
    if "better" in shown["against_shuffled"] or "equivalent" in shown["against_rival"] & shown["against_shuffled"]:
        return found.against_untuned
    return found.shuffled_against_rival if "equivalent" in shown["against_shuffled"] else None


def has_open(found: Verdict) -> bool:
    """Whether a comparison has shown nothing yet."""
    return not all(TableInput.of(found).shown.values())


def _shown(comparison: Comparison) -> Shown:
    claims: dict[Claim, bool] = {
        "better": comparison.a_better,
        "worse": comparison.b_better,
        "equivalent": comparison.equivalent,
    }
    return frozenset(claim for claim, holds in claims.items() if holds)
