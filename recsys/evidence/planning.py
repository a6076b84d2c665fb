"""How many users or repeats would decide what a comparison left open."""

import math
from collections.abc import Callable, Iterable

from recsys.evidence.comparison import ALPHA, Comparison, detectable_difference
from recsys.evidence.mean_error import MeanError
from recsys.evidence.wording import percent

MOST_REPEATS = 30
MOST_USERS = 100
"""Times the users that there are: beyond that a number is no plan."""


def what_would_decide(comparison: Comparison) -> str:
    """In words, for a lift of the size that was measured, or of the margin if that is more."""
    if not comparison.error.known:
        return "one repeat cannot be told from luck: run at least 3"
    sought = max(abs(comparison.lift), comparison.margin)
    target = sought * comparison.mean_b
    if not math.isfinite(target) or not target:
        return "no number of users can be named, for the rival has no hit"
    users, repeats = users_needed(comparison.error, target), repeats_needed(comparison.error, target)
    ways = [f"about {users:,} users (there are {comparison.n_users:,})"] if users else []
    ways += [f"{repeats} repeats (there are {comparison.n_repeats})"] if repeats else []
    if not ways:
        return f"{MOST_USERS} times the users or {MOST_REPEATS} repeats would not show a lift of {percent(sought)}"
    return f"a lift of {percent(sought)} would be shown by {' or '.join(ways)}"


def users_needed(error: MeanError, target: float) -> int | None:
    """Users by which a difference of `target` would be shown with the wanted power; None where no number would do."""
    return _first((error.n_users * times for times in range(1, MOST_USERS + 1)), error.with_users, target)


def repeats_needed(error: MeanError, target: float) -> int | None:
    """Repeats by which a difference of `target` would be shown with the wanted power; None where none would do."""
    return _first(range(max(error.n_repeats, 2), MOST_REPEATS + 1), error.with_repeats, target)


def _first(numbers: Iterable[int], imagined: Callable[[int], MeanError], target: float) -> int | None:
    for number in numbers:
        if detectable_difference(imagined(number).half_width(1 - ALPHA)) <= target:
            return number
    return None
