"""Words that any module needs: a number with its noun, a share, a length of time, a list of names."""

import math
from collections.abc import Sequence

DASH = "\N{EN DASH}"
"""In the place of a figure that there is not: of one repeat there is neither an interval nor a p-value."""
TWO = 119.5
"""From here on a time is two or more of the next unit, once rounded."""


def count(n: int, what: str) -> str:
    """A number of things: 1 asset, 2 assets."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(share: float, *, signed: bool = False, digits: int = 1) -> str:
    """0.0312 as 3.1 %, with its sign where the sign is the point and a digit of it shows; a dash where undefined."""
    if not math.isfinite(share):
        return DASH
    plus = "+" if signed and round(100 * share, digits) else ""
    return f"{100 * share:{plus}z.{digits}f} %"


def whole_percent(share: float) -> str:
    """0.618 as 62 %, where a digit more would say no more."""
    return percent(share, digits=0)


def duration(seconds: float, beside: float = 0.0) -> str:
    """A time as exactly as it helps to know it: "under 1 s", "40 s", "3 minutes", "2.0 hours".

    Args:
        seconds: the time.
        beside: another time of the same sentence, whose unit this one takes if it is 1 of it at least.
    """
    if seconds < 1:
        return "under 1 s"
    if seconds < (60 if beside >= TWO else TWO):
        return f"{seconds:.0f} s"
    if seconds < (3600 if beside >= TWO * 60 else TWO * 60):
        return count(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names as a sentence lists them: `A, B and C`; `A, B and 21 others` where there are more than `most`."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} others"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
