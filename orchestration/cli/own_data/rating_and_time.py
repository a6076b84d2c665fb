"""Which columns of the interactions hold the rating, or the count of actions, and the time, each with its reason."""

from collections.abc import Sequence

import pandas as pd

from orchestration.cli.own_data import names, values
from orchestration.cli.own_data.unused import MOST_WITHOUT_TIME
from recsys.errors import UserError

ONLY_DATES = "the only column of dates"
AS_ORDER = "by its name; its numbers are no dates and are used as an order, the largest as the last"
_AGAIN = 2
"""Rows of an id, on average, from which it tells something that its values of another column never differ."""


def find_rating(
    interactions: pd.DataFrame, left: list[str], given: str | None, first: int | None
) -> tuple[str | None, str, bool]:
    """The rating or the count of actions, why, and whether it is a count.

    `first` is the place in `left` from which it may stand where columns have no names, None where they have.
    """
    if given is not None:
        known = given if given in interactions else None
        if known and values.numbers(interactions[known]) is None:
            raise UserError(
                f"column '{known}' cannot be the rating: '{values.example(interactions[known])}' is no number"
            )
        return known, "as you said", bool(known) and names.strength("count", known or "") > 0
    numeric = [name for name in left if values.numbers(interactions[name]) is not None]
    roles: tuple[names.Role, ...] = ("rating", "count")
    for role in roles:
        found = [n for n in names.named(role, numeric) if not values.are_times(interactions[n])]
        if role == "count":
            found = [n for n in found if names.strength("count", n) == names.CERTAIN]
        if found:
            return found[0], "by its name", role == "count"
    if first is not None:
        scale = [name for name in left[first:] if values.steps(interactions[name]) is not None]
        return (scale[0] if scale else None), "by its place and values", False
    return None, "", False


def rating_reason(name: str, why: str, is_count: bool, given: bool) -> str:
    """The line about the rating; a warning where only a name that may mean something else speaks for it."""
    if is_count:
        return f"rating: '{name}', {why}"
    doubtful = not given and why == "by its name" and names.strength("rating", name) < names.CERTAIN
    otherwise = ", or it is none: --rating-column none" if doubtful else ""
    return f"{'! ' if doubtful else ''}rating: '{name}', {why}; more is taken to be better{otherwise}"


def is_fact(interactions: pd.DataFrame, name: str, ids: Sequence[str]) -> bool:
    """Whether a column that varies has one value for each person or for each item, where these come again."""
    often = [column for column in ids if len(interactions) >= _AGAIN * interactions[column].nunique()]
    varies = interactions[name].nunique() > 1
    return varies and any(values.is_fact_of(interactions, name, column) for column in often)


def find_time(
    interactions: pd.DataFrame, left: list[str], given: str | None, numbered: bool
) -> tuple[str | None, str]:
    """The time among the columns that are left, and why."""
    if given is not None:
        known = given if given in interactions else None
        if known and not values.are_times(interactions[known]) and values.numbers(interactions[known]) is None:
            shown = values.example(values.no_times(interactions[known]))
            raise UserError(
                f"column '{known}' cannot be the time: '{shown}' is neither a date such as 2024-01-31 nor a number"
            )
        return known, "as you said"
    called = [name for name in names.named("time", left) if interactions[name].isna().mean() <= MOST_WITHOUT_TIME]
    for name in called:
        column = interactions[name]
        if values.are_times(column):
            return name, "by its name and values"
    # Numbers that are no dates still tell what came first, where the name says nothing but the time.
    ordered = [n for n in called if names.strength("time", n) == names.CERTAIN and values.are_ordered(interactions[n])]
    ordered = [n for n in ordered if names.plain(n) != "data" and not values.may_come_round(interactions[n])]
    if ordered:
        return ordered[0], AS_ORDER
    if numbered:
        epochs = [name for name in left if values.are_times(interactions[name])]
        return (epochs[0] if epochs else None), "by its values"
    dated = [name for name in left if _holds_dates(interactions[name], name)]
    return (dated[0], ONLY_DATES) if len(dated) == 1 else (None, "")


def _holds_dates(column: pd.Series, name: str) -> bool:
    """Whether a column is one of dates and nothing else, and no name says that they are those of something else."""
    varies = column.nunique() > 1 and column.isna().mean() <= MOST_WITHOUT_TIME
    if not varies or names.speaks_of_something_elses_time(name) or values.numbers(column) is not None:
        return False
    return values.are_times(column) and values.no_times(column).empty


def time_reason(name: str, why: str) -> str:
    """The line about the time; a warning where nothing but its values speaks for it."""
    if why in (ONLY_DATES, AS_ORDER):
        return f"! time: '{name}', {why}; another column, or none, with --time-column NAME or --time-column none"
    return f"time: '{name}', {why}"
