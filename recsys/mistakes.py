"""One line for a mistake in a study, options or hyper-parameters: the key, what is wrong, and what may stand there."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from recsys.errors import hint, near

WANTED = {
    "dict_type": "a mapping, KEY: VALUE",
    "model_type": "a mapping, KEY: VALUE",
    "tuple_type": "a list, such as [a, b]",
    "list_type": "a list, such as [a, b]",
}
"""What is to be written, by pydantic's name of the mistake."""
EMPTY = "is empty; write "
OTHER_THAN_TEXT = (bool, int, float)
PYDANTICS = "Input should be "
"""How pydantic begins where it is the value that is wrong."""
MUST_BE = "must be "
PLAIN = (
    (re.compile(r", (unable to|got a number) .*"), ""),
    (re.compile(r"^Input should (have|be) "), r"must \1 "),
    (re.compile(r"^(Value|String|Tuple|List|Dictionary) should "), "must "),
    (re.compile(r"greater than or equal to (\S+)"), r"\1 or more"),
    (re.compile(r"less than or equal to (\S+)"), r"\1 or less"),
    (re.compile(r"a valid integer"), "a whole number"),
    (re.compile(r"a valid number"), "a number"),
    (re.compile(r"a valid boolean"), "true or false"),
    (re.compile(r"a valid string"), "text"),
)
"""What pydantic writes for programmers, and what stands in its place."""
ALSO_CALLED = {"random": "ratio"}
"""Names that others give to values that a study can have."""
NAMED = re.compile("'([^']*)'")


def first_mistake(error: ValidationError, root: type[BaseModel], no_keys: Collection[str] = ()) -> str:
    """One line for the first thing that is wrong, with the place of its key under `root`.

    `no_keys` are fields that a user does not write, such as what the name of the file says.
    """
    first = error.errors()[0]
    key = _in_words(first["loc"])
    part = _part(root, first["loc"][:-1])
    fields = part.model_fields if part else {}
    if first["type"] == "extra_forbidden":
        known = [name for name in fields if name not in no_keys]
        return f"{key}: there is no such key{hint(str(first['loc'][-1]), known)}"
    said = problem_of(first)
    if said.startswith(EMPTY) and (field := fields.get(str(first["loc"][-1]))) and not field.is_required():
        said = f"{said}, or leave it out"
    return f"{key}: {said}" if key else said


def _in_words(place: Sequence[int | str]) -> str:
    """Keys joined by dots; of a list the entry, counted from one."""
    parts = (f" (entry {part + 1})" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".").lstrip()


def problem_of(mistake: Mapping[str, Any]) -> str:
    """What is wrong with a value, by what pydantic says of it, and what was given."""
    kind, given, message = mistake["type"], mistake["input"], mistake["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return "this key is missing; write it"
    if kind in WANTED:
        return f"{EMPTY}{WANTED[kind]}" if given is None else f"write {WANTED[kind]}"
    if kind == "too_short":
        return "is empty; write one at least"
    if kind == "string_type" and (given is None or isinstance(given, OTHER_THAN_TEXT)):
        return f"{_plain(message)}; YAML reads what is written there as {_read_as(given)}, unless it is in quotes"
    if kind == "string_type":
        return "write text, in quotes where YAML reads it as something else"
    if message.startswith(PYDANTICS) and isinstance(given, (str, *OTHER_THAN_TEXT)):
        known = NAMED.findall(message) if kind == "literal_error" else []
        shown = repr(given) if isinstance(given, str) else _read_as(given).removeprefix("the number ")
        return f"{_plain(message)}, not {shown}{near(_usual(given, known), known)}"
    return _plain(message)


def _plain(message: str) -> str:
    """What pydantic says, in the words of a person who writes a study."""
    for pattern, plain in PLAIN:
        message = pattern.sub(plain, message)
    return message


def _usual(given: Any, known: Collection[str]) -> Any:
    """The name that a study has for what was given under another, if that is known here; else what was given."""
    other = ALSO_CALLED.get(given) if isinstance(given, str) else None
    return other if other in known else given


def _read_as(given: Any) -> str:
    if given is None:
        return "empty"
    return str(given).lower() if isinstance(given, bool) else f"the number {given}"


def _part(kind: Any, place: Sequence[int | str]) -> type[BaseModel] | None:
    """The part with keys of its own at a place of a file; None where there is none.

    Args:
        kind: the type of the whole.
        place: keys and positions that lead from there.
    """
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not place:
            return kind
        field = kind.model_fields.get(str(place[0]))
        return _part(field.annotation, place[1:]) if field else None
    if get_origin(kind) in (dict, tuple, list):
        values = get_args(kind)[1 if get_origin(kind) is dict else 0]
        return _part(values, place[1:]) if place else None
    return next((part for each in get_args(kind) if (part := _part(each, place))), None)
