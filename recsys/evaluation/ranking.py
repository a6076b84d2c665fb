"""Ranked lists: the top K items of each user."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recsys.models.base import Recommender

BLOCK = 1024
"""Users scored at a time: 29 MB of scores for 7,000 items."""


@dataclass(frozen=True)
class Ranking:
    """Top K lists.

    Attributes:
        users: int32, shape (n,): user indices.
        items: int32, shape (n, K): item indices, best first; -1 where fewer than K items could be ranked.
        scores: float32, shape (n, K): -inf where `items` is -1.
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray


def rank(
    model: Recommender,
    users: np.ndarray,
    seen: sparse.csr_array,
    k: int,
    candidates: sparse.csr_array | None = None,
    block: int = BLOCK,
) -> Ranking:
    """The top K items of each user, equal scores in the order of item indices.

    Args:
        model: fitted.
        users: int32, shape (n,): whom to rank for.
        seen: shape (n_users, n_items): entries that cannot be recommended.
        k: length of the lists; shorter where there are fewer items.
        candidates: shape (n_users, n_items): only these entries can be recommended; None: all.
        block: users scored at a time.
    """
    n_items = seen.shape[1]
    k = min(k, n_items)
    items = np.empty((len(users), k), dtype=np.int32)
    scores = np.empty((len(users), k), dtype=np.float32)
    for start in range(0, len(users), block):
        part = users[start : start + block]
        values = model.score(part)
        if candidates is not None:
            values = _only(values, candidates[part])
        rows, columns = _entries(seen[part])
        values[rows, columns] = -np.inf
        items[start : start + block], scores[start : start + block] = top_k(values, k)
    return Ranking(np.asarray(users, dtype=np.int32), items, scores)


def top_k(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of each row's K largest, equal ones in column order; -1 where -inf."""
    items = np.argsort(-values, axis=1, kind="stable")[:, :k].astype(np.int32)
    scores = np.take_along_axis(values, items, axis=1)
    items[scores == -np.inf] = -1
    return items, scores


def _only(values: np.ndarray, candidates: sparse.csr_array) -> np.ndarray:
    rows, columns = _entries(candidates)
    kept = np.full_like(values, -np.inf)
    kept[rows, columns] = values[rows, columns]
    return kept


def _entries(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices
