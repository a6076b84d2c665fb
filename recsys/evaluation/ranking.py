"""Ranked lists: the top K items of each user."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recsys.errors import UserError
from recsys.recommender import Recommender

BLOCK = 128
"""Users scored at a time: 4 MB of scores for 7,000 items, near what a core's cache holds."""
N_GROUPS = 400
"""Groups of columns of which only the largest value is looked at first."""


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

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        save_file({"users": self.users, "items": self.items, "scores": self.scores}, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        return cls(**load_file(path))


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
    if model.device_factors is not None:
        from recsys.evaluation.device_ranking import rank_on_device  # torch, which is not loaded to rank elsewhere

        items, scores = rank_on_device(model.device_factors, users, seen, k, candidates)
        _refuse_nan(model, scores.max())
        return Ranking(np.asarray(users, dtype=np.int32), items, scores)
    items = np.empty((len(users), k), dtype=np.int32)
    scores = np.empty((len(users), k), dtype=np.float32)
    for start in range(0, len(users), block):
        part = users[start : start + block]
        values = model.score(part)
        _refuse_nan(model, values.max())
        if candidates is not None:
            values = _only(values, candidates[part])
        rows, columns = entries(seen[part])
        values[rows, columns] = -np.inf
        items[start : start + block], scores[start : start + block] = top_k(values, k)
    return Ranking(np.asarray(users, dtype=np.int32), items, scores)


def _refuse_nan(model: Recommender, largest: np.floating) -> None:
    if np.isnan(largest):
        raise UserError(f"{type(model).__name__} gave scores that are NaN: its training diverged; lower the rate")


def top_k(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns (int32) and values of each row's k largest, equal ones in column order; column -1 where -inf.

    A row's k-th largest value is no less than the k-th largest among the maxima of groups of its columns. So one quick
    pass finds the few values that may be among the k largest, and only these are sorted.
    """
    n_rows, n_columns = values.shape
    size = max(1, n_columns // max(N_GROUPS, 4 * k))
    n_groups = n_columns // size
    maxima = np.sort(values[:, : n_groups * size].reshape(n_rows, size, n_groups).max(axis=1), axis=1)
    cut = maxima[:, n_groups - k, None]
    kept = values >= cut
    # Where many values equal the cut, as the zeros of a sparse model do, no more than the first k of them can matter.
    crowded = np.flatnonzero(maxima[:, max(0, n_groups - 4 * k)] == cut[:, 0])
    equal = values[crowded] == cut[crowded]
    kept[crowded] &= ~equal | (np.cumsum(equal, axis=1, dtype=np.int32) <= k)
    places = np.flatnonzero(kept)
    rows = places // n_columns
    counts = np.bincount(rows, minlength=n_rows)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    best = np.full((n_rows, counts.max(initial=k)), -np.inf, dtype=np.float32)
    columns = np.full(best.shape, -1, dtype=np.int32)
    best[rows, nth], columns[rows, nth] = values.ravel()[places], places % n_columns
    order = np.argsort(-best, axis=1, kind="stable")[:, :k]
    best, columns = np.take_along_axis(best, order, axis=1), np.take_along_axis(columns, order, axis=1)
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
