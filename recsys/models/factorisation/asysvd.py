"""AsySVD: matrix factorisation in which a user's vector is made of the items of their profile."""

import torch
from pydantic import NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.factorisation._squared_error import SquaredErrorConfig, SquaredErrorNetwork
from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import TrainingData, searched
from recsys.training.embeddings import initial_embeddings
from recsys.training.operators import SparseOperator
from recsys.training.randomness import generator


class AsySVDConfig(SquaredErrorConfig):
    """Those of FunkSVD; `user_l2` weighs the squares of the vectors of a user's whole profile."""

    user_l2: NonNegativeFloat = searched(1e-3, 1e-5, 1e-2, log=True)


class AsySVDNetwork(SquaredErrorNetwork):
    """Two vectors an item: one as part of a profile, one as what is predicted."""

    lengths: Tensor

    def __init__(self, data: TrainingData, config: AsySVDConfig) -> None:
        """Draw both tables from the seed."""
        draws = generator(data.seed)
        _, items = initial_embeddings(data.train, config.n_factors, draws)
        _, profile = initial_embeddings(data.train, config.n_factors, draws)
        super().__init__(data, config, items)
        self.profile = nn.Parameter(profile)
        self.profiles = SparseOperator(data.train)
        self.register_buffer("lengths", torch.from_numpy(data.train.sum(axis=1)).clamp(min=1)[:, None])

    def user_vectors(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """Sums over the profiles divided by the roots of their lengths, and the sums of squared norms."""
        squares = self.profiles @ self.profile.square().sum(dim=1, keepdim=True)
        vectors = self.profiles @ self.profile / self.lengths.sqrt()
        return embedding(users, vectors), embedding(users, squares).squeeze(1)


@register
class AsySVD(GradientModel):
    """Score: mean + b_u + b_i + q_i . (sum of y_j over the n items of the user's profile) / sqrt(n).

    As in published comparisons on interactions, where the original's deviations of ratings are all alike. An item
    stays in the profile by which it is predicted, as published. What FunkSVD does otherwise than they do is so here
    too, and a step takes a batch of examples, not one.
    """

    Config = AsySVDConfig
    network = AsySVDNetwork
    source = "Koren: Factorization meets the neighborhood, KDD 2008"
