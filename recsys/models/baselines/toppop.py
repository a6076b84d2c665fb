"""The most popular items for everybody."""

import numpy as np

from recsys.models.registry import register
from recsys.recommender import Recommender, TrainingData


@register
class TopPop(Recommender):
    """Score = number of training interactions of the item."""

    source = "Cremonesi, Koren, Turrin: Performance of recommender algorithms on top-N tasks, RecSys 2010"
    deterministic = True

    popularity: np.ndarray

    def fit(self, data: TrainingData) -> None:
        """Count."""
        self.popularity = np.asarray(data.train.sum(axis=0), dtype=np.float32)

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        return np.tile(self.popularity, (len(users), 1))

    def state(self) -> dict[str, np.ndarray]:
        """The counts."""
        return {"popularity": self.popularity}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.popularity = state["popularity"]
