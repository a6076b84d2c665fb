"""Do models understand what they describe? Their fields beside attributes that are known.

Both sides are spelled by one vocabulary, so that `Children's` and `children` agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from recsys.content.descriptions.synonyms import Synonyms
from recsys.content.descriptions.vocabulary import value_sets, values
from recsys.errors import UserError

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
        fields: what a model said: index `item_id`, a column a field (see `fields_of`).
        items: `item_id` and attributes.
        truth: the attribute column that a field should tell, by field.
        min_support: macro means are over the values that so many items have in truth.
        synonyms: merges near-synonyms across both sides.

    Returns:
        A row a field, with `field`, `column`, `n_items`, and
        `n_true_values`, `n_given_values`: distinct values of either side;
        `known`: share of what is given that is a value of the attribute at all;
        `precision`, `recall`, `f1`: over all pairs of item and value (micro);
        `f1_chance`: expected `f1` if the same answers were dealt out to the items at random;
        `n_supported`, `macro_precision`, `macro_recall`, `macro_f1`: mean over the values with support;
        and, where no item has two values of the attribute, otherwise NaN: `accuracy`, the share of items whose
        answer is exactly their value, and what it would be for always saying the commonest value
        (`majority`) or for saying each value as often as it is true (`proportional`).
    """
    rows = []
    for field, column in truth.items():
        sides = _against(fields, items, field, column, synonyms)
        rows.append({"field": field, "column": column, **_summary(sides, min_support)})
    return pd.DataFrame(rows, columns=AGREEMENT)


def agreement_by_value(
    fields: pd.DataFrame, items: pd.DataFrame, truth: Mapping[str, str], *, synonyms: Synonyms | None = None
) -> pd.DataFrame:
    """The same by value: `field`, `column`, `value`, `n_true`, `n_given`, `precision`, `recall`, `f1`.

    A value that is never given has precision 0. The most frequent in truth first.
    """
    tables = []
    for field, column in truth.items():
        sides = _against(fields, items, field, column, synonyms)
        scores = precision_recall_fscore_support(sides.true, sides.given, average=None, zero_division=0)
        table = pd.DataFrame(
            {
                "field": field,
                "column": column,
                "value": sides.names,
                "n_true": sides.n_true,
                "n_given": sides.n_given,
                **dict(zip(("precision", "recall", "f1"), scores, strict=False)),
            }
        )
        tables.append(table.sort_values(["n_true", "n_given", "value"], ascending=[False, False, True]))
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class _Sides:
    """Values of the items that both sides speak of.

    Attributes:
        names: all values of either side.
        true: binary, shape (n_items, n_values).
        given: likewise.
    """

    names: list[str]
    true: sparse.csr_array
    given: sparse.csr_array

    @property
    def n_true(self) -> np.ndarray:
        """Number of items of each value in truth."""
        return self.true.sum(axis=0)

    @property
    def n_given(self) -> np.ndarray:
        """Number of items that each value is given to."""
        return self.given.sum(axis=0)


def _against(fields: pd.DataFrame, items: pd.DataFrame, field: str, column: str, synonyms: Synonyms | None) -> _Sides:
    if field not in fields:
        raise UserError(f"the descriptions have no field '{field}'; they have {list(fields)}")
    if column not in items:
        raise UserError(f"items have no column '{column}' to check field '{field}' by; they have {list(items)}")
    cells = {"true": items.set_index("item_id")[column], "given": fields[field]}
    said = values(pd.concat(cells, names=["side", "item_id"]).to_frame("values"), synonyms)
    sets = value_sets(said, by="side").reindex(columns=list(cells)).dropna()
    binary = MultiLabelBinarizer(sparse_output=True).fit([*sets["true"], *sets["given"]])
    true, given = (sparse.csr_array(binary.transform(sets[side])) for side in ("true", "given"))
    return _Sides(list(binary.classes_), true, given)


def _summary(sides: _Sides, min_support: int) -> dict[str, object]:
    true, given, n_true, n_given = sides.true, sides.given, sides.n_true, sides.n_given
    n_items = true.shape[0]
    counted: dict[str, object] = {
        "n_items": n_items,
        "n_true_values": int((n_true > 0).sum()),
        "n_given_values": int((n_given > 0).sum()),
    }
    if not n_items:
        return counted
    supported = np.flatnonzero(n_true >= min_support)
    micro = precision_recall_fscore_support(true, given, average="micro", zero_division=0)
    macro = precision_recall_fscore_support(true, given, labels=supported, average="macro", zero_division=0)
    shared_by_chance = (n_true * n_given).sum() / n_items
    scored = {
        **counted,
        "known": n_given[n_true > 0].sum() / n_given.sum(),
        **dict(zip(("precision", "recall", "f1"), micro, strict=False)),
        "f1_chance": 2 * shared_by_chance / (n_true.sum() + n_given.sum()),
        "n_supported": len(supported),
        **dict(zip(("macro_precision", "macro_recall", "macro_f1"), macro, strict=False)),
    }
    if true.sum(axis=1).max() > 1:
        return scored
    shares = n_true / n_items
    accuracy = accuracy_score(true, given)
    return {**scored, "accuracy": accuracy, "majority": shares.max(), "proportional": (shares**2).sum()}
