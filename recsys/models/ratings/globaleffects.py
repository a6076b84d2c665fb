"""Items rated better than others, for everybody."""

import numpy as np
from pydantic import NonNegativeFloat

from recsys.models.registry import register
from recsys.recommender import ModelConfig, Recommender, TrainingData


class GlobalEffectsConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        shrinkage: ratings of the mean value that every item is given beside its own.
    """

    shrinkage: NonNegativeFloat = 25.0


@register
class GlobalEffects(Recommender):
    """Score of an item = sum of (rating - mean rating) / (number of its ratings + shrinkage).

    The overall mean and the user's own effect, which a prediction would add, are the same for all items of a user
    and do not change their order. An item without ratings has the effect 0 and stands
    above those rated below the mean.
    """

    Config = GlobalEffectsConfig
    source = "Koren: Factor in the neighbors, TKDD 2010 (the items' part of its baseline estimates)"
    deterministic = True

    effects: np.ndarray

    def fit(self, data: TrainingData) -> None:
        """Sum each item's deviations from the mean."""
        ratings = data.need_ratings(self)
        deviations = ratings.data.astype(np.float64) - ratings.data.mean(dtype=np.float64)
        n_items = ratings.shape[1]
        counts = np.bincount(ratings.indices, minlength=n_items)
        sums = np.bincount(ratings.indices, weights=deviations, minlength=n_items)
        shrunk = np.maximum(counts + self.config.shrinkage, 1)
        self.effects = (sums / shrunk).astype(np.float32)

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        return np.tile(self.effects, (len(users), 1))

    def state(self) -> dict[str, np.ndarray]:
        """The items' effects."""
        return {"effects": self.effects}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.effects = state["effects"]
