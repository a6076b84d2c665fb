"""Columns that have no role: each is named, and one that could change what the study answers is a warning."""

from collections.abc import Sequence

import pandas as pd

from orchestration.cli.own_data import names, values

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
    fixed = {name for name in left if any(_says_nothing_more(frame, name, column) for column in ids)}
    warnings = {name: "" if name in fixed else _warning(frame[name], name, rating, time) for name in left}
    quiet = [name for name in left if not warnings[name]]
    lines = [f"! {said}" for said in warnings.values() if said]
    return lines + ([f"not used, of the interactions: {_listed(quiet)}"] if quiet else [])


def unused_items(frame: pd.DataFrame, left: Sequence[str]) -> list[str]:
    """Lines on columns of the items that are neither key, title, text nor image."""
    lines: list[str] = []
    addresses = [name for name in left if values.are_addresses(frame[name])]
    if addresses:
        lines.append(f"! {_listed(addresses)} of the items: addresses in the web, which are not fetched")
    rest = [name for name in left if name not in addresses]
    return lines + ([f"not used, of the items: {_listed(rest)}; --text-columns names what is text"] if rest else [])


def _says_nothing_more(frame: pd.DataFrame, name: str, column: str) -> bool:
    """Whether a column is a fact of the person or of the item, such as a country or a category."""
    return bool((frame.groupby(column)[name].nunique() <= 1).all())


def _warning(column: pd.Series, name: str, rating: str | None, time: str | None) -> str:
    """What a column that is not used may change; empty where it changes nothing."""
    if values.number_the_rows(column):
        return ""
    can_order = values.are_times(column)
    if can_order or (names.strength("time", name) and values.look_like_dates(column)):
        return _time_warning(column, name, can_order) if time is None else ""
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


def _time_warning(column: pd.Series, name: str, can_order: bool) -> str:
    if (missing := float(column.isna().mean())) > MOST_WITHOUT_TIME:
        return f"column '{name}' is empty in {missing:.0%} of the rows and is not used as time"
    if can_order:
        return f"column '{name}' looks like a time and is not used; {_use('time', name)}"
    unread = values.no_times(column)
    shown = values.example(unread)
    if len(unread) == column.notna().sum():
        return f"column '{name}' looks like a time that cannot be read ('{shown}'): write 2024-01-31"
    read = values.example(column.drop(unread.index))
    return (
        f"column '{name}' looks like a time and is not used, since {len(unread) / column.notna().sum():.0%} of its "
        f"values cannot be read, such as '{shown}' beside '{read}': write all in one way, such as 2024-01-31"
    )


def _use(role: str, name: str) -> str:
    return f"--{role}-column '{name}' uses it"


def _few(shown: Sequence[str]) -> str:
    return ", ".join([*shown[:_SHOWN], *(["..."] if len(shown) > _SHOWN else [])])


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in columns)
