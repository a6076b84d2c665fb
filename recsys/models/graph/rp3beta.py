"""RP3beta: what a random walk reaches, re-ranked against popularity."""

from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat

from recsys.models.graph._walks import WalkConfig, walk_weights
from recsys.models.neighbours._similarity import neighbour_memory
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, FirstPoints, TrainingData, searched


class RP3betaConfig(WalkConfig):
    """Hyper-parameters: those of P3alpha, and beta.

    Attributes:
        beta: power of an item's degree by which walks that end there are divided; 0 is P3alpha.
    """

    beta: NonNegativeFloat = searched(0.6, 0.0, 2.0)

    first_points: ClassVar[FirstPoints] = (
        {"n_neighbours": 50, "beta": 0.2},
        {"n_neighbours": 20, "alpha": 0.5, "beta": 0.2},
        {"n_neighbours": 500, "alpha": 0.3, "beta": 0.1, "normalise": False},
        {"n_neighbours": 500, "alpha": 0.7, "beta": 0.0},
    )


@register
class RP3beta(ItemWeightsModel):
    """W of P3alpha, its column j divided by degree_j^beta before the likeliest ends are kept; score = X W."""

    Config = RP3betaConfig
    source = "Christoffel, Paudel, Newell, Bernstein: Blockbusters and wallflowers, RecSys 2015"
    deterministic = True

    @classmethod
    def memory(cls, config: RP3betaConfig, size: DataSize) -> float:
        """See `neighbour_memory`."""
        return neighbour_memory(size.n_items, size.item_pairs, config.n_neighbours, size)

    def fit(self, data: TrainingData) -> None:
        """Weigh the walks between items."""
        degrees = np.maximum(data.train.sum(axis=0), 1).astype(np.float32)
        self.train = data.train
        self.weights = walk_weights(data.train, self.config, degrees ** np.float32(-self.config.beta))
