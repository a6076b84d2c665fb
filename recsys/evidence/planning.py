"""How many users or repeats would decide what a comparison left open."""

from bisect import bisect_left
from collections.abc import Callable

from recsys.evidence.comparison import ALPHA, Comparison, detectable_difference
from recsys.evidence.mean_error import MeanError
from recsys.evidence.wording import detectable
from recsys.wording import percent

MOST_REPEATS = 30
MOST_USERS = 100
"""Times the users that there are: beyond that a number is no plan."""


def what_would_decide(comparison: Comparison) -> str:
    """In words, if the lift is what was measured: by showing it, or that it lies within the margin if that is easier.

    Where neither was shown, either needs more users or repeats than there are, never as many as the study has. A
    lift within the margin by the 90 % interval of equivalence may still be open to that of 95 %.
    """
    if not comparison.error.known:
        return "one repeat cannot be told from luck: run at least 3"
    if comparison.mean_b <= 0:
        return f"how many users it would take is unknown, since {comparison.b} has no hit"
    measured, to_margin = abs(comparison.lift), comparison.margin - abs(comparison.lift)
    within = "below" if comparison.equivalent else "within"
    sought = (
        f"a lift of {percent(measured)}" if measured >= to_margin else f"a lift {within} {percent(comparison.margin)}"
    )
    target = max(measured, to_margin) * comparison.mean_b
    users, repeats = users_needed(comparison.error, target), repeats_needed(comparison.error, target)
    ways = [f"about {users:,} users (there are {comparison.n_users:,})"] if users else []
    ways += [f"{repeats} repeats (instead of {comparison.n_repeats})"] if repeats else []
    if not ways:
        more = f"neither {MOST_USERS} times the users nor {MOST_REPEATS} repeats"
        return f"{more} would show {sought}, where {detectable(comparison)}"
    return f"{sought} would be shown by {' or '.join(ways)}"


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
