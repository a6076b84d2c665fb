"""Sampled candidates: each user's held-out items among a few that the user never touched."""

import numpy as np
from scipy import sparse

from recsys.arrays import entries, top_k
from recsys.evaluation.ranking import BLOCK


def sample_candidates(
    truth: sparse.csr_array, touched: sparse.csr_array, n_negatives: int, seed: int
) -> sparse.csr_array:
    """Held-out items and sampled negatives of each user with held-out items.

    A pure function of its arguments, so that all models are asked the same. It takes about as long as one ranking.

    Args:
        truth: held-out items, shape (n_users, n_items).
        touched: all interactions of all parts, same shape: none of them is a negative.
        n_negatives: drawn for each user, without replacement; all untouched items where there are fewer.
        seed: of the draw.
    """
    users = np.flatnonzero(np.diff(truth.indptr))
    n_items = truth.shape[1]
    rng = np.random.default_rng(seed)
    rows, columns = [], []
    for start in range(0, len(users), BLOCK):
        part = users[start : start + BLOCK]
        draw = rng.random((len(part), n_items), dtype=np.float32)
        draw[entries(touched[part])] = -np.inf
        negatives, _ = top_k(draw, min(n_negatives, n_items))
        drawn = negatives >= 0
        rows.append(np.repeat(part, drawn.sum(axis=1)))
        columns.append(negatives[drawn])
    at, items = np.concatenate(rows or [users]), np.concatenate(columns or [users])
    return truth + sparse.csr_array((np.ones(len(at), dtype=np.float32), (at, items)), shape=truth.shape)
