"""What models say in a field, as values that can be counted: `Live-Action` and `live action.` are one.

A cell is split into values, a value is spelled without case, accents and punctuation, and spellings with the same
lemmas are one, named by the most frequent of them. Near-synonyms are merged where asked for (see `synonyms`).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import regex as re

from recsys.content.descriptions.answers import parse_corpus, says_nothing
from recsys.content.descriptions.spelling import spelled
from recsys.content.descriptions.synonyms import Synonyms
from recsys.errors import UserError

# A slash parts words; it does not part `N/A`. Commas and semicolons are those of Latin, Chinese, Japanese and Arabic.
SEPARATORS = re.compile(r"[,;|\n\uff0c\uff1b\u3001\u060c\u061b]|(?<=\w\w|\p{Lo})\s*[/\uff0f]\s*(?=\w\w|\p{Lo})")


def fields_of(corpus: pd.DataFrame, fields: Sequence[str] | None = None) -> pd.DataFrame:
    """The fields of a corpus: index `item_id`, a column per field, None where not given.

    Args:
        corpus: `item_id`, `answer` and a column for each field that is parsed already.
        fields: which fields; those that are parsed already unless said. Others are looked for in the answers.

    Raises:
        UserError: no field is named, and none is parsed.
    """
    table = corpus.set_index("item_id").drop(columns="answer")
    wanted = list(table.columns.astype(str) if fields is None else fields)
    if not wanted:
        raise UserError("the description corpus has no parsed fields; set `fields` to what its prompt asked for")
    if not set(wanted) <= set(table):
        table = parse_corpus(corpus, wanted)[0].set_index("item_id")
    return table[wanted]


def values(cells: pd.DataFrame, synonyms: Synonyms | None = None) -> pd.DataFrame:
    """Every value of every cell, and what it becomes.

    Args:
        cells: a column per field, an index (of one or several named levels) that names items; a cell is what a model
            said, a list of values, or missing.
        synonyms: merges near-synonyms within a field; None leaves them apart.

    Returns:
        A row for each value of each item: the index's levels, `field`, `value` (as it was given) and `becomes`
        (None where the value says nothing, such as `N/A`).
    """
    given = cells.melt(ignore_index=False, var_name="field", value_name="value")
    given = given.assign(value=given["value"].map(_split)).explode("value").dropna(subset="value")
    given = given.reset_index().drop_duplicates(ignore_index=True)
    spellings = given["value"].map(spelled)
    counts = spellings[~spellings.map(says_nothing).astype(bool)].groupby(given["field"]).value_counts()
    names = {
        (field, spelling): name
        for field, of_field in counts.groupby(level=0, sort=False)
        for spelling, name in _names(of_field.droplevel(0), synonyms).items()
    }
    becomes = [names.get(pair) for pair in zip(given["field"], spellings, strict=True)]
    return given.assign(becomes=pd.Series(becomes, index=given.index, dtype="object"))


def vocabulary(values: pd.DataFrame) -> pd.DataFrame:
    """What became of every value, to look at: `field`, `value`, `n_items`, `becomes`; the most frequent first.

    Args:
        values: a row for each value of each item, as `values` gives it.
    """
    groups = values.groupby(["field", "value", "becomes"], dropna=False, sort=False)
    table = groups.size().rename("n_items").reset_index()
    order = {field: number for number, field in enumerate(table["field"].unique())}
    ranked = table.assign(order=table["field"].map(order), rank=-table["n_items"])
    ranked = ranked.sort_values(["order", "rank", "value"], ignore_index=True)
    return ranked[["field", "value", "n_items", "becomes"]]


def value_sets(values: pd.DataFrame, by: str = "field") -> pd.DataFrame:
    """What each item (rows) has by field, or by another column of `values`: frozensets, NaN where nothing is said."""
    said = values.dropna(subset="becomes")
    return said.groupby(["item_id", by])["becomes"].agg(frozenset).unstack(by)


@cache
def _lemmas(spelling: str) -> str:
    """The same for `3-D` and `3D`, for `families` and `family`."""
    import simplemma

    return "".join(simplemma.lemmatize(word, lang="en").casefold() for word in spelling.split())


def _names(counts: pd.Series, synonyms: Synonyms | None) -> dict[str, str]:
    """What each spelling becomes, given the number of items of each."""
    first: dict[str, str] = {}
    order = sorted(counts.index, key=lambda spelling: (-counts[spelling], spelling))
    names = {spelling: first.setdefault(_lemmas(spelling), spelling) for spelling in order}
    if synonyms is None:
        return names
    merged = synonyms.merge(counts.groupby(names).sum())
    return {spelling: merged[name] for spelling, name in names.items()}


def _split(cell: Any) -> list[str]:
    if isinstance(cell, list | tuple | np.ndarray):
        parts = [str(part) for part in cell]
    else:
        parts = [] if pd.isna(cell) else SEPARATORS.split(str(cell))
    return [part.strip() for part in parts if part.strip()]
