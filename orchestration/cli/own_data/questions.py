"""What `new` cannot know and therefore asks: by flags, on a terminal by prompts, else by defaults that it says."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import typer


@dataclass(frozen=True)
class Answers:
    """What a verdict holds for; None where it was not said.

    Attributes:
        seen: what of an item people see before they choose it.
        feedback: what an interaction is.
        domain: what the items are.
        date: of the data.
    """

    seen: str | None = None
    feedback: str | None = None
    domain: str | None = None
    date: str | None = None

    @property
    def scenario(self) -> dict[str, Any]:
        """As a study file has it."""
        return {
            "domain": self.domain,
            "feedback": self.feedback,
            "seen_before_choosing": [word.strip() for word in (self.seen or "").split(",") if word.strip()],
            "item_kinds": "not stated",
            "date_of_data": self.date,
        }


QUESTIONS = {
    "seen": "What do people see of an item before they choose it (title, image, text, ...)?",
    "feedback": "What is an interaction (a purchase, a click, a rating of 4 or more, ...)?",
    "domain": "What are the items (films, clothes, news, ...)?",
    "date": "From when are the data?",
}


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answered(given: Answers, defaults: Answers, ask: bool) -> tuple[Answers, list[str]]:
    """The answers, and the names of what nobody said.

    Args:
        given: by flags.
        defaults: what is taken where nobody says otherwise.
        ask: whether to ask for what was not given.
    """
    missing = [each.name for each in fields(Answers) if getattr(given, each.name) is None]
    find: Callable[[str, str], str] = _prompt if ask else _default
    found = {name: find(name, getattr(defaults, name) or "not stated") for name in missing}
    return replace(given, **found), [] if ask else missing


def _prompt(name: str, default: str) -> str:
    return str(typer.prompt(QUESTIONS[name], default=default)).strip()


def _default(name: str, default: str) -> str:
    return default
