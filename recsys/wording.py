"""Words that any module needs: a number with its noun, a length of time."""

TWO = 119.5
"""From here on a time is two or more of the next unit, once rounded."""


def count(n: int, what: str) -> str:
    """A number of things: 1 asset, 2 assets."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time as exactly as it helps to know it: "under 1 s", "40 s", "3 minutes", "2.0 hours"."""
    if seconds < 1:
        return "under 1 s"
    if seconds < TWO:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < TWO * 60 else f"{seconds / 3600:.1f} hours"
