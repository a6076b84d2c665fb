"""Which column of a user's own tables is what: the roles found, each with its reason, and what is left unused.

What is printed and what the study says come from the same `Roles`, so that they cannot differ.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from orchestration.cli.own_data import names, values
from orchestration.cli.own_data.id_columns import ENOUGH, IdColumns
from orchestration.cli.own_data.item_ids import find_item_ids
from orchestration.cli.own_data.losses import sign
from orchestration.cli.own_data.people import find_people
from orchestration.cli.own_data.rating_and_time import (
    ONLY_DATES,
    find_rating,
    find_time,
    is_fact,
    rating_reason,
    time_reason,
)
from orchestration.cli.own_data.text import Text, find_text, left_out
from orchestration.cli.own_data.unused import unused_interactions, unused_items
from recsys.data.ids import normalised
from recsys.errors import UserError, hint
from recsys.wording import whole_percent

_ORDER = (
    "! the interactions have no header, so their columns were taken in the usual order of person, item, rating, time; "
    "--user-column, --item-column and --rating-column say otherwise"
)
NONE = "none"
"""What a user writes for a role that no column has."""


@dataclass(frozen=True)
class Given:
    """Columns that the user named: None where they said nothing, `none` where no column has the role."""

    user: str | None = None
    item: str | None = None
    key: str | None = None
    rating: str | None = None
    time: str | None = None
    title: str | None = None
    text: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Roles:
    """Columns by role, None where there is none.

    Attributes:
        user, item, rating, timestamp: of the interactions.
        key, title, text, image: of the items.
        from_users: columns of the items that are no content since users made them, and what shows that.
        is_count: whether the rating counts actions, such as plays, instead of stating an opinion.
        reasons: for each role why, then what is not used; a line that begins with `!` is a warning.
    """

    user: str
    item: str
    key: str
    rating: str | None = None
    timestamp: str | None = None
    title: str | None = None
    text: tuple[str, ...] = ()
    image: str | None = None
    from_users: Mapping[str, str] = field(default_factory=dict)
    is_count: bool = False
    reasons: tuple[str, ...] = field(default=())


def guess(
    interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str], given: Given, numbered: bool = False
) -> Roles:
    """Guess the columns of two tables of strings.

    Args:
        interactions: who took what.
        items: what there is to take.
        where: names of their files, for errors.
        given: what the user said.
        numbered: whether the interactions have no header, so that columns are known by their place only.

    Raises:
        UserError: an id cannot be found, or what is found is implausible; or a column that was named is not there.
    """
    _need(interactions, where[0], given.user, given.item, given.rating, given.time)
    _need(items, where[1], given.key, given.title, *(given.text or ()))
    _one_role_each(given)
    named_by_user = {each for each in (*vars(given).values(), *(given.text or ())) if isinstance(each, str)}
    interactions, rows_counted = _without_index(interactions, named_by_user)
    items, items_counted = _without_index(items, named_by_user)
    roles, reasons = _of_interactions(interactions, items, where, given, numbered)
    roles, said = _described(items, roles, given, _pairs(interactions, roles))
    said += _left_over(interactions, items, roles)
    for counted, table in ((rows_counted, "interactions"), (items_counted, "items")):
        said += (
            [f"not used, of the {table}: {', '.join(map(repr, counted))}, which numbers the rows"] if counted else []
        )
    return replace(roles, reasons=(*reasons, *said))


def _of_interactions(
    interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str], given: Given, numbered: bool
) -> tuple[Roles, list[str]]:
    """Item, person, rating and time, found in this order, and the reason of each."""
    possible = interactions.drop(columns=given.user) if given.user else interactions
    try:
        pairing = find_item_ids(IdColumns(possible, items, where, numbered), given.item, given.key)
    except UserError:
        _refuse_item_as_user(interactions, items, where, given)
        raise
    left = [name for name in map(str, interactions) if name not in (pairing.column, given.user)]
    # Without a header the first column left is the person's, unless the user said which is.
    rating, rating_why, is_count = find_rating(
        interactions, left, given.rating, int(not given.user) if numbered else None
    )
    time, time_why = find_time(interactions, [name for name in left if name != rating], given.time, numbered)
    taken = frozenset(name for name in (rating, time) if name)
    people = find_people(interactions, pairing.column, taken, given.user, numbered, where[0])
    _refuse_taken({given.rating: "--rating-column", given.time: "--time-column"}, people.column, pairing.column)
    # A column that can be the rating and the person is the person.
    rating, time = (None if name == people.column else name for name in (rating, time))
    if rating and not given.rating and is_fact(interactions, rating, (people.column, pairing.column)):
        rating = None
    if time and time_why == ONLY_DATES and is_fact(interactions, time, (people.column, pairing.column)):
        time = None
    reasons = [
        f"{'! ' if people.is_doubtful else ''}user: '{people.column}', {people.why}",
        *_without_person(interactions[people.column], people.column),
        f"item: '{pairing.column}', {pairing.why}; "
        f"{whole_percent(pairing.share)} of its values are in '{pairing.key}' of the items",
        *pairing.remarks,
    ]
    is_count = is_count and rating is not None
    reasons += [_ORDER] if numbered and not (given.user and given.item) else []
    reasons += [rating_reason(rating, rating_why, is_count, bool(given.rating))] if rating else []
    reasons += [time_reason(time, time_why)] if time else []
    return Roles(people.column, pairing.column, pairing.key, rating, time, is_count=is_count), reasons


def _left_over(interactions: pd.DataFrame, items: pd.DataFrame, roles: Roles) -> list[str]:
    """What is not used of both tables, and why."""
    used = {roles.user, roles.item, roles.rating, roles.timestamp}
    left = [name for name in map(str, interactions) if name not in used]
    described = {roles.key, roles.title, roles.image, *roles.text, *roles.from_users}
    return [
        *(left_out(name, why) for name, why in roles.from_users.items()),
        *unused_interactions(interactions, left, (roles.user, roles.item), roles.rating, roles.timestamp),
        *_missing_in_first_rows(items, roles),
        *unused_items(items, [name for name in map(str, items) if name not in described]),
    ]


def _without_index(frame: pd.DataFrame, given: Collection[str]) -> tuple[pd.DataFrame, list[str]]:
    """A table without the columns that only number its rows, and their names; what the user named stays."""
    unnamed = [name for name in names.index_columns(list(map(str, frame))) if name not in given]
    counted = [name for name in unnamed if values.can_number_rows(frame[name])]
    return frame.drop(columns=counted), counted


def _need(frame: pd.DataFrame, where: str, *columns: str | None) -> None:
    for column in columns:
        if column is not None and column != NONE and column not in frame:
            raise UserError(f"{where}: there is no column '{column}'{hint(column, [str(name) for name in frame])}")


def _one_role_each(given: Given) -> None:
    """UserError where the user gave two roles to one column."""
    said = {
        "--user-column": given.user,
        "--item-column": given.item,
        "--rating-column": given.rating,
        "--time-column": given.time,
    }
    for column in {column for column in said.values() if column not in (None, NONE)}:
        flags = [flag for flag in said if said[flag] == column]
        if len(flags) > 1:
            raise UserError(f"{' and '.join(flags)} name the same column '{column}'; a column has one role")
    if given.key is not None and given.key in (given.title, *(given.text or ())):
        raise UserError(f"column '{given.key}' cannot be the id of the items and their title or text; name another")


def _refuse_item_as_user(interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str], given: Given) -> None:
    """UserError where the column that was named as the user's is the one with the ids of the items."""
    if given.user is None or given.item is not None:
        return
    tables = IdColumns(interactions, items, where)
    keys = [given.key] if given.key else list(map(str, items))
    share = max((tables.share(given.user, key) for key in keys), default=0.0)
    if share >= ENOUGH:
        raise UserError(
            f"{where[0]}: {whole_percent(share)} of the values of --user-column '{given.user}' are ids of items, and "
            "no other column has any; name the column that says who"
        )


def _refuse_taken(flags: dict[str | None, str], user: str, item: str) -> None:
    """UserError where the user gave a role to a column that is the person's or the item's."""
    for role, column in (("user", user), ("item", item)):
        if column in flags:
            raise UserError(
                f"{flags[column]}: '{column}' is taken for the {role}; name another column, or the right {role} with "
                f"--{role}-column"
            )


def _without_person(people: pd.Series, name: str) -> list[str]:
    missing = int(people.isna().sum())
    if not sign(missing, len(people)):
        return []
    return [
        f"! {whole_percent(missing / len(people))} of the interactions have no '{name}' and are left out: fill it in "
        "where it is that of the row above, or name another column with --user-column"
    ]


def _missing_in_first_rows(items: pd.DataFrame, roles: Roles) -> list[str]:
    """A line where of several rows of an item the first, which counts, lacks what a further one has."""
    ids = values.same_ids(items[roles.key])
    columns = [name for name in (roles.title, *roles.text, roles.image) if name]
    first = items.loc[ids.index[~ids.duplicated()], columns].set_axis(ids[~ids.duplicated()])
    anywhere = items.loc[ids.index, columns].notna().groupby(ids).any()
    missing = {name: int((first[name].isna() & anywhere[name].reindex(first.index)).sum()) for name in columns}
    return [
        f"! {n:,} items have their '{name}' not in their first row, which counts, but in a further one: put that first"
        for name, n in missing.items()
        if n
    ]


def _pairs(interactions: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Who took what, with ids as the reader compares them."""
    columns = {"user_id": roles.user, "item_id": roles.item}
    return pd.DataFrame({name: normalised(interactions[column]) for name, column in columns.items()}).dropna()


def _described(items: pd.DataFrame, roles: Roles, given: Given, pairs: pd.DataFrame) -> tuple[Roles, list[str]]:
    """The roles with title, text and image, and a reason for each; `pairs` as `find_text` takes them."""
    columns = [name for name in map(str, items) if name != roles.key]
    wordy = [name for name in columns if values.numbers(items[name]) is None and items[name].notna().any()]
    local = [name for name in wordy if not values.are_addresses(items[name])]
    title = next(iter(names.named("title", local)), None) if given.title is None else given.title
    title, title_why = (title if title in items else None), "by its name" if given.title is None else "as you said"
    image = next((n for n in names.named("image", wordy) if values.are_pictures(items[n])), None)
    if given.text is not None:
        text = Text(tuple(name for name in given.text if name in items), "as you said")
    else:
        free = [name for name in local if name not in (title, image) and not values.are_pictures(items[name])]
        text = find_text(items, free, roles.key, pairs)
    said = [f"title: '{title}', {title_why}"] if title else []
    said += [f"text: {', '.join(repr(name) for name in text.columns)}, {text.why}"] if text.columns else []
    return replace(roles, title=title, text=text.columns, image=image, from_users=text.from_users), said
