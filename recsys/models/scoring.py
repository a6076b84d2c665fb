"""Ways to score that many models share: a product of factors, and weights between items or between users."""

import numpy as np
from scipy import sparse

from recsys.arrays import pack_sparse, unpack_sparse
from recsys.recommender import Recommender


class FactorModel(Recommender):
    """A model whose score is the inner product of a user's and an item's vector.

    `fit` sets the two attributes; biases or projected content are further columns of them.

    Attributes:
        user_factors: float32, shape (n_users, n_factors).
        item_factors: float32, shape (n_items, n_factors).
    """

    user_factors: np.ndarray
    item_factors: np.ndarray

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        if self.device_factors is not None:
            user_table, item_table = self.device_factors
            return (user_table[users] @ item_table.T).cpu().numpy()
        return self.user_factors[users] @ self.item_factors.T

    def state(self) -> dict[str, np.ndarray]:
        """Both tables of factors."""
        return {"user_factors": self.user_factors, "item_factors": self.item_factors}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.user_factors, self.item_factors = state["user_factors"], state["item_factors"]


class ItemWeightsModel(Recommender):
    """A model whose score for an item is the weights towards it summed over the user's training items.

    Attributes:
        train: training interactions, float32 CSR, shape (n_users, n_items).
        weights: float32, shape (n_items, n_items), sparse or dense, from the item in the profile (row) to the
            item scored (column).
    """

    train: sparse.csr_array
    weights: sparse.csr_array | np.ndarray

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        scores = self.train[users] @ self.weights
        return scores if isinstance(scores, np.ndarray) else scores.toarray()

    def state(self) -> dict[str, np.ndarray]:
        """The profiles and the weights."""
        profiles = pack_sparse("train", self.train)
        if isinstance(self.weights, np.ndarray):
            return profiles | {"weights": self.weights}
        return profiles | pack_sparse("weights", self.weights)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.train = unpack_sparse("train", state)
        self.weights = state["weights"] if "weights" in state else unpack_sparse("weights", state)


class UserWeightsModel(Recommender):
    """A model whose score for an item is the weights towards the users who have it, summed.

    Attributes:
        train: training interactions, float32 CSR, shape (n_users, n_items).
        neighbours: float32 CSR, shape (n_users, n_users): row a user, the weights of others.
    """

    train: sparse.csr_array
    neighbours: sparse.csr_array

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        return (self.neighbours[users] @ self.train).toarray()

    def state(self) -> dict[str, np.ndarray]:
        """The profiles and who is near whom."""
        return pack_sparse("train", self.train) | pack_sparse("neighbours", self.neighbours)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.train, self.neighbours = unpack_sparse("train", state), unpack_sparse("neighbours", state)
