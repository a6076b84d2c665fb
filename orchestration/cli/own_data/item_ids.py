"""Which column of the interactions and which of the items hold the items' ids.

What neither names nor values settle is refused, with a value from each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from orchestration.cli.own_data import names, values
from orchestration.cli.own_data.id_columns import ENOUGH, IdColumns
from orchestration.cli.own_data.losses import MOST
from recsys.data.ids import nearest_repair, normalised, refuse_inexact
from recsys.errors import UserError
from recsys.wording import count, whole_percent

_REMEDY = "name the columns with --item-column and --items-id-column"
_AS_WELL = 0.9
"""Part of the best column's share of known ids that another column must have to match as well."""
_USUAL_COLUMNS = 5
_FEWEST = 3
"""Distinct ids below which a column is a flag rather than an item."""


@dataclass(frozen=True)
class Pairing:
    """The columns of item ids, in the interactions and in the items, and how well they agree.

    Attributes:
        column, key: of the interactions, of the items.
        share: of the interactions whose id is among the items.
        why: what decided.
        remarks: what else a person should know, one line each.
    """

    column: str
    key: str
    share: float
    why: str
    remarks: tuple[str, ...] = ()


def find_item_ids(tables: IdColumns, column: str | None, key: str | None) -> Pairing:
    """The pair of columns; UserError where nothing can be said for sure.

    Args:
        tables: the interactions and the items.
        column: of the interactions, where the user named it.
        key: of the items, likewise.
    """
    _refuse_wide(tables)
    columns = [column] if column else tables.columns()
    keys = {each: [key] if key else tables.keys(each) for each in columns}
    pairs = [(each, of) for each in columns for of in keys[each]]
    if not pairs:
        has = ["'" + "', '".join(map(str, table)) + "'" for table in (tables.interactions, tables.items)]
        raise UserError(
            f"{tables.where[0]} and {tables.where[1]}: no column can hold item ids ({has[0]} here, {has[1]} there); "
            f"{_REMEDY}"
        )
    best = max(pairs, key=tables.rank)
    if tables.share(*best) < ENOUGH:
        by_value = [] if column and key else tables.unnamed_keys(columns)
        best = max(by_value, key=tables.rank) if by_value else best
    refuse_inexact(tables.interactions[best[0]], tables.where[0])
    refuse_inexact(tables.items[best[1]], tables.where[1])
    _refuse_low(tables, best)
    _refuse_flag(tables, best[0])
    _refuse_equal(tables, best, pairs)
    if not column:
        best = _settled(tables, best)
    return Pairing(*best, tables.share(*best), _why(tables, best, bool(column or key)), tuple(_remarks(tables, best)))


def _settled(tables: IdColumns, best: tuple[str, str]) -> tuple[str, str]:
    """The pair, or where other columns match as well and no name speaks, the one by its place or a refusal."""
    if names.strength("item", best[0]) or names.alike(*best):
        return best
    keys = [key for key in tables.keys(best[0]) if tables.share(best[0], key) >= ENOUGH]
    if len(keys) > 1 and not names.strength("item", best[1]) and not names.names_only_an_id(best[1]):
        shown = ", ".join(f"'{key}'" for key in keys)
        raise UserError(
            f"{tables.where[1]}: {shown} all hold the values of column '{best[0]}' of {tables.where[0]}, and no name "
            "says which is the item's id; name it with --items-id-column"
        )
    rivals = [name for name in tables.columns() if tables.share(name, best[1]) >= ENOUGH]
    second = str(tables.interactions.columns[min(1, tables.interactions.shape[1] - 1)])
    if tables.numbered and second in rivals:
        # User, item, rating, time: the order of every published file without a header.
        return second, best[1]
    distinct = {name: len(tables.counted(name)) for name in rivals}
    if len(rivals) > 1:
        shown = ", ".join(f"'{name}' ({n:,} values)" for name, n in distinct.items())
        raise UserError(
            f"{tables.where[0]}: {shown} all match column '{best[1]}' of {tables.where[1]}, and no name says which "
            "is the item; name it with --item-column"
        )
    return best


def _refuse_equal(tables: IdColumns, best: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> None:
    """UserError where another column matches as well, is called as much an id, and would join other rows."""
    if not names.strength("item", best[0]):
        return
    for side, table, flag in ((0, tables.interactions, "--item-column"), (1, tables.items, "--items-id-column")):
        rivals = [pair for pair in pairs if pair[side] != best[side] and pair[1 - side] == best[1 - side]]
        rivals = [pair for pair in rivals if tables.rank(pair)[:-1] == tables.rank(best)[:-1]]
        rivals = [pair for pair in rivals if tables.share(*pair) > _AS_WELL * tables.share(*best)]
        for rival in rivals:
            if not normalised(table[rival[side]]).equals(normalised(table[best[side]])):
                raise UserError(
                    f"{tables.where[side]}: '{best[side]}' and '{rival[side]}' both match column "
                    f"'{best[1 - side]}' of {tables.where[1 - side]} and are called alike; name the right one with "
                    f"{flag}"
                )


def _refuse_wide(tables: IdColumns) -> None:
    columns = pd.Series(list(map(str, tables.interactions)))
    if len(columns) <= _USUAL_COLUMNS:
        return
    for key in map(str, tables.items):
        found = int(values.same_ids(columns).isin(tables.ids(key)).sum())
        if found >= 5 and found >= ENOUGH * len(columns):
            raise UserError(
                f"{tables.where[0]}: a table of people by items, for {found} of its columns are items (such as "
                f"'{_first(columns, tables.ids(key))}'); make it one row for each interaction, with the columns "
                "user_id, item_id and rating"
            )


def _refuse_low(tables: IdColumns, pair: tuple[str, str]) -> None:
    share, (column, key) = tables.share(*pair), pair
    if share >= ENOUGH:
        return
    here = values.same_ids(tables.interactions[column])
    missing = here[~here.isin(tables.ids(key))]
    found = f"only {whole_percent(share)} of the rows" if share else "no row"
    has = "have" if share else "has"
    there = values.example(tables.items[key])
    raise UserError(
        f"{tables.where[0]} and {tables.where[1]}: {found} of '{column}' {has} an id that is in column '{key}' of the "
        f"items ('{values.example(missing)}' here, '{there}' there); {_cure(tables, here, key)}"
    )


def _cure(tables: IdColumns, here: pd.Series, key: str) -> str:
    """What would make the ids match, else how to name other columns."""
    known = tables.ids(key)
    listed = here.astype("str").str.split(r"[\s,;|]+", regex=True).explode()
    if listed.isin(known).mean() >= ENOUGH and len(listed) > 1.5 * len(here):
        return "a field holds several ids, but each interaction needs a row of its own"
    near = nearest_repair(set(here), set(known))
    if near and here.isin(near[1] | set(known)).mean() >= ENOUGH:
        return f"they would match without {near[0]}: write them alike in both files"
    return f"write the ids alike in both files, or {_REMEDY}"


def _refuse_flag(tables: IdColumns, column: str) -> None:
    distinct = len(tables.counted(column))
    if distinct < _FEWEST:
        raise UserError(
            f"{tables.where[0]}: column '{column}' holds {count(distinct, 'id')} (such as "
            f"'{values.example(tables.interactions[column])}') where at least {_FEWEST} are needed, and cannot be "
            "the item; name the right one with --item-column"
        )


def _why(tables: IdColumns, pair: tuple[str, str], given: bool) -> str:
    if given:
        return "as you said"
    if names.strength("item", pair[0]) or names.alike(*pair):
        return "by its name"
    if tables.numbered:
        return "by its place and values"
    return "by its values"


def _remarks(tables: IdColumns, pair: tuple[str, str]) -> list[str]:
    column, key = pair
    remarks, share = [], tables.share(*pair)
    if share < 1 - MOST:
        here = values.same_ids(tables.interactions[column])
        missing = values.example(here[~here.isin(tables.ids(key))])
        remarks.append(f"! {whole_percent(1 - share)} of the interactions are with unknown items, such as '{missing}'")
    ids = values.same_ids(tables.items[key])
    repeated, gaps = int(ids.duplicated().sum()), int(tables.items[key].isna().sum())
    if repeated > ENOUGH * len(ids):
        remarks.append(f"! the items have {len(ids):,} rows for {ids.nunique():,} ids: the first row of each counts")
    elif repeated:
        remarks.append(f"{count(repeated, 'row')} of the items with an id that is there already: the first counts")
    if gaps:
        remarks.append(f"{count(gaps, 'row')} of the items without an id")
    return remarks


def _first(columns: pd.Series, ids: pd.Index) -> str:
    return str(columns[values.same_ids(columns).isin(ids)].iloc[0])
