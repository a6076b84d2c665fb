"""Columns that have no role: each is named, and one that could change what the study answers is a warning."""

from collections.abc import Sequence

import pandas as pd

from orchestration.cli.own_data import names, values
from recsys.wording import whole_percent

MOST_WITHOUT_TIME = 0.1
"""Share of the rows that may lack a time: they could not be ordered, and would be quarantined."""
_EVERY = "every row counts as liked"
_SHOWN = 4
_PARTS = {"train", "training", "valid", "validation", "val", "dev", "test", "testing"}


def unused_interactions(
    frame: pd.DataFrame, left: Sequence[str], ids: Sequence[str], rating: str | None, time: str | None
) -> list[str]:
    """Lines on columns of the interactions that have no role.

    Args:
        frame: the interactions, as strings.
        left: the columns without a role.
        ids: the columns of the people and of the items.
        rating: the column with the rating; None where there is none.
        time: the column with the time; None where there is none.
    """
    days = time is not None and values.are_days(frame[time])
    warnings = {name: _warning(frame, name, ids, rating, time, days) for name in left}
    quiet = [name for name in left if not warnings[name]]
    lines = [f"! {said}" for said in warnings.values() if said]
    return lines + ([f"not used, of the interactions: {_listed(quiet)}"] if quiet else [])


def unused_items(frame: pd.DataFrame, left: Sequence[str]) -> list[str]:
    """Lines on columns of the items that are neither key, title, text nor image."""
    lines: list[str] = []
    addresses = [name for name in left if values.are_addresses(frame[name])]
    if addresses:
        lines.append(f"! {_listed(addresses)} of the items: addresses in the web, which are not fetched")
    empty = [name for name in left if frame[name].isna().all()]
    if empty:
        lines.append(f"! {_listed(empty)} of the items: without a single value")
    rest = [name for name in left if name not in (*addresses, *empty)]
    return lines + ([f"not used, of the items: {_listed(rest)}; --text-columns names what is text"] if rest else [])


def _warning(
    frame: pd.DataFrame, name: str, ids: Sequence[str], rating: str | None, time: str | None, days: bool
) -> str:
    """What a column that is not used may change; empty where it changes nothing. `days`: the time has no hours."""
    if (of_fact := _warning_of_fact(frame, name, ids, rating)) is not None:
        return of_fact
    column = frame[name]
    if values.number_the_rows(column):
        return ""
    of_time = _warning_of_time(column, name, time, days)
    return _warning_of_opinion(column, name, rating) if of_time is None else of_time


def _warning_of_fact(frame: pd.DataFrame, name: str, ids: Sequence[str], rating: str | None) -> str | None:
    """As `_warning`, of a column that is a fact of the person or of the item; None where it is no such fact."""
    of = [what for what, column in zip(("person", "item"), ids, strict=True) if values.is_fact_of(frame, name, column)]
    if not of:
        return None
    if rating is None and names.strength("rating", name) and frame[name].nunique() > 1:
        return (
            f"column '{name}' has one value for each {of[0]}, so it is no opinion and not used: {_EVERY}; "
            f"{_use('rating', name)}"
        )
    return ""


def _warning_of_time(column: pd.Series, name: str, time: str | None, days: bool) -> str | None:
    """As `_warning`, of a column that is a time; None where it is none."""
    if days and values.are_times_of_day(column):
        shown = values.example(column)
        return (
            f"column '{name}' ('{shown}') is a time of day and is not used beside '{time}', so that the order within "
            "a day is lost: write both in one column"
        )
    can_order = values.are_times(column)
    if can_order or _is_called_a_time(column, name):
        return _time_warning(column, name, can_order) if time is None else ""
    return None


def _warning_of_opinion(column: pd.Series, name: str, rating: str | None) -> str:
    """As `_warning`, of a column that may say what was liked."""
    if names.speaks_of_refusal(name) and (values.steps(column) or values.kinds(column)):
        every = f": {_EVERY}" if rating is None else ""
        return f"column '{name}' may say what was not liked and is not used{every}; leave those rows out of the file"
    if scale := values.steps(column):
        shown = _few([f"{step:g}" for step in scale])
        if rating is None:
            return f"column '{name}' ({shown}) looks like a rating and is not used: {_EVERY}; {_use('rating', name)}"
        return f"column '{name}' ({shown}) looks like another rating and is not used, since '{rating}' is"
    if rating is None and names.strength("rating", name) and values.numbers(column) is None:
        shown = values.example(values.no_numbers(column))
        return f"column '{name}' ('{shown}') is called like a rating and is not used: {_EVERY}; write it as numbers"
    if actions := values.kinds(column):
        if {action.lower() for action in actions} <= _PARTS:
            return f"column '{name}' ({_few(actions)}) looks like a split and is not used: a new one is made"
        every = f": {_EVERY}" if rating is None else ""
        return (
            f"column '{name}' ({_few(actions)}) may say what was done and is not used{every}; "
            "leave out of the file the rows that are no sign of liking"
        )
    if rating is None and (names.strength("rating", name) or names.strength("count", name)):
        return f"column '{name}' ('{values.example(column)}') is called like a rating and is not used: {_EVERY}"
    return ""


def _is_called_a_time(column: pd.Series, name: str) -> bool:
    strength = names.strength("time", name)
    if values.numbers(column) is not None:
        return strength == names.CERTAIN and names.plain(name) != "data"
    return strength == names.CERTAIN or (strength > 0 and values.look_like_dates(column))


def _time_warning(column: pd.Series, name: str, can_order: bool) -> str:
    if (missing := float(column.isna().mean())) > MOST_WITHOUT_TIME:
        return f"column '{name}' is empty in {whole_percent(missing)} of the rows and is not used as time"
    if can_order:
        return f"column '{name}' looks like a time and is not used; {_use('time', name)}"
    if values.are_ordered(column) and not values.may_come_round(column):
        return f"column '{name}' looks like an order and is not used; {_use('time', name)}"
    if values.may_come_round(column):
        shown = values.example(column)
        return (
            f"column '{name}' ('{shown}') may be part of a date, by which nothing can be ordered, and is not used; "
            f"{_use('time', name)} as an order"
        )
    unread = values.no_times(column)
    shown = values.example(unread)
    if len(unread) == column.notna().sum():
        return f"column '{name}' looks like a time that cannot be read ('{shown}'): write 2024-01-31"
    read = values.example(column.drop(unread.index))
    share = whole_percent(len(unread) / column.notna().sum())
    return (
        f"column '{name}' looks like a time and is not used, since {share} of its values "
        f"cannot be read, such as '{shown}' beside '{read}': write all in one way, such as 2024-01-31, "
        "and leave out the rows whose time is not known"
    )


def _use(role: str, name: str) -> str:
    return f"--{role}-column '{name}' uses it"


def _few(shown: Sequence[str]) -> str:
    return ", ".join([*shown[:_SHOWN], *(["..."] if len(shown) > _SHOWN else [])])


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in columns)
