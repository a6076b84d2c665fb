"""Accuracy of ranked lists, user by user.

With m the user's held-out items, definitions follow the common code of multimodal recommendation: recall divides by m,
not by min(m, k); nDCG and MAP divide by their ideal over min(m, k).
"""

import numpy as np

from recsys.evaluation.metrics.registry import Lists, user_metric


@user_metric(higher_is_better=True, ignores_order=True)
def recall(lists: Lists) -> np.ndarray:
    """Share of the held-out items that the list holds."""
    return lists.hits.sum(axis=1) / lists.n_relevant


@user_metric(higher_is_better=True)
def ndcg(lists: Lists) -> np.ndarray:
    """Gains of 1 / log2(rank + 1), over those of a list that begins with min(n_ideal, k) held-out items."""
    k = lists.hits.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(lists.n_ideal, k) - 1]
    return (lists.hits * discount).sum(axis=1) / ideal


@user_metric(higher_is_better=True, ignores_order=True)
def hit_rate(lists: Lists) -> np.ndarray:
    """1 where the list holds any held-out item."""
    return np.any(lists.hits, axis=1).astype(np.float64)


@user_metric(higher_is_better=True, ignores_order=True)
def precision(lists: Lists) -> np.ndarray:
    """Share of the k ranks that hold held-out items."""
    return lists.hits.sum(axis=1) / lists.hits.shape[1]


@user_metric(higher_is_better=True)
def map(lists: Lists) -> np.ndarray:
    """Precision at each hit's rank, summed over the hits, over min(m, k)."""
    k = lists.hits.shape[1]
    precisions = np.cumsum(lists.hits, axis=1) / np.arange(1, k + 1)
    return (precisions * lists.hits).sum(axis=1) / np.minimum(lists.n_relevant, k)


@user_metric(higher_is_better=True)
def mrr(lists: Lists) -> np.ndarray:
    """1 / rank of the first hit, 0 without a hit."""
    return np.where(lists.hits.any(axis=1), 1 / (lists.hits.argmax(axis=1) + 1), 0.0)
