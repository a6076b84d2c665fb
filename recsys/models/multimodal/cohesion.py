"""COHESION: sources mixed with items' own vectors before propagation, and layers that keep to where they started."""

import math
from typing import cast

import torch
from pydantic import PositiveInt
from torch import Tensor
from torch.nn.functional import embedding, softplus

from recsys.models.gradient import GradientModel
from recsys.models.multimodal.dragon import DRAGONConfig
from recsys.models.registry import register
from recsys.recommender import TrainingData, searched
from recsys.training.content import FROZEN
from recsys.training.losses import unit
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator
from recsys.training.preference_encoder import (
    ItemView,
    PreferenceConfig,
    PreferenceEncoder,
    PreferenceNetwork,
    feature_view,
    learned_view,
)

_SMALLEST = 1e-8  # under the root of the mixture, as published


class COHESIONConfig(DRAGONConfig):
    """Hyper-parameters of COHESION: those of DRAGON, with the layers searched.

    Attributes:
        train_own_part: whether the encoder of items' learned vectors is trained, as in the paper; in the published
            code it stays as it was drawn, and the vectors learn through the sources' parts alone.
    """

    n_layers: PositiveInt = searched(2, 1, 4)
    train_own_part: bool = True


class RefinedEncoder(PreferenceEncoder):
    """Views mixed with the first one's learned table, and layers weighed by how near they are to the start."""

    mixed: Tensor  # items with an interaction or the source, shape (n_items, n_views, 1)

    def __init__(
        self, data: TrainingData, config: COHESIONConfig, views: list[ItemView], draws: torch.Generator
    ) -> None:
        """Take the views, that of the learned table first."""
        super().__init__(data, config, views, draws)
        self.train_own_part = config.train_own_part or len(views) == 1
        present = torch.stack([view.present for view in views], dim=1)
        self.register_buffer("mixed", present | present[:, :1], persistent=False)

    def start(self) -> Tensor:
        """As for all encoders, items being the root mean square of their own vector and the view's."""
        table = cast(ItemView, self.views[0]).table[:, None]
        seen = torch.stack([view() for view in self.views], dim=1)
        items = ((table.square() + seen.square()) / 2 + _SMALLEST).sqrt() * self.mixed
        users = self.preferences.unflatten(1, items.shape[1:])
        return unit(torch.cat([users, items]))

    def forward(self, operator: SparseOperator) -> Tensor:
        """Sum of the layers, each row times its cosine with the start."""
        start = layer = total = self.start()
        for _ in range(self.n_layers):
            layer = (operator @ layer.flatten(1)).unflatten(1, start.shape[1:])
            layer = (unit(layer) * start).sum(dim=2, keepdim=True) * layer
            total = total + layer
        return total if self.train_own_part else torch.cat([total[:, :1].detach(), total[:, 1:]], dim=1)

    def mean_square(self, users: Tensor) -> Tensor:
        """As for all encoders, of the parts that are trained."""
        if self.train_own_part:
            return super().mean_square(users)
        of_sources = embedding(users, self.preferences)[:, self.n_factors :]
        return of_sources.square().mean() * (len(self.views) - 1)


class COHESIONNetwork(PreferenceNetwork):
    """Parts for the learned table and for each source side by side, and the graphs of users and of items."""

    def __init__(self, data: TrainingData, config: COHESIONConfig) -> None:
        """Draw the parameters from the seed and lay out the graphs."""
        super().__init__(data, config)
        self.add_user_graph(data, config.n_user_neighbours)
        self.add_item_graph(data, config.n_neighbours, config.image_weight)

    def new_encoder(self, data: TrainingData, config: PreferenceConfig, draws: torch.Generator) -> PreferenceEncoder:
        """The learned table, also seen through two layers, and the sources."""
        own, sources = learned_view(data, config, draws), (feature_view(f, config) for f in data.content.values())
        return RefinedEncoder(data, cast(COHESIONConfig, config), [own, *sources], draws)

    def tables(self) -> tuple[Tensor, Tensor]:
        """One part after the other."""
        users, items = self.encoded()
        return users.flatten(1), items.flatten(1)

    def loss(self, batch: Batch) -> Tensor:
        """Ranking in bits, in which parts that rank a pair well count less, and the regulariser."""
        u, p, n = self.vectors(batch)
        margins = (u * (p - n)).unflatten(1, (len(self.encoder.views), -1)).sum(dim=2)
        shares = 1 - margins.detach().softmax(dim=1) if margins.shape[1] > 1 else torch.ones_like(margins)
        ranking = softplus(-(shares * margins).sum(dim=1)).mean() / math.log(2)
        return ranking + self.preference_l2 * self.encoder.mean_square(batch[0])


@register
class COHESION(GradientModel):
    """Score: the inner product of r_u + sum_j s_uj r_j and r_i + sum_k t_ik r_k, r being the parts side by side.

    A part for each source m, and one for the items' learned vectors v themselves as m. Propagation starts from users'
    preferences in m and the items' sqrt((v^2 + g_m^2) / 2), g_m being what two layers make of m, all of length one.
    A layer is A times the one before, each row times its cosine with its start; r_m is their sum. The graphs s of
    users and t of items are DRAGON's. In the loss, in bits, a part's margin of a pair counts by one minus its softmax
    among the parts' margins.

    In the published code the encoder of learned vectors gets no gradient and stays random, against the paper; here it
    is trained, and its preferences are regularised like the others, unless `train_own_part` says otherwise. Decided
    here: the table of users' weights, which nothing but the regulariser reads, is left out; without a source and
    without interactions an item has no start; a single part counts by one; and what DRAGON decides. Without content
    the part of learned vectors and the graph of users are left.
    """

    Config = COHESIONConfig
    network = COHESIONNetwork
    source = (
        "Xu, Chen, Wang, Hu, Kim, Ngai: COHESION: Composite Graph Convolutional Network with Dual-Stage Fusion for "
        "Multimodal Recommendation, SIGIR 2025"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    bytes_per_view = 256
