"""Random walks on the user-item graph: from an item that a user has, over others who have it, to what else they have.

Both steps have probability 1 / degree, raised to alpha. As in the code of Ferrari Dacrema, Cremonesi, Jannach (RecSys
2019), walks back to their start do not count, each item keeps its likeliest ends, these may be made to sum to one,
and of the items that lead to one end the likeliest are kept. Equal ones are taken in index order.
"""

from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt
from scipy import sparse

from recsys.arrays import entries
from recsys.models.neighbours._similarity import BLOCK_ENTRIES, strongest_stored
from recsys.recommender import FirstPoints, ModelConfig, searched


class WalkConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_neighbours: ends kept for each item, and items kept that lead to it.
        alpha: power of the transition probabilities; 0 counts the users who have both items.
        normalise: the ends kept for an item sum to one.
    """

    n_neighbours: PositiveInt = searched(100, 5, 1000, log=True)
    alpha: NonNegativeFloat = searched(1.0, 0.0, 2.0)
    normalise: bool = searched(True, choices=[True, False])

    first_points: ClassVar[FirstPoints] = (
        {"n_neighbours": 20, "alpha": 0.5},
        {"n_neighbours": 500, "alpha": 0.3, "normalise": False},
        {"n_neighbours": 500, "alpha": 0.7},
    )


def walk_weights(
    train: sparse.csr_array, config: WalkConfig, preference: np.ndarray | None = None
) -> sparse.csr_array:
    """Weights of walks from one item (row) to another (column).

    Args:
        train: binary, shape (n_users, n_items).
        config: power of the probabilities, how many ends are kept, whether they sum to one.
        preference: float32, shape (n_items,): by which the ends are multiplied; None leaves them.

    Returns:
        float32 CSR, shape (n_items, n_items); the diagonal is empty.
    """
    to_items = _steps(train, config.alpha)
    to_users = _steps(sparse.csr_array(train.T), config.alpha)
    n_items = train.shape[1]
    step = max(1, BLOCK_ENTRIES // n_items)
    parts = []
    for start in range(0, n_items, step):
        walks = to_users[start : start + step] @ to_items
        at, end = entries(walks)
        if preference is not None:
            walks.data *= preference[end]
        walks.data[end == at + start] = 0
        parts.append(strongest_stored(walks, config.n_neighbours))
    weights = sparse.csr_array(sparse.vstack(parts, format="csr"))
    if config.normalise:
        total = np.asarray(weights.sum(axis=1))
        weights.data /= np.repeat(total, np.diff(weights.indptr))
    return strongest_stored(weights.T.tocsr(), config.n_neighbours).T.tocsr()


def _steps(edges: sparse.csr_array, alpha: float) -> sparse.csr_array:
    """Each row's edges, taken with equal probability, to the power of alpha."""
    degrees = np.diff(edges.indptr)
    probabilities = np.repeat(np.maximum(degrees, 1).astype(np.float32) ** np.float32(-alpha), degrees)
    return sparse.csr_array((probabilities, edges.indices, edges.indptr), shape=edges.shape)
