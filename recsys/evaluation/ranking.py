"""Ranked lists: the top K items of each user."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recsys.arrays import entries, top_k
from recsys.errors import UserError
from recsys.recommender import Recommender

BLOCK = 128
"""Users scored at a time at least."""
SCORES = 2**20
"""Scores made at a time: 4 MB, near what a core's cache holds; where items are few, users are many."""


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

    def without(self, dropped: sparse.csr_array) -> "Ranking":
        """The same lists without some items, shape (n_users, n_items) of all users; what follows moves up."""
        rows, items = entries(dropped[self.users])
        gone = self.items < 0
        entry, place = np.nonzero(self.items[rows] == items[:, None])
        gone[rows[entry], place] = True
        order = np.argsort(gone, axis=1, kind="stable")
        gone = np.take_along_axis(gone, order, axis=1)
        return Ranking(
            self.users,
            np.where(gone, np.int32(-1), np.take_along_axis(self.items, order, axis=1)),
            np.where(gone, np.float32(-np.inf), np.take_along_axis(self.scores, order, axis=1)),
        )

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
    block: int | None = None,
) -> Ranking:
    """The top K items of each user, equal scores in the order of item indices.

    Args:
        model: fitted.
        users: int32, shape (n,): whom to rank for.
        seen: shape (n_users, n_items): entries that cannot be recommended.
        k: length of the lists; shorter where there are fewer items.
        candidates: shape (n_users, n_items): only these entries can be recommended; None: all.
        block: users scored at a time; None: as many as make `SCORES` scores.

    Raises:
        UserError: a score is NaN or infinite.
    """
    n_items = seen.shape[1]
    k = min(k, n_items)
    block = block or max(BLOCK, SCORES // n_items)
    if model.device_factors is not None:
        from recsys.evaluation.device_ranking import rank_on_device  # torch, which is not loaded to rank elsewhere

        items, scores, finite = rank_on_device(model.device_factors, users, seen, k, candidates)
        if not finite:
            raise _not_finite(model)
        return Ranking(np.asarray(users, dtype=np.int32), items, scores)
    items = np.empty((len(users), k), dtype=np.int32)
    scores = np.empty((len(users), k), dtype=np.float32)
    for start in range(0, len(users), block):
        part = users[start : start + block]
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused in the next line
            values = model.score(part)
        if not _all_finite(values):
            raise _not_finite(model)
        if candidates is not None:
            values = _only(values, candidates[part])
        rows, columns = entries(seen[part])
        values[rows, columns] = -np.inf
        items[start : start + block], scores[start : start + block] = top_k(values, k)
    return Ranking(np.asarray(users, dtype=np.int32), items, scores)


def same_lists(content: Ranking, without: Ranking, k: int) -> float:
    """Share of users to whom two rankings recommend the same k items in the same order.

    Args:
        content: lists of a model with its content.
        without: lists of the same model without it.
        k: length that is compared; all of a list where it is shorter.

    Raises:
        ValueError: the two rankings share no user.
    """
    users, left, right = np.intersect1d(content.users, without.users, assume_unique=True, return_indices=True)
    if not len(users):
        raise ValueError("the two rankings share no user")
    a, b = content.items[left, :k], without.items[right, :k]
    return float((a == b).all(axis=1).mean()) if a.shape == b.shape else 0.0


def _all_finite(scores: np.ndarray) -> bool:
    # The sum of squares is the quickest pass over a block. Where finite scores make it overflow, each is looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.vdot(scores, scores)
    return bool(np.isfinite(squares)) or bool(np.isfinite(scores).all())


def _not_finite(model: Recommender) -> UserError:
    why = (
        "its training diverged; lower `learning_rate`"
        if "learning_rate" in type(model.config).model_fields
        else "what it is computed from is too large or too small; scale its content, or change its hyper-parameters"
    )
    return UserError(f"{type(model).__name__} gave scores that are NaN or infinite: {why}")


def _only(values: np.ndarray, candidates: sparse.csr_array) -> np.ndarray:
    rows, columns = entries(candidates)
    kept = np.full_like(values, -np.inf)
    kept[rows, columns] = values[rows, columns]
    return kept
