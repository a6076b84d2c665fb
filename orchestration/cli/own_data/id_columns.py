"""Columns of two tables that may hold the items' ids, by their names and by how many ids agree.

Names decide first: a column called like a person is never the item's while another is called like an item. Among
pairs that names allow, the share of rows whose id is found decides; a repeat, a gap or a blank decides nothing.
"""

from collections.abc import Sequence

import pandas as pd

from orchestration.cli.own_data import names, values

ENOUGH = 0.5
"""Share of the interactions whose item must be found in the item table."""


class IdColumns:
    """The interactions and the items, tables of strings.

    Attributes:
        interactions, items: the tables.
        where: names of their files, for errors.
        numbered: whether the interactions have no header, so that columns are known by their place only.
    """

    def __init__(
        self, interactions: pd.DataFrame, items: pd.DataFrame, where: Sequence[str], numbered: bool = False
    ) -> None:
        """Values are compared when they are asked for, once each."""
        self.interactions, self.items, self.where, self.numbered = interactions, items, where, numbered
        self._ids: dict[str, pd.Index] = {}
        self._counted: dict[str, pd.Series] = {}

    def share(self, column: str, key: str) -> float:
        """Share of the rows of the interactions whose value is among those of the items' column."""
        counts = self.counted(column)
        return float(counts[counts.index.isin(self.ids(key))].sum() / max(counts.sum(), 1))

    def counted(self, column: str) -> pd.Series:
        """How many rows of the interactions each value of a column has."""
        if column not in self._counted:
            self._counted[column] = values.same_ids(self.interactions[column]).value_counts()
        return self._counted[column]

    def ids(self, key: str) -> pd.Index:
        """The distinct values of a column of the items."""
        if key not in self._ids:
            self._ids[key] = pd.Index(values.same_ids(self.items[key]).unique())
        return self._ids[key]

    def columns(self) -> list[str]:
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

    def keys(self, column: str) -> list[str]:
        """Columns of the items that may hold their ids, for a column of the interactions."""
        every = list(map(str, self.items))
        alike = [name for name in every if names.alike(name, column)]
        called = names.named("item", every, names.CERTAIN) or [n for n in every if names.names_only_an_id(n)]
        speaking = list(dict.fromkeys([*alike, *called]))
        return speaking or [name for name in every if self._may_be_key(name)]

    def _may_be_key(self, name: str) -> bool:
        known = self.items[name].dropna()
        return len(known) > 0 and known.nunique() >= ENOUGH * len(known)

    def unnamed_keys(self, columns: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs with columns of the items that are called an id of something, where none is called alike."""
        others = [n for n in map(str, self.items) if names.has_id(n) and self._may_be_key(n)]
        alike = any(names.alike(name, column) for name in map(str, self.items) for column in columns)
        pairs = [(column, other) for column in columns for other in others] if not alike else []
        return [pair for pair in pairs if self.share(*pair) >= ENOUGH]

    def rank(self, pair: tuple[str, str]) -> tuple[bool, bool, bool, int, float]:
        """What is compared of two pairs of columns, the greater being the better pair; the last is the share."""
        share, (column, key) = self.share(*pair), pair
        return (
            share >= ENOUGH,
            column == key,
            names.alike(column, key),
            names.strength("item", column) + names.strength("item", key),
            share,
        )
