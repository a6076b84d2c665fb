"""Do models understand what they describe? Their fields beside attributes that are known.

Both sides are spelled by one vocabulary, so that `Children's` and `children` agree.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from recsys.content.descriptions.synonyms import Synonyms
from recsys.content.descriptions.vocabulary import value_sets, values
from recsys.data.raw import lacks_column
from recsys.errors import UserError, hint

AGREEMENT = (
    *("field", "column", "n_items", "n_true_values", "n_given_values", "known"),
    *("precision", "recall", "f1", "f1_chance", "n_supported", "macro_precision", "macro_recall", "macro_f1"),
    *("accuracy", "majority", "proportional"),
)
"""Columns of `agreement_with_attributes`."""


def agreement_with_attributes(
    fields: pd.DataFrame,
    items: pd.DataFrame,
    truth: Mapping[str, str],
    *,
    min_support: int = 5,
    synonyms: Synonyms | None = None,
) -> pd.DataFrame:
    """How well fields tell known attributes, over the items for which both are there.

    Args:
        fields: what a model said: index `item_id`, a column per field (see `fields_of`).
        items: `item_id` and attributes.
        truth: the attribute column that a field should tell, by field.
        min_support: macro means are over the values that so many items have in truth.
        synonyms: merges near-synonyms across both sides.

    Returns:
        A row per field, with `field`, `column`, `n_items`, and
        `n_true_values`, `n_given_values`: distinct values of either side;
        `known`: share of what is given that is a value of the attribute at all;
        `precision`, `recall`, `f1`: over all pairs of item and value (micro);
        `f1_chance`: expected `f1` if the same answers were permuted across items;
        `n_supported`, `macro_precision`, `macro_recall`, `macro_f1`: mean over the values with support;
        and, where no item has two values of the attribute, otherwise NaN: `accuracy`, the share of items whose
        answer is exactly their value, and what it would be for always saying the commonest value
        (`majority`) or for saying each value as often as it is true (`proportional`).
    """
    rows = []
    for field, column in truth.items():
        sides = _sides(fields, items, field, column, synonyms)
        rows.append({"field": field, "column": column, **_summary(sides, min_support)})
    return pd.DataFrame(rows, columns=AGREEMENT)


def _sides(
    fields: pd.DataFrame, items: pd.DataFrame, field: str, column: str, synonyms: Synonyms | None
) -> pd.DataFrame:
    """The set of values of each item in truth and as given, for the items that have both."""
    if field not in fields:
        raise UserError(f"the descriptions have no field '{field}'{hint(field, [str(name) for name in fields])}")
    if column not in items:
        raise lacks_column(f"the truth of field '{field}'", column, items)
    cells = {"true": items.set_index("item_id")[column], "given": fields[field]}
    said = values(pd.concat(cells, names=["side", "item_id"]).to_frame(field), synonyms)
    return value_sets(said, by="side").reindex(columns=["true", "given"]).dropna()


def _counted(sides: pd.DataFrame) -> pd.DataFrame:
    """A row for each value, with `n_true`, `n_given`, `n_right` and the scores."""
    right = [true & given for true, given in zip(sides["true"], sides["given"], strict=True)]
    named = {"n_true": sides["true"], "n_given": sides["given"], "n_right": pd.Series(right, dtype="object")}
    counts = pd.DataFrame({name: sets.explode().value_counts() for name, sets in named.items()}).fillna(0).astype(int)
    return counts.assign(**_scores(counts))


def _scores(counts: pd.DataFrame | pd.Series) -> dict[str, Any]:
    """Precision, recall and their harmonic mean; 0 where there is nothing to count."""
    true, given, right = counts["n_true"], counts["n_given"], counts["n_right"]
    return {
        "precision": right / np.maximum(given, 1),
        "recall": right / np.maximum(true, 1),
        "f1": 2 * right / np.maximum(true + given, 1),
    }


def _summary(sides: pd.DataFrame, min_support: int) -> dict[str, Any]:
    counts, n_items = _counted(sides), len(sides)
    true, given = counts["n_true"], counts["n_given"]
    found: dict[str, Any] = {
        "n_items": n_items,
        "n_true_values": (true > 0).sum(),
        "n_given_values": (given > 0).sum(),
    }
    if not n_items:
        return found
    supported = counts[true >= min_support]
    found |= {
        "known": given[true > 0].sum() / given.sum(),
        **_scores(counts[["n_true", "n_given", "n_right"]].sum()),
        "f1_chance": 2 * (true * given).sum() / n_items / (true.sum() + given.sum()),
        "n_supported": len(supported),
        **{f"macro_{score}": supported[score].mean() for score in ("precision", "recall", "f1")},
    }
    if sides["true"].map(len).max() > 1:
        return found
    accuracy = (sides["true"] == sides["given"]).mean()
    return {
        **found,
        "accuracy": accuracy,
        "majority": true.max() / n_items,
        "proportional": ((true / n_items) ** 2).sum(),
    }
