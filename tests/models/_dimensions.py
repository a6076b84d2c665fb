"""The graph and the ranking of MGCL's family with dense matrices."""

import numpy as np

from recsys.testing.contract import MARKET
from recsys.testing.market import N_ITEMS, N_USERS

BATCH = [0, 1, 8], [4, 5, 16], [6, 7, 9]


def graph(power: float) -> np.ndarray:
    """D^-1/2 (A + I) D^-power over users and items."""
    A = np.eye(N_USERS + N_ITEMS)
    A[:N_USERS, N_USERS:] = MARKET.train.toarray()
    A[N_USERS:, :N_USERS] = MARKET.train.toarray().T
    degrees = A.sum(axis=1)
    return degrees[:, None] ** -0.5 * A * degrees**-power


def ranking(users: np.ndarray, items: np.ndarray) -> float:
    """BPR of the batch in one dimension."""
    u, p, n = BATCH
    return float(np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean())


def squares(users: np.ndarray, items: np.ndarray) -> float:
    """Half the squared norm of the batch's vectors, by its size."""
    u, p, n = BATCH
    return float(sum(np.square(rows).sum() for rows in (users[u], items[p], items[n])) / 2 / len(u))
