"""Ranked lists: the top K items of each user."""

from dataclasses import dataclass

import numpy as np


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
