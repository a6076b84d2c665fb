"""XSimGCL: LightGCN with noise in its layers, one of which must recognise what comes out of all."""

from functools import cached_property
from typing import ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.graph.lightgcn import LightGCNConfig, LightGCNNetwork
from recsys.models.registry import register
from recsys.recommender import FirstPoints, TrainingData, searched
from recsys.training.contrast import info_nce_loss
from recsys.training.losses import factor_bpr_loss, orthant_noise, squared_l2_loss
from recsys.training.network import Batch
from recsys.training.randomness import step_generator


class XSimGCLConfig(LightGCNConfig):
    """Hyper-parameters of XSimGCL and those of LightGCN.

    Attributes:
        noise: length of the noise added to each vector in each layer, epsilon in the paper.
        contrast_weight: weight of the contrastive loss, lambda.
        temperature: temperature of the contrastive loss, tau.
    """

    n_layers: PositiveInt = searched(2, 2, 4)
    noise: NonNegativeFloat = searched(0.2, 0.01, 0.5, log=True)
    contrast_weight: NonNegativeFloat = searched(0.2, 0.01, 1.0, log=True)
    temperature: PositiveFloat = searched(0.15, 0.05, 0.5, log=True)

    first_points: ClassVar[FirstPoints] = (
        {"learning_rate": 5e-3, "contrast_weight": 0.02},
        {"noise": 0.1, "contrast_weight": 0.1, "temperature": 0.2},
    )


class XSimGCLNetwork(LightGCNNetwork):
    """LightGCN's table and graph; the readout leaves out the layer before propagation."""

    config: XSimGCLConfig

    def __init__(self, data: TrainingData, config: XSimGCLConfig) -> None:
        """Draw the table from the seed."""
        super().__init__(data, config)
        self.seed = data.seed

    @cached_property
    def draws(self) -> torch.Generator:
        """Source of the noise, on the device where training takes place."""
        return step_generator(self.seed, self.device)

    def layers(self, noise: float) -> list[Tensor]:
        """Layers 1 to `n_layers`, each of shape (n_users + n_items, n_factors)."""
        layers: list[Tensor] = []
        layer: Tensor = self.embeddings
        for _ in range(self.config.n_layers):
            layer = self.adjacency @ layer
            if noise:
                layer = layer + noise * orthant_noise(layer, self.draws)
            layers.append(layer)
        return layers

    def loss(self, batch: Batch) -> Tensor:
        """BPR on noisy vectors, their contrast with the first layer, squared norm of those before propagation."""
        users, positives, negatives = batch
        nodes = torch.cat([users, positives + self.n_users, negatives + self.n_users])
        distinct = users.unique(), positives.unique() + self.n_users
        sizes = [len(nodes), *map(len, distinct)]
        rows = [embedding(torch.cat([nodes, *distinct]), layer) for layer in self.layers(self.config.noise)]
        triples, *views = torch.stack(rows).mean(dim=0).split(sizes)
        _, *first_views = rows[0].split(sizes)
        u, p, n = triples.chunk(3)
        loss = factor_bpr_loss(u, p, n)
        for view, first in zip(views, first_views, strict=True):
            loss = loss + self.config.contrast_weight * info_nce_loss(view, first, self.config.temperature)
        return loss + self.config.l2 * squared_l2_loss(*embedding(nodes, self.embeddings).chunk(3))

    def factors(self) -> tuple[Tensor, Tensor]:
        """The mean of the layers without noise, cut into users and items."""
        users, items = torch.stack(self.layers(noise=0)).mean(dim=0).tensor_split([self.n_users])
        return users, items


@register
class XSimGCL(GradientModel):
    """Score: the inner product of propagated embeddings, each the mean of its layers 1 to `n_layers`.

    In training each layer is moved by noise of a fixed length within its orthant, and a node's final
    vector is contrasted with its own in the first layer against those of the batch's other users, or items.
    The layer contrasted is a hyper-parameter of the paper; here it is the first, as published for most data sets.
    Regularised as LightGCN is; the published code takes the un-squared norm of the noisy final vectors instead.
    On Last.fm the default weight of the contrast is too large: validation nDCG@20 is best after the first epoch, at
    .130, and reaches .263 with a weight of 0.02 and a learning rate of 0.005, so tuning tries these next.
    """

    Config = XSimGCLConfig
    network = XSimGCLNetwork
    source = (
        "Yu, Xia, Chen, Cui, Hung, Yin: XSimGCL: Towards extremely simple graph contrastive learning for "
        "recommendation, TKDE 2023"
    )
