"""What is said of a mistake in a study file: the key, what is wrong with it, and what may stand there."""

from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from recsys.errors import nearest_name

WANTED = {
    "dict_type": "a mapping, KEY: VALUE",
    "model_type": "a mapping, KEY: VALUE",
    "tuple_type": "a list, such as [a, b]",
    "list_type": "a list, such as [a, b]",
}
"""What is to be written, by pydantic's name of the mistake."""
OTHER_THAN_TEXT = (bool, int, float)
FILE_SAYS = "name"
"""The field of a study that is no key: the file's name gives it."""


def first_mistake(error: ValidationError, root: type[BaseModel]) -> str:
    """One line for the first thing that is wrong, with the place of its key under `root`."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    said = _said(first["type"], first["input"], first["msg"].removeprefix("Value error, "), root, first["loc"])
    return f"{key}: {said}" if key else said


def _said(kind: str, given: Any, message: str, root: Any, place: Sequence[int | str]) -> str:
    if kind == "extra_forbidden":
        known = [key for key in _keys(root, place[:-1]) if key != FILE_SAYS]
        near = nearest_name(str(place[-1]), known)
        return "there is no such key; " + (f"did you mean '{near}'?" if near else f"known: {', '.join(known)}")
    if kind == "missing":
        return "this key is missing; write it"
    if kind in WANTED:
        return f"is empty; write {WANTED[kind]}, or leave it out" if given is None else f"write {WANTED[kind]}"
    if kind == "too_short":
        return "is empty; write one at least"
    if kind == "string_type" and (given is None or isinstance(given, OTHER_THAN_TEXT)):
        return f"{message}; YAML reads what is written there as {_read_as(given)}, unless it is in quotes"
    return message


def _read_as(given: Any) -> str:
    if given is None:
        return "empty"
    return str(given).lower() if isinstance(given, bool) else f"the number {given}"


def _keys(kind: Any, place: Sequence[int | str]) -> list[str]:
    """The keys that may stand at a place of a file; empty where it is no part with keys of its own.

    Args:
        kind: the type of the whole.
        place: keys and positions that lead from there.
    """
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not place:
            return list(kind.model_fields)
        field = kind.model_fields.get(str(place[0]))
        return _keys(field.annotation, place[1:]) if field else []
    if get_origin(kind) in (dict, tuple, list):
        values = get_args(kind)[1 if get_origin(kind) is dict else 0]
        return _keys(values, place[1:]) if place else []
    return next((keys for each in get_args(kind) if (keys := _keys(each, place))), [])
