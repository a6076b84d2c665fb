"""What answers tell without any truth to check them by: whether models agree, and how much a field can tell at all.

Fields are tables with the index `item_id` and a column per field, as `fields_of` gives them.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import entropy
from sklearn.metrics import cohen_kappa_score

from recsys.content.descriptions.synonyms import Synonyms
from recsys.content.descriptions.vocabulary import value_sets, values

AGREEMENT = ("field", "first", "second", "n_items", "equal", "jaccard", "kappa")
"""Columns of `agreement_between`."""
COARSENESS = ("field", "n_items", "n_values", "top", "top_share", "entropy", "effective_values")
"""Columns of `coarseness`."""


def agreement_between(corpora: Mapping[str, pd.DataFrame], *, synonyms: Synonyms | None = None) -> pd.DataFrame:
    """How far models say the same of the same items, for each pair of corpora and each field that both have.

    Args:
        corpora: fields by name of the corpus.
        synonyms: merges near-synonyms across all corpora.

    Returns:
        `field`, `first`, `second`, `n_items` (for which both give the field), `equal` (share of items with the
        same values), `jaccard` (mean over items of values shared over values given by either), and Cohen's `kappa`,
        which takes all values of an item as one category; NaN where both give one and the same category only.
    """
    rows = []
    for field in dict.fromkeys(field for fields in corpora.values() for field in fields):
        cells = {name: fields[field] for name, fields in corpora.items() if field in fields}
        said = values(pd.concat(cells, names=["corpus", "item_id"]).to_frame(field), synonyms)
        sets = value_sets(said, by="corpus").reindex(columns=list(cells))
        for first, second in combinations(cells, 2):
            pair = sets[[first, second]].dropna()
            rows.append({"field": field, "first": first, "second": second, **_alike(pair[first], pair[second])})
    return pd.DataFrame(rows, columns=AGREEMENT)


def coarseness(fields: pd.DataFrame, *, synonyms: Synonyms | None = None) -> pd.DataFrame:
    """How much a field can tell: answers that are nearly always the same tell nothing apart.

    Returns:
        A row per field: `field`, `n_items` (that have it), `n_values` (distinct), `top` (the commonest value),
        `top_share` (of the items), `entropy` (bits, of values as often as they are given) and `effective_values`,
        the number of equally frequent values that would have this entropy.
    """
    sets = value_sets(values(fields, synonyms)).reindex(columns=fields.columns)
    rows = [{"field": field, **_coarse(sets[field].dropna())} for field in fields]
    return pd.DataFrame(rows, columns=COARSENESS)


def _alike(first: pd.Series, second: pd.Series) -> dict[str, object]:
    """How far two columns of sets agree."""
    if first.empty:
        return {"n_items": 0}
    categories, distinct = pd.factorize(pd.concat([first, second]))
    return {
        "n_items": len(first),
        "equal": (first == second).mean(),
        "jaccard": np.mean([len(a & b) / len(a | b) for a, b in zip(first, second, strict=True)]),
        "kappa": cohen_kappa_score(*np.split(categories, 2)) if len(distinct) > 1 else np.nan,
    }


def _coarse(sets: pd.Series) -> dict[str, object]:
    if sets.empty:
        return {"n_items": 0, "n_values": 0}
    counts = sets.explode().value_counts().sort_index()
    bits = float(entropy(counts, base=2))
    return {
        "n_items": len(sets),
        "n_values": len(counts),
        "top": counts.idxmax(),
        "top_share": counts.max() / len(sets),
        "entropy": bits,
        "effective_values": 2**bits,
    }
