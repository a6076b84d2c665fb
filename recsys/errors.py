"""The one exception that means: the user can fix this, and what they may have meant."""

from collections.abc import Collection
from difflib import get_close_matches


class UserError(Exception):
    r"""Something a user gave cannot be used; the message is one line.

    The line names the file, the key or the row, says what is wrong with it, and what to do about it.
    The command line prints it as it is, without a traceback. A line break in a name of the user's is shown as `\n`.
    """

    def __init__(self, message: str) -> None:
        """What is wrong, and the remedy."""
        super().__init__(message.replace("\r", "\\r").replace("\n", "\\n"))


def nearest_name(given: str, known: Collection[str]) -> str:
    """The known name that may have been meant, letters' case aside; empty where none is near."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(given.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else ""
