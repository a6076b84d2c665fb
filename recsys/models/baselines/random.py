"""Chance: what any model must beat."""

import numpy as np

from recsys.models.registry import register
from recsys.recommender import Recommender, TrainingData


@register
class Random(Recommender):
    """Score = a uniform draw that depends on the seed and the user alone, so that repeated calls agree."""

    source = "the level of chance"

    n_items: int
    seed: int

    def fit(self, data: TrainingData) -> None:
        """Remember the seed."""
        self.n_items, self.seed = data.train.shape[1], data.seed

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        draws = [
            np.random.default_rng((self.seed, int(user))).random(self.n_items, dtype=np.float32) for user in users
        ]
        return np.stack(draws)

    def state(self) -> dict[str, np.ndarray]:
        """Seed and number of items."""
        return {"seed": np.array([self.seed], dtype=np.int64), "n_items": np.array([self.n_items], dtype=np.int64)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.seed, self.n_items = int(state["seed"][0]), int(state["n_items"][0])
