"""DualGNN: what users prefer in each source, weighed user by user, and shared among users who took the same items."""

import torch
from pydantic import PositiveInt
from torch import Tensor

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import TrainingData
from recsys.training.content import FROZEN
from recsys.training.preference_encoder import PreferenceConfig, WeightedSources


class DualGNNConfig(PreferenceConfig):
    """Hyper-parameters of DualGNN.

    Attributes:
        n_user_neighbours: neighbours per user in the graph of users, those with the most items in common.
        image_weight_on_sum: whether a user's weight of images acts on the sum of all sources, as in the code of the
            published tables, instead of on images alone; without images, the weight of the first source.
    """

    n_user_neighbours: PositiveInt = 40
    image_weight_on_sum: bool = False


class DualGNNNetwork(WeightedSources):
    """The encodings of all sources in one vector, and the graph of users."""

    def __init__(self, data: TrainingData, config: DualGNNConfig) -> None:
        """Draw the parameters from the seed and lay out both graphs."""
        super().__init__(data, config)
        sources = list(data.content)
        first = sources.index("image") if "image" in sources else 0
        self.on_sum = first if config.image_weight_on_sum else None
        self.add_user_graph(data, config.n_user_neighbours)

    def tables(self) -> tuple[Tensor, Tensor]:
        """Sums over sources, those of users weighed."""
        users, items = self.encoded()
        if self.on_sum is not None:
            parts = list(users.unbind(dim=1))
            parts[self.on_sum] = users.sum(dim=1)
            users = torch.stack(parts, dim=1)
        return self.weighed(users).sum(dim=1), items.sum(dim=1)


@register
class DualGNN(GradientModel):
    """Score: (r_u + sum_j s_uj r_j) . sum_m z_im with r_u = sum_m w_um z_um.

    z_m is the sum of layers 0 to `n_layers` of a source's propagation on the user-item graph, from users' preferences
    and items' features through two layers, both of length one. j are the users with the most shared items, s the
    softmax of these counts. The loss is BPR with the logarithm of base 2, as published.

    Paper and published tables differ: by a slip in the code of the tables (MMRec) the weight of images acts on the sum
    of all; here it acts on its own, as in the paper, unless `image_weight_on_sum` says otherwise. Decided here: a user
    with fewer neighbours than asked for has those there are; items' weights of sources, which act on nothing but their
    own norm, are left out; a single source is not weighed; an item that lacks a source has a zero vector in it before
    propagation. Vectors are computed as the parameters stand, also in evaluation. Without content there is one learned
    table of items in the place of features, and the graph of users.
    """

    Config = DualGNNConfig
    network = DualGNNNetwork
    source = (
        "Wang, Wei, Yin, Wu, Song, Nie: DualGNN: Dual Graph Neural Network for Multimedia Recommendation, TMM 2021"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
