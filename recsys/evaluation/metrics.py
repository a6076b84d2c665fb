"""Accuracy of ranked lists, user by user, so that every comparison can be paired.

A metric is one registered function of `hits`, bool of shape (n, k) (does rank r of user u hold a held-out item), and
`n_relevant`, shape (n,), each 1 or more (how many items the user has held out); it gives float64 of shape (n,).
With m = n_relevant, definitions follow the common code of multimodal recommendation: recall divides by m, not by
min(m, k); nDCG and MAP divide by their ideal over min(m, k).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.evaluation.ranking import Ranking, entries

Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]
METRICS: dict[str, Metric] = {}


def metric(function: Metric) -> Metric:
    """Decorator: make a function a metric under its name."""
    METRICS[function.__name__] = function
    return function


@metric
def recall(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Share of the held-out items that the list holds."""
    return hits.sum(axis=1) / n_relevant


@metric
def ndcg(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Gains of 1 / log2(rank + 1), over those of a list that begins with min(m, k) held-out items."""
    k = hits.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(n_relevant, k) - 1]
    return (hits * discount).sum(axis=1) / ideal


@metric
def hit_rate(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """1 where the list holds any held-out item."""
    return np.any(hits, axis=1).astype(np.float64)


@metric
def precision(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Share of the k places that hold held-out items."""
    return hits.sum(axis=1) / hits.shape[1]


@metric
def map(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Precision at each hit's rank, summed over the hits, over min(m, k)."""
    k = hits.shape[1]
    precisions = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return (precisions * hits).sum(axis=1) / np.minimum(n_relevant, k)


@metric
def mrr(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """1 / rank of the first hit, 0 without a hit."""
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def per_user(
    ranking: Ranking, truth: sparse.csr_array, ks: Sequence[int], ndcg_ideal: str = "truncated"
) -> pd.DataFrame:
    """All metrics at all cut-offs for each ranked user with held-out items.

    Args:
        ranking: lists, not shorter than the largest cut-off unless there are no more items.
        truth: held-out items, shape (n_users, n_items).
        ks: cut-offs.
        ndcg_ideal: `truncated` as defined above; `retrieved`: over the ideal order of the hits that the whole list
            holds (as in the code of LATTICE, MICRO and MMSSL), 0 without a hit: higher, and it depends on the
            length of the list.

    Returns:
        Column `user` and, float64, `recall_at_20` and so on; one row a user with held-out items.
    """
    n_relevant = np.diff(truth.indptr)[ranking.users]
    judged = n_relevant > 0
    n_relevant = n_relevant[judged]
    hits = _hits(ranking.items[judged], truth[ranking.users[judged]], max(ks))
    columns: dict[str, np.ndarray] = {"user": ranking.users[judged]}
    for name, function in METRICS.items():
        wanted = n_relevant
        if name == "ndcg" and ndcg_ideal == "retrieved":
            wanted = np.maximum(hits.sum(axis=1), 1)
        for k in ks:
            columns[f"{name}_at_{k}"] = function(hits[:, :k], wanted)
    return pd.DataFrame(columns)


def _hits(items: np.ndarray, truth: sparse.csr_array, depth: int) -> np.ndarray:
    """Where the lists hold held-out items, bool, as long as the lists and at least `depth`."""
    hits = np.zeros((len(items), max(depth, items.shape[1])), dtype=bool)
    rows, held_out = entries(truth)
    entry, place = np.nonzero(items[rows] == held_out[:, None])
    hits[rows[entry], place] = True
    return hits
