"""Booleans where a number is wanted: YAML reads `yes`, `on` and `true` as true, which Python then takes for 1."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel


def refuse_booleans(kind: type[BaseModel], given: Any) -> None:
    """Raise ValueError at the first key of a study where a boolean stands for a number; it names the key.

    Args:
        kind: what is to be made of it; keys that it does not know are not looked at.
        given: as YAML gives it.
    """
    for place, value in _booleans(kind, given):
        raise ValueError(f"{place}: write a number; YAML reads what is written there as {str(value).lower()}")


def _booleans(kind: Any, given: Any, place: str = "") -> Iterator[tuple[str, bool]]:
    """Each such boolean, with its key in dots."""
    if isinstance(given, bool):
        kinds = _plain(kind)
        if (int in kinds or float in kinds) and bool not in kinds:
            yield place, given
    elif isinstance(given, Mapping | list | tuple):
        for key, value in given.items() if isinstance(given, Mapping) else enumerate(given):
            for inner in _inside(kind, key):
                yield from _booleans(inner, value, f"{place}.{key}".lstrip("."))


def _plain(kind: Any) -> list[Any]:
    """The types that a value of its own may have: `int` and `None` of `int | None`, and none of `tuple[int, ...]`."""
    if get_origin(kind) in (dict, tuple, list):
        return []
    choices = get_args(kind)
    return [each for choice in choices for each in _plain(choice)] if choices else [kind]


def _inside(kind: Any, key: Any) -> Iterator[Any]:
    """The type of what stands under a key, or at a position; nothing where that is not known."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if key in kind.model_fields:
            yield kind.model_fields[key].annotation
    elif get_origin(kind) is dict:
        yield get_args(kind)[1]
    elif get_origin(kind) in (tuple, list):
        yield get_args(kind)[0]
    else:
        for choice in get_args(kind):
            yield from _inside(choice, key)
