"""Items of users who are alike."""

import numpy as np
from scipy import sparse

from recsys.models.base import Recommender, TrainingData, pack_sparse, unpack_sparse
from recsys.models.neighbours._similarity import NeighbourConfig, nearest, weighted
from recsys.models.registry import register


@register
class UserKNN(Recommender):
    """Score of an item = similarities of the user's nearest users who have it, summed."""

    Config = NeighbourConfig
    source = "Herlocker, Konstan, Borchers, Riedl: An algorithmic framework for collaborative filtering, SIGIR 1999"
    deterministic = True

    train: sparse.csr_array
    neighbours: sparse.csr_array

    def fit(self, data: TrainingData) -> None:
        """Find each user's neighbours."""
        self.train = data.train
        self.neighbours = nearest(weighted(data.train, self.config.weighting), self.config)

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        return (self.neighbours[users] @ self.train).toarray()

    def state(self) -> dict[str, np.ndarray]:
        """The profiles and who is near whom."""
        return pack_sparse("train", self.train) | pack_sparse("neighbours", self.neighbours)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.train, self.neighbours = unpack_sparse("train", state), unpack_sparse("neighbours", state)
