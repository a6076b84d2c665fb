"""From which share on rows that are left out are a warning, whatever the reason."""

MOST = 0.05


def sign(lost: int, n: int) -> str:
    """How a line on `lost` of `n` rows begins: with `! ` where they are too many to be passed over."""
    return "! " if lost > MOST * n else ""
