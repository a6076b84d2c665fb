"""Ranked lists: the top K items of each user."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recsys.errors import UserError
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

    Raises:
        UserError: the model scores with NaN.
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
        rows, columns = entries(seen[part])
        values[rows, columns] = -np.inf
        items[start : start + block], scores[start : start + block] = top_k(values, k)
    if np.isnan(scores).any():
        raise UserError(
            f"{type(model).__name__} gave scores that are not numbers: its training diverged; lower the rate"
        )
    return Ranking(np.asarray(users, dtype=np.int32), items, scores)


def top_k(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns (int32) and values of each row's k largest, equal ones in column order; column -1 where -inf."""
    import torch  # here, so that a study that only names its metrics does not load it

    found = torch.topk(torch.from_numpy(values), min(k + 1, values.shape[1]))
    columns, best = found.indices.numpy().astype(np.int32), found.values.numpy()
    if best.shape[1] > k:
        # topk leaves open which of equal values it takes; where the cut falls among equals, the first columns stay.
        cut = best[:, k - 1]
        for row in np.flatnonzero((cut == best[:, k]) & (cut > -np.inf)):
            above, equal = np.flatnonzero(values[row] > cut[row]), np.flatnonzero(values[row] == cut[row])
            columns[row, :k] = np.concatenate([above, equal[: k - len(above)]])
        columns = columns[:, :k]
        best = np.take_along_axis(values, columns, axis=1)
    order = np.lexsort((columns, -best), axis=1)
    columns, best = np.take_along_axis(columns, order, axis=1), np.take_along_axis(best, order, axis=1)
    columns[best == -np.inf] = -1
    return columns, best


def _only(values: np.ndarray, candidates: sparse.csr_array) -> np.ndarray:
    rows, columns = entries(candidates)
    kept = np.full_like(values, -np.inf)
    kept[rows, columns] = values[rows, columns]
    return kept


def entries(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices
