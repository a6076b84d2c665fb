"""The table of verdicts in `docs/evidence.md`, and what keeps a verdict open by it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

from recsys.evidence.comparison import Comparison
from recsys.evidence.verdict import Verdict, VerdictName

Compared = Literal[
    "against_rival", "against_shuffled", "against_untuned", "shuffled_against_rival", "against_popularity"
]
COMPARISONS: tuple[Compared, ...] = get_args(Compared)
"""Attributes of a `Verdict`; where several comparisons keep one open, the first of these is spoken of."""
CONTROLS: tuple[Compared, ...] = ("against_shuffled", "against_untuned", "against_popularity")
Claim = Literal["better", "worse", "equivalent"]
Shown = frozenset[Claim]
"""What a comparison has shown: nothing, or a difference, or equivalence, or a difference within the margin."""
BETTER: Shown = frozenset({"better"})
DECIDED: tuple[Shown, ...] = (BETTER, frozenset({"equivalent"}), frozenset({"worse"}))


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

    @property
    def undecided(self) -> list[Compared]:
        """Comparisons that more users or repeats would decide.

        A lift over I within the margin by the 90 % interval of equivalence may still be open to that of 95 %.
        """
        may_still_pay = self.shown["against_rival"] == {"equivalent"} and not self.below_margin
        return [name for name in COMPARISONS if not self.shown[name] or (name == "against_rival" and may_still_pay)]

    def with_decided(self, names: Sequence[Compared]) -> Iterator["TableInput"]:
        """The same with some comparisons decided, in every way."""
        if not names:
            yield self
            return
        name, *others = names
        for shown in DECIDED:
            decided = replace(self, shown={**self.shown, name: shown})
            if name == "against_rival":
                better = "better" in shown
                decided = replace(decided, reaches_margin=better, below_margin=not better)
            yield from decided.with_decided(others)


def awaited(found: Verdict) -> Comparison | None:
    """What an open verdict waits for: the first of the fewest undecided comparisons that could lead to another one.

    None where no other verdict would follow, however they were decided.
    """
    given = TableInput.of(found)
    for n in range(1, len(given.undecided) + 1):
        for names in combinations(given.undecided, n):
            if any(each.verdict != "inconclusive" for each in given.with_decided(names)):
                return getattr(found, names[0])
    return None


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


def _shown(comparison: Comparison) -> Shown:
    claims: dict[Claim, bool] = {
        "better": comparison.a_better,
        "worse": comparison.b_better,
        "equivalent": comparison.equivalent,
    }
    return frozenset(claim for claim, holds in claims.items() if holds)
