"""iALS: matrix factorisation by alternating least squares over all pairs, observed or not."""

from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse

from recsys.models.registry import register
from recsys.models.scoring import FactorModel
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, TrainingData, searched

BLOCK_ENTRIES = 2**18
"""Numbers gathered at a time: 1 MB, what a core's cache holds."""


class IALSConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_factors: length of the vectors.
        unobserved_weight: weight of a pair without an interaction, alpha_0 in the paper; one with an interaction has 1
            more.
        l2: regularisation at `frequency_power` 1, lambda* in the paper: it means about the same at every power.
        frequency_power: nu in the paper: 1 regularises a vector as often as it occurs, 0 all alike.
        n_iterations: each solves for the users, then for the items.
        initial_deviation: of the length of an item's vector before the first iteration.
    """

    n_factors: PositiveInt = searched(64, 8, 512, log=True)
    unobserved_weight: PositiveFloat = searched(0.1, 1e-3, 1.0, log=True)
    l2: PositiveFloat = searched(0.003, 1e-4, 0.1, log=True)
    frequency_power: NonNegativeFloat = searched(1.0, 0.0, 1.0)
    n_iterations: PositiveInt = 16
    initial_deviation: PositiveFloat = 0.1

    first_points: ClassVar[FirstPoints] = (
        {"n_factors": 32, "l2": 0.01},
        {"unobserved_weight": 0.3, "l2": 0.01},
        {"unobserved_weight": 0.03, "l2": 0.03},
        {"unobserved_weight": 0.01, "l2": 0.03},
        {"n_factors": 128, "unobserved_weight": 0.02, "l2": 0.002},
    )


@register
class IALS(FactorModel):
    """Score = x_u.y_i, fitted to 1 where u took i, and more weakly to 0 everywhere.

    Minimises the sum of (x_u.y_i - 1)^2 over observed pairs, alpha_0 times the sum of (x_u.y_i)^2 over all pairs, and
    lambda times the sum of f_u^nu |x_u|^2 and f_i^nu |y_i|^2, where f_u = |I_u| + alpha_0 |I| counts the weights of
    the pairs of u, and f_i likewise.

    Each half of an iteration is solved exactly, vector by vector. In the basis in which the Gram matrix of the other
    side is diagonal, someone with n interactions needs a system of n equations, not of n_factors.
    """

    Config = IALSConfig
    source = "Rendle, Krichene, Zhang, Koren: Revisiting the performance of iALS on item recommendation, RecSys 2022"

    @classmethod
    def memory(cls, config: IALSConfig, size: DataSize) -> float:
        """Both sides' vectors, and one side's penalties and solutions beside them."""
        vectors = config.n_factors * (8 * (size.n_users + size.n_items) + 12 * max(size.n_users, size.n_items))
        return FIXED_MEMORY + 24 * size.n_interactions + vectors

    def fit(self, data: TrainingData) -> None:
        """Alternate."""
        config, train = self.config, data.train
        items_of_users, users_of_items = train, train.T.tocsr()
        user_penalty, item_penalty = penalties(train, config)
        deviation = config.initial_deviation / np.sqrt(config.n_factors)
        draws = np.random.default_rng(data.seed).standard_normal((train.shape[1], config.n_factors), dtype=np.float32)
        self.item_factors = draws * np.float32(deviation)
        for _ in range(config.n_iterations):
            self.user_factors = solve(items_of_users, self.item_factors, config.unobserved_weight, user_penalty)
            self.item_factors = solve(users_of_items, self.user_factors, config.unobserved_weight, item_penalty)


def penalties(train: sparse.csr_array, config: IALSConfig) -> tuple[np.ndarray, np.ndarray]:
    """The factor of each user's and each item's squared norm, scaled so that their sum is the same at every power."""
    n_users, n_items = train.shape
    users = train.sum(axis=1) + config.unobserved_weight * n_items
    items = train.sum(axis=0) + config.unobserved_weight * n_users
    scaled = users**config.frequency_power, items**config.frequency_power
    scale = config.l2 * (users.sum() + items.sum()) / (scaled[0].sum() + scaled[1].sum())
    return scale * scaled[0], scale * scaled[1]


def solve(
    interactions: sparse.csr_array, others: np.ndarray, unobserved_weight: float, penalty: np.ndarray
) -> np.ndarray:
    """The vectors of one side that fit those of the other best.

    Args:
        interactions: binary, shape (n, n_others).
        others: Y, float32, shape (n_others, n_factors).
        unobserved_weight: alpha_0.
        penalty: p, shape (n,).

    Returns:
        float32, shape (n, n_factors): row u is (alpha_0 Y'Y + p_u I + H'H)^-1 H'1, where H holds the vectors of what
        u interacted with; zero without interactions.
    """
    values, basis = np.linalg.eigh(unobserved_weight * (others.T @ others).astype(np.float64))
    rotated = others @ basis.astype(np.float32)
    diagonal = (np.maximum(values, 0) + penalty[:, None]).astype(np.float32)
    n_factors, degrees = others.shape[1], np.diff(interactions.indptr)
    solution = np.zeros((len(degrees), n_factors), dtype=np.float32)
    for degree in np.unique(degrees[degrees > 0]):
        alike = np.flatnonzero(degrees == degree)
        step = max(1, BLOCK_ENTRIES // (degree * n_factors))
        for rows in (alike[start : start + step] for start in range(0, len(alike), step)):
            chosen = rotated[interactions.indices[interactions.indptr[rows][:, None] + np.arange(degree)]]
            solution[rows] = (_few if degree < n_factors else _many)(chosen, diagonal[rows])
    return solution @ basis.T.astype(np.float32)


def _few(H: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """(D + H'H)^-1 H'1 as D^-1 H' (I + H D^-1 H')^-1 1, for H of shape (n, degree, n_factors)."""
    scaled = H / diagonal[:, None, :]
    system = scaled @ H.transpose(0, 2, 1) + np.eye(H.shape[1], dtype=np.float32)
    weights = np.linalg.solve(system, np.ones((*system.shape[:2], 1), dtype=np.float32))
    return (weights.transpose(0, 2, 1) @ scaled)[:, 0]


def _many(H: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """(D + H'H)^-1 H'1 as it stands."""
    system = H.transpose(0, 2, 1) @ H
    np.einsum("nkk->nk", system)[:] += diagonal
    return np.linalg.solve(system, H.sum(axis=1)[:, :, None])[:, :, 0]
