"""GF-CF: what a user took as a signal on the graph of items, smoothed by two filters; nothing is trained."""

from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt
from scipy import sparse

from recsys.models.factorisation._svd import right_singular_vectors, svd_memory
from recsys.models.registry import register
from recsys.models.scoring import FactorModel, ItemWeightsModel
from recsys.recommender import DataSize, FirstPoints, ModelConfig, TrainingData, searched


class GFCFConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_factors: lowest frequencies that the ideal filter lets pass; at most the smaller side of the matrix.
        low_pass_weight: weight of the ideal filter beside the linear one, alpha in the paper.
    """

    n_factors: PositiveInt = searched(256, 16, 512, log=True)
    low_pass_weight: NonNegativeFloat = searched(0.3, 0.01, 10.0, log=True)

    first_points: ClassVar[FirstPoints] = ({"n_factors": 128}, {"n_factors": 64, "low_pass_weight": 3.0})


@register
class GFCF(ItemWeightsModel, FactorModel):
    """Score = X (R'R + alpha D^-1/2 V V' D^1/2), R = X normalised by the degrees of users and items.

    R'R is the linear filter, kept sparse. V, the right singular vectors of R of the largest singular values, is the
    ideal low-pass filter between powers of the items' degrees D, kept as factors. Items without interactions score
    zero, where the published code divides by their degree.
    """

    Config = GFCFConfig
    source = "Shen et al.: How powerful is graph convolution for recommendation?, CIKM 2021"
    deterministic = True

    @classmethod
    def memory(cls, config: GFCFConfig, size: DataSize) -> float:
        """The item graph, and the singular vectors with what finds them."""
        graph = 16 * size.item_pairs + 40 * size.n_interactions
        return graph + svd_memory(config.n_factors, size)

    def fit(self, data: TrainingData) -> None:
        """Find both filters."""
        train = data.train
        user_degree, item_degree = train.sum(axis=1), train.sum(axis=0)
        user_scale, item_scale = (1 / np.sqrt(np.maximum(degree, 1)) for degree in (user_degree, item_degree))
        normalised = sparse.csr_array(train * user_scale[:, None] * item_scale[None, :]).astype(np.float32)
        self.train, self.weights = train, sparse.csr_array(normalised.T @ normalised)
        vectors = right_singular_vectors(normalised, self.config.n_factors)
        self.user_factors = train @ (vectors * item_scale[:, None]).astype(np.float32)
        weight = np.float32(self.config.low_pass_weight)
        self.item_factors = vectors * (weight * np.sqrt(item_degree))[:, None].astype(np.float32)

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        return ItemWeightsModel.score(self, users) + FactorModel.score(self, users)

    def state(self) -> dict[str, np.ndarray]:
        """Both filters."""
        return ItemWeightsModel.state(self) | FactorModel.state(self)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        ItemWeightsModel.restore(self, state)
        FactorModel.restore(self, state)
