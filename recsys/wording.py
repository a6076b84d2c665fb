"""Words that any module needs: a number with its noun."""


def count(n: int, what: str) -> str:
    """A number of things: 1 asset, 2 assets."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
