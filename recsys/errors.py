"""The one exception that means: the user can fix this; and the names that they may have meant."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

SHORTEST_BEGINNING = 4
"""Letters from which on the beginning of a name tells it from others."""
MOST_NAMED = 12
"""The largest number of names that an error lists."""


class UserError(Exception):
    r"""Something a user gave cannot be used; the message is one line.

    The line names the file, the key or the row, says what is wrong with it, and what to do about it.
    The command line prints it as it is, without a traceback. A line break in a name of the user's is shown as `\n`.
    """

    def __init__(self, message: str) -> None:
        """What is wrong, and the remedy."""
        super().__init__(message.replace("\r", "\\r").replace("\n", "\\n"))


def hint(given: str, known: Collection[str], command: str = "") -> str:
    """What follows the naming of an unknown name: the nearest known one, letters' case aside, else what is known.

    Args:
        given: the unknown name.
        known: the names that could stand there.
        command: the command that lists them, where one does; without it they are listed here.

    Returns:
        `; did you mean 'EASE'?`, or where no name is near ``; `COMMAND` lists them`` or ` (known: EASE, BPR)`.
    """
    if found := near(given, known):
        return found
    if command:
        return f"; `{command}` lists them"
    named = [*known][:MOST_NAMED]
    more = f" and {len(known) - len(named)} more" if len(known) > len(named) else ""
    return f" (known: {', '.join(named) or 'none'}{more})"


def near(given: Any, known: Collection[str]) -> str:
    """`; did you mean 'EASE'?` where a known name is near, begins like what was given or has it as a word."""
    if not isinstance(given, str):
        return ""
    folder = given.rpartition("/")[0] + "/"
    start = len(folder) if all(name.startswith(folder) for name in known) else 0  # a common folder says nothing
    wanted = given[start:].lower()
    by_lower = {name[start:].lower(): name for name in known}
    by_beginning = {name[: max(len(wanted), SHORTEST_BEGINNING)]: whole for name, whole in reversed(by_lower.items())}
    close = [
        names[found]
        for names, least in ((by_lower, 0.6), (by_beginning, 0.75))
        for found in get_close_matches(wanted, names, n=1, cutoff=least)
    ]
    with_word = [name for lower, name in by_lower.items() if f"_{wanted}_" in f"_{lower}_"]
    meant = close or (with_word if len(with_word) == 1 else [])
    return f"; did you mean '{meant[0]}'?" if meant else ""
