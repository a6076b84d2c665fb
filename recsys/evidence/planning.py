"""What more users or repeats would show of a comparison, if its lift is what was measured, and how many it takes."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from recsys.evidence.comparison import ALPHA, Claim, Comparison, detectable_difference
from recsys.evidence.mean_error import MeanError
from recsys.evidence.resampling import NOTHING
from recsys.evidence.wording import detectable, relation
from recsys.wording import listed, percent

MOST_REPEATS = 30
MOST_USERS = 100
"""Times the users that there are: beyond that a number is no plan."""


@dataclass(frozen=True)
class Prospect:
    """A claim that more users or repeats would show, if the lift is what was measured.

    Attributes:
        comparison: what the claim is about.
        claim: the claim.
        lift: what the interval has to make out: the lift, or how far it lies inside the margin; nan where unknown.
    """

    comparison: Comparison
    claim: Claim
    lift: float

    @property
    def narrowing(self) -> float:
        """By what factor the interval is too wide to show it with the wanted power; infinite where that is unknown."""
        factor = self.comparison.detectable_lift / self.lift
        return math.inf if math.isnan(factor) else factor

    @property
    def words(self) -> str:
        """What is claimed of A; a lift within the margin by the 90 % interval may still be open to that of 95 %."""
        b, margin = self.comparison.b, percent(self.comparison.margin)
        if self.claim != "equivalent":
            return f"{relation(self.claim)} {b} by {percent(abs(self.comparison.lift))}"
        return f"does not beat {b} by {margin}" if self.comparison.equivalent else f"equals {b} within {margin}"


def prospects(comparison: Comparison) -> list[Prospect]:
    """The claims that are true of what was measured, the easiest to show first; all where one repeat says nothing."""
    if not comparison.error.known:
        return [Prospect(comparison, claim, math.nan) for claim in get_args(Claim)]
    if comparison.mean_b <= 0:
        return [Prospect(comparison, "better", math.nan)]
    lift = comparison.lift
    true = [
        Prospect(comparison, "better" if lift > 0 else "worse", abs(lift)),
        Prospect(comparison, "equivalent", comparison.margin - abs(lift)),
    ]
    return sorted((each for each in true if each.lift > NOTHING), key=lambda each: -each.lift)


def what_would_decide(comparison: Comparison) -> str:
    """In words, if the lift is what was measured: by showing that, or that it lies within the margin if easier."""
    return what_would_show(prospects(comparison)[:1])


def what_would_show(wanted: Sequence[Prospect]) -> str:
    """In words, the users or repeats by which all of some claims would be shown.

    A claim that was not shown needs more of either than there are, never as many as the study has.
    """
    compared = [each.comparison for each in wanted]
    if not all(each.error.known for each in compared):
        return "one repeat cannot be distinguished from chance: run at least 3"
    if hitless := [each.b for each in compared if each.mean_b <= 0]:
        return f"how many users it would take is unknown, since {hitless[0]} has no hit"
    sought = _together(wanted)
    differences = [(each.comparison.error, each.lift * each.comparison.mean_b) for each in wanted]
    users = _largest([users_needed(error, target) for error, target in differences])
    repeats = _largest([repeats_needed(error, target) for error, target in differences])
    ways = [f"about {users:,} users (there are {max(each.n_users for each in compared):,})"] if users else []
    ways += [f"{repeats} repeats (instead of {compared[0].n_repeats})"] if repeats else []
    if not ways:
        more = f"neither {MOST_USERS} times the users nor {MOST_REPEATS} repeats"
        return f"{more} would show {sought}, where {detectable(*compared)}"
    return f"{sought} would be shown by {' or '.join(ways)}"


def _together(claims: Sequence[Prospect]) -> str:
    """All claims as one, which names A again only where it is another."""
    first = claims[0].comparison.a
    words = [each.words if each.comparison.a == first else f"that {each.comparison.a} {each.words}" for each in claims]
    return f"that {first} {listed(words)}"


def _largest(numbers: Sequence[int | None]) -> int | None:
    """The number that does for all; None where there is none for one of them."""
    known = [number for number in numbers if number is not None]
    return max(known) if len(known) == len(numbers) else None


def users_needed(error: MeanError, target: float) -> int | None:
    """Users by which a difference of `target` would be shown with the wanted power; None where no number would do."""
    return _first(range(error.n_users, error.n_users * MOST_USERS + 1, error.n_users), error.with_users, target)


def repeats_needed(error: MeanError, target: float) -> int | None:
    """Repeats by which a difference of `target` would be shown with the wanted power; None where none would do."""
    return _first(range(max(error.n_repeats, 2), MOST_REPEATS + 1), error.with_repeats, target)


def _first(numbers: range, imagined: Callable[[int], MeanError], target: float) -> int | None:
    """The first number that would do, by bisection: intervals only narrow."""
    position = bisect_left(
        numbers,
        True,
        key=lambda number: detectable_difference(imagined(number).half_width(1 - ALPHA)) <= target,
    )
    return numbers[position] if position < len(numbers) else None
