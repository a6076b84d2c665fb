"""Which column of the interactions and which of the items hold the items' ids.

Names decide first: a column called like a person is never the item's while another is called like an item. Among
pairs that names allow, the share of rows whose id is found decides; a repeat, a gap or a blank decides nothing. What
neither names nor values settle is refused, with a value from each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from orchestration.cli.own_data import names, values
from recsys.data.ids import nearest_repair, normalised
from recsys.errors import UserError
from recsys.wording import count, whole_percent

ENOUGH = 0.5
"""Share of the interactions whose item must be found in the item table."""
_NEARLY_ALL = 0.95
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


class ItemIds:
    """Two tables whose item ids are looked for."""

    def __init__(self, interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str], numbered: bool) -> None:
        """Tables of strings; `where` names their files, `numbered` says that the interactions have no header."""
        self.interactions, self.items, self.where, self.numbered = interactions, items, where, numbered
        self._known: dict[str, pd.Index] = {}
        self._counts: dict[str, pd.Series] = {}

    def find(self, column: str | None, key: str | None) -> Pairing:
        """The pair, given what the user named of it; UserError where nothing can be said for sure."""
        self._refuse_wide()
        columns = [column] if column else self._columns()
        keys = {each: [key] if key else self._keys(each) for each in columns}
        pairs = [(each, of) for each in columns for of in keys[each]]
        if not pairs:
            has = ["'" + "', '".join(map(str, table)) + "'" for table in (self.interactions, self.items)]
            raise UserError(
                f"{self.where[0]} and {self.where[1]}: no column can hold item ids ({has[0]} here, {has[1]} there); "
                f"{_REMEDY}"
            )
        best = max(pairs, key=self._rank)
        if self.share(*best) < ENOUGH:
            by_value = [] if column and key else self._unnamed_keys(columns)
            best = max(by_value, key=self._rank) if by_value else best
        self._refuse_low(best)
        self._refuse_flag(best[0])
        self._refuse_equal(best, pairs)
        if not column:
            best = self._settled(best)
        return Pairing(*best, self.share(*best), self._why(best, bool(column or key)), tuple(self._remarks(best)))

    def share(self, column: str, key: str) -> float:
        """Share of the rows of the interactions whose value is among those of the items' column."""
        counts = self._counted(column)
        return float(counts[counts.index.isin(self._ids(key))].sum() / max(counts.sum(), 1))

    def _counted(self, column: str) -> pd.Series:
        if column not in self._counts:
            self._counts[column] = values.same_ids(self.interactions[column]).value_counts()
        return self._counts[column]

    def _ids(self, key: str) -> pd.Index:
        if key not in self._known:
            self._known[key] = pd.Index(values.same_ids(self.items[key]).unique())
        return self._known[key]

    def _columns(self) -> list[str]:
        """Columns of the interactions that may hold the item: those called so, else those not called otherwise."""
        every = list(map(str, self.interactions))
        certain = names.named("item", every, names.CERTAIN)
        if certain:
            return certain
        if alike := self._called_alike(every):
            return alike
        others = [n for n in every if not any(names.strength(role, n) for role in ("user", "rating", "time", "count"))]
        likely = names.named("item", others)
        left = likely or others or [name for name in every if not names.strength("user", name)]
        # The few values of a scale are found among small numbers of any kind.
        scales = [name for name in left if values.steps(self.interactions[name]) is not None]
        return [name for name in left if name not in scales] or left

    def _called_alike(self, columns: list[str]) -> list[str]:
        """Columns that the items have too, with the same ids; those called like a person only where no other is."""
        pairs = [(name, key) for name in columns for key in map(str, self.items) if names.alike(name, key)]
        found = [name for name, key in pairs if self._may_be_key(key) and self.share(name, key) >= ENOUGH]
        return [name for name in found if not names.strength("user", name)] or found

    def _keys(self, column: str) -> list[str]:
        """Columns of the items that may hold their ids, for a column of the interactions."""
        every = list(map(str, self.items))
        alike = [name for name in every if names.alike(name, column)]
        called = names.named("item", every, names.CERTAIN) or [n for n in every if names.names_only_an_id(n)]
        speaking = list(dict.fromkeys([*alike, *called]))
        return speaking or [name for name in every if self._may_be_key(name)]

    def _may_be_key(self, name: str) -> bool:
        known = self.items[name].dropna()
        return len(known) > 0 and known.nunique() >= ENOUGH * len(known)

    def _unnamed_keys(self, columns: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs with columns of the items that are called an id of something, where none is called alike."""
        others = [n for n in map(str, self.items) if names.has_id(n) and self._may_be_key(n)]
        alike = any(names.alike(name, column) for name in map(str, self.items) for column in columns)
        pairs = [(column, other) for column in columns for other in others] if not alike else []
        return [pair for pair in pairs if self.share(*pair) >= ENOUGH]

    def _rank(self, pair: tuple[str, str]) -> tuple[bool, bool, bool, int, float]:
        share, (column, key) = self.share(*pair), pair
        return (
            share >= ENOUGH,
            column == key,
            names.alike(column, key),
            names.strength("item", column) + names.strength("item", key),
            share,
        )

    def _settled(self, best: tuple[str, str]) -> tuple[str, str]:
        """The pair, or where other columns match as well and no name speaks, the one by its place or a refusal."""
        if names.strength("item", best[0]) or names.alike(*best):
            return best
        keys = [key for key in self._keys(best[0]) if self.share(best[0], key) >= ENOUGH]
        if len(keys) > 1 and not names.strength("item", best[1]) and not names.names_only_an_id(best[1]):
            shown = ", ".join(f"'{key}'" for key in keys)
            raise UserError(
                f"{self.where[1]}: {shown} all hold the values of column '{best[0]}' of {self.where[0]}, and no name "
                "says which is the item's id; name it with --items-id-column"
            )
        rivals = [name for name in self._columns() if self.share(name, best[1]) >= ENOUGH]
        second = str(self.interactions.columns[min(1, self.interactions.shape[1] - 1)])
        if self.numbered and second in rivals:
            # User, item, rating, time: the order of every published file without a header.
            return second, best[1]
        distinct = {name: len(self._counted(name)) for name in rivals}
        if len(rivals) > 1:
            shown = ", ".join(f"'{name}' ({n:,} values)" for name, n in distinct.items())
            raise UserError(
                f"{self.where[0]}: {shown} all match column '{best[1]}' of {self.where[1]}, and no name says which "
                "is the item; name it with --item-column"
            )
        return best

    def _refuse_equal(self, best: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> None:
        """UserError where another column matches as well, is called as much an id, and would join other rows."""
        if not names.strength("item", best[0]):
            return
        for side, table, flag in ((0, self.interactions, "--item-column"), (1, self.items, "--items-id-column")):
            rivals = [pair for pair in pairs if pair[side] != best[side] and pair[1 - side] == best[1 - side]]
            rivals = [pair for pair in rivals if self._rank(pair)[:-1] == self._rank(best)[:-1]]
            rivals = [pair for pair in rivals if self.share(*pair) > _AS_WELL * self.share(*best)]
            for rival in rivals:
                if not normalised(table[rival[side]]).equals(normalised(table[best[side]])):
                    raise UserError(
                        f"{self.where[side]}: '{best[side]}' and '{rival[side]}' both match column "
                        f"'{best[1 - side]}' of {self.where[1 - side]} and are called alike; name the right one with "
                        f"{flag}"
                    )

    def _refuse_wide(self) -> None:
        columns = pd.Series(list(map(str, self.interactions)))
        if len(columns) <= _USUAL_COLUMNS:
            return
        for key in map(str, self.items):
            found = int(values.same_ids(columns).isin(self._ids(key)).sum())
            if found >= 5 and found >= ENOUGH * len(columns):
                raise UserError(
                    f"{self.where[0]}: a table of people by items, for {found} of its columns are items (such as "
                    f"'{_first(columns, self._ids(key))}'); make it one row for each interaction, with the columns "
                    "user_id, item_id and rating"
                )

    def _refuse_low(self, pair: tuple[str, str]) -> None:
        share, (column, key) = self.share(*pair), pair
        if share >= ENOUGH:
            return
        here = values.same_ids(self.interactions[column])
        missing = here[~here.isin(self._ids(key))]
        found = f"only {whole_percent(share)} of the rows" if share else "no row"
        has = "have" if share else "has"
        there = values.example(self.items[key])
        raise UserError(
            f"{self.where[0]} and {self.where[1]}: {found} of '{column}' {has} an id that is in column '{key}' of the "
            f"items ('{values.example(missing)}' here, '{there}' there); {self._cure(here, key)}"
        )

    def _cure(self, here: pd.Series, key: str) -> str:
        """What would make the ids match, else how to name other columns."""
        known = self._ids(key)
        listed = here.astype("str").str.split(r"[\s,;|]+", regex=True).explode()
        if listed.isin(known).mean() >= ENOUGH and len(listed) > 1.5 * len(here):
            return "a field holds several ids, but each interaction needs a row of its own"
        near = nearest_repair(set(here), set(known))
        if near and here.isin(near[1] | set(known)).mean() >= ENOUGH:
            return f"they would match without {near[0]}: write them alike in both files"
        return f"write the ids alike in both files, or {_REMEDY}"

    def _refuse_flag(self, column: str) -> None:
        distinct = len(self._counted(column))
        if distinct < _FEWEST:
            raise UserError(
                f"{self.where[0]}: column '{column}' holds {count(distinct, 'id')} (such as "
                f"'{values.example(self.interactions[column])}') where at least {_FEWEST} are needed, and cannot be "
                "the item; name the right one with --item-column"
            )

    def _why(self, pair: tuple[str, str], given: bool) -> str:
        if given:
            return "as you said"
        if names.strength("item", pair[0]) or names.alike(*pair):
            return "by its name"
        if self.numbered:
            return "by its place and values"
        return "by its values"

    def _remarks(self, pair: tuple[str, str]) -> list[str]:
        column, key = pair
        remarks, share = [], self.share(*pair)
        if share < _NEARLY_ALL:
            here = values.same_ids(self.interactions[column])
            missing = values.example(here[~here.isin(self._ids(key))])
            remarks.append(
                f"! {whole_percent(1 - share)} of the interactions are with unknown items, such as '{missing}'"
            )
        ids = values.same_ids(self.items[key])
        repeated, gaps = int(ids.duplicated().sum()), int(self.items[key].isna().sum())
        if repeated > ENOUGH * len(ids):
            remarks.append(
                f"! the items have {len(ids):,} rows for {ids.nunique():,} ids: the first row of each counts"
            )
        elif repeated:
            remarks.append(f"{count(repeated, 'row')} of the items with an id that is there already: the first counts")
        if gaps:
            remarks.append(f"{count(gaps, 'row')} of the items without an id")
        return remarks


_REMEDY = "name the columns with --item-column and --items-id-column"


def _first(columns: pd.Series, ids: pd.Index) -> str:
    return str(columns[values.same_ids(columns).isin(ids)].iloc[0])
