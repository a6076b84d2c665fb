"""Which column of the interactions holds the people: by name, else by values, and only where its shape is possible."""

from dataclasses import dataclass

import pandas as pd

from orchestration.cli.own_data import names, values
from recsys.errors import UserError
from recsys.wording import count

_FEWEST = 3
_ROWS_EACH = 1.5
"""Rows that a person must have on average: with fewer, hardly anyone took two items, and a column counts the rows."""
_REMEDY = "name the right one with --user-column"


@dataclass(frozen=True)
class People:
    """The column of the people, why, and whether that is so only as far as its values tell."""

    column: str
    why: str
    is_doubtful: bool = False


def find_people(
    interactions: pd.DataFrame, item: str, taken: frozenset[str], given: str | None, numbered: bool, where: str
) -> People:
    """The people's column; UserError where none is possible, or several are and no name decides.

    Args:
        interactions: a table of strings.
        item: the column of the items.
        taken: columns that have another role.
        given: the column that the user named.
        numbered: whether the table has no header.
        where: names the file.
    """
    if given:
        _refuse_impossible(interactions, given, where)
        return People(given, "as you said")
    every = [name for name in map(str, interactions) if name != item]
    called = names.named("user", every, names.CERTAIN) or [n for n in names.named("user", every) if n not in taken]
    if called:
        possible = [name for name in called if not _impossible(interactions, name)]
        if not possible:
            _refuse_impossible(interactions, called[0], where)
        return People(possible[0], "by its name")
    return _by_values(interactions, item, [name for name in every if name not in taken], numbered, where)


def _by_values(interactions: pd.DataFrame, item: str, left: list[str], numbered: bool, where: str) -> People:
    possible = [name for name in left if not _impossible(interactions, name)]
    possible = [
        name
        for name in possible
        if not _is_scale(interactions[name]) and not values.is_fact_of(interactions, name, item)
    ]
    if numbered and possible:
        return People(possible[0], "by its place and values")
    if len(possible) == 1:
        why = "the only column whose values repeat as people's do, though its name does not say so"
        return People(possible[0], f"{why}; {_REMEDY}", is_doubtful=True)
    has = ", ".join(f"'{name}'" for name in map(str, interactions))
    if not possible:
        raise UserError(f"{where}: no column looks like a person's id (it has {has}); {_REMEDY}")
    shown = ", ".join(f"'{name}' ({interactions[name].nunique():,} values)" for name in possible)
    raise UserError(
        f"{where}: {shown} may each be the person's id, and no name says which; name it with --user-column"
    )


def _is_scale(column: pd.Series) -> bool:
    """Whether a column's few values are a scale or kinds of action."""
    return values.steps(column) is not None or values.kinds(column) is not None


def _impossible(interactions: pd.DataFrame, name: str) -> str:
    """Why a column's shape rules out that it holds people; empty where it does not."""
    known = values.same_ids(interactions[name])
    people, rows = known.nunique(), len(known)
    if people < _FEWEST:
        shown = ", ".join(f"'{value}'" for value in known.unique()[:2])
        return f"holds {count(people, 'id')} ({shown}) where at least {_FEWEST} are needed" if people else "is empty"
    if people * _ROWS_EACH > rows:
        return f"has {people:,} distinct values in {rows:,} rows, so that hardly anyone took two items"
    return ""


def _refuse_impossible(interactions: pd.DataFrame, name: str, where: str) -> None:
    if said := _impossible(interactions, name):
        raise UserError(f"{where}: column '{name}' {said}, and cannot be the person's id; {_REMEDY}")
