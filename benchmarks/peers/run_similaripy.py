# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["similaripy==0.7.0"]
# ///
"""similaripy: neighbours and walks in C++."""

from collections.abc import Callable
from typing import Any

import numpy as np
import similaripy as sim
from protocol import Recommend, serve
from scipy import sparse

ALONE: dict[str, Any] = {"verbose": False, "num_threads": 1, "format_output": "csr"}


def item_knn(train: sparse.csr_matrix, params: dict[str, Any]) -> Recommend:
    """Cosine of items, their strongest neighbours."""
    weights = sim.cosine(train.T.tocsr(), k=params["n_neighbours"], shrink=params["shrink"], **ALONE)
    return by_items(train, weights.T.tocsr())


def user_knn(train: sparse.csr_matrix, params: dict[str, Any]) -> Recommend:
    """Cosine of users; each hears from those who count them among their strongest neighbours."""
    neighbours = sim.cosine(train, k=params["n_neighbours"], shrink=params["shrink"], **ALONE).T.tocsr()
    neighbours.setdiag(0)
    return lambda k: lists(sim.dot_product(neighbours, train, k=k, filter_cols=train, **ALONE), k)


def walks(method: Callable[..., Any]) -> Callable[..., Recommend]:
    """P3alpha or RP3beta; the ends kept for an item are not made to sum to one."""

    def fit(train: sparse.csr_matrix, params: dict[str, Any]) -> Recommend:
        powers = {name: params[name] for name in ("alpha", "beta") if name in params}
        return by_items(train, method(train.T.tocsr(), k=params["n_neighbours"], **powers, **ALONE))

    return fit


def by_items(train: sparse.csr_matrix, weights: sparse.csr_matrix) -> Recommend:
    """Lists by the weights from the items of a profile (rows) to others."""
    return lambda k: lists(sim.dot_product(train, weights, k=k, filter_cols=train, **ALONE), k)


def lists(scores: sparse.csr_matrix, k: int) -> np.ndarray:
    """The stored entries of each row, highest first, -1 where there are fewer than k."""
    found = np.full((scores.shape[0], k), -1)
    rows = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    order = np.lexsort((-scores.data, rows))
    found[rows, np.arange(scores.nnz) - scores.indptr[rows]] = scores.indices[order]
    return found


MODELS = {"ItemKNN": item_knn, "UserKNN": user_knn, "P3alpha": walks(sim.p3alpha), "RP3beta": walks(sim.rp3beta)}

if __name__ == "__main__":
    serve("similaripy", MODELS.__getitem__, lambda train: train)
