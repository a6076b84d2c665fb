"""UltraGCN: the limit of a graph convolution, taken as weights in the loss instead of layers."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding, softplus

from recsys.models.gradient import GradientModel
from recsys.models.neighbours._similarity import strongest_stored
from recsys.models.registry import register
from recsys.recommender import FirstPoints, TrainingData, searched
from recsys.training.embeddings import initial_embeddings
from recsys.training.network import Batch, PairwiseNetwork, TrainedConfig
from recsys.training.randomness import generator


class UltraGCNConfig(TrainedConfig):
    """Hyper-parameters of UltraGCN.

    Attributes:
        degree_weight: weight of the terms weighted by the degrees beside the plain ones, lambda in the paper.
        item_weight: weight of the loss on neighbouring items, gamma.
        n_neighbours: neighbours per item, among the items that share users with it.
        n_negatives: items drawn for a batch.
        negative_weight: weight of the negatives' mean beside a positive.
        l2: weight of half the squared norm of both tables, for each batch.
    """

    degree_weight: NonNegativeFloat = searched(1.0, 1e-2, 1e2, log=True)
    item_weight: NonNegativeFloat = searched(2.75, 1e-4, 5.0, log=True)
    n_neighbours: PositiveInt = 10
    n_negatives: PositiveInt = 500
    negative_weight: NonNegativeFloat = searched(500.0, 1.0, 1000.0, log=True)
    l2: NonNegativeFloat = searched(1e-4, 1e-5, 1e-2, log=True)

    first_points: ClassVar[FirstPoints] = (
        {"learning_rate": 5e-3, "degree_weight": 0.01, "negative_weight": 20.0, "item_weight": 1.0},
    )


class UltraGCNNetwork(PairwiseNetwork):
    """Two tables of embeddings; degrees and item neighbours that weigh the loss."""

    user_part: Tensor
    item_part: Tensor
    neighbours: Tensor
    closeness: Tensor

    def __init__(self, data: TrainingData, config: UltraGCNConfig) -> None:
        """Draw the tables from the seed, and weigh what the graph ties together."""
        super().__init__(data.train, config)
        self.config = config
        users, items = initial_embeddings(data.train, config.n_factors, generator(data.seed))
        self.users, self.items = nn.Parameter(users), nn.Parameter(items)
        degrees = [np.asarray(data.train.sum(axis=axis), dtype=np.float32) for axis in (1, 0)]
        self.catalogue = np.flatnonzero(degrees[1])
        self.register_buffer("user_part", torch.from_numpy(np.sqrt(degrees[0] + 1) / np.maximum(degrees[0], 1)))
        self.register_buffer("item_part", torch.from_numpy(1 / np.sqrt(degrees[1] + 1)))
        neighbours, closeness = item_neighbours(data.train, config.n_neighbours)
        self.register_buffer("neighbours", torch.from_numpy(neighbours))
        self.register_buffer("closeness", torch.from_numpy(closeness))

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        """An epoch of pairs, each batch with negatives of its own that all its users share."""
        for users, positives, _ in super().batches(rng):
            yield users, positives, torch.from_numpy(rng.choice(self.catalogue, self.config.n_negatives)).to(users)

    def loss(self, batch: Batch) -> Tensor:
        """Weighted cross-entropy of pairs and of neighbouring items, and the squared norm of the tables."""
        users, positives, negatives = batch
        u, p, n = embedding(users, self.users), embedding(positives, self.items), embedding(negatives, self.items)
        chosen = softplus(-(u * p).sum(dim=1)) * self._weights(users, positives)
        rest = (softplus(u @ n.T) * self._weights(users[:, None], negatives)).mean(dim=1)
        near = softplus(-torch.einsum("bf,bkf->bk", u, embedding(self.neighbours[positives], self.items)))
        items = (near * self.closeness[positives]).sum(dim=1)
        pairs = chosen + self.config.negative_weight * rest + self.config.item_weight * items
        norms = self.users.square().sum() + self.items.square().sum()
        return pairs.mean() + self.config.l2 * norms / (2 * len(users))

    def factors(self) -> tuple[Tensor, Tensor]:
        """Both tables."""
        return self.users, self.items

    def _weights(self, users: Tensor, items: Tensor) -> Tensor:
        """1 + degree_weight beta, with beta = sqrt((d_u + 1) / (d_i + 1)) / d_u."""
        return 1 + self.config.degree_weight * self.user_part[users] * self.item_part[items]


@register
class UltraGCN(GradientModel):
    """Score: the inner product of a user's and an item's vector.

    As in the paper; the defaults are those published for Amazon Books. The published code differs in the weights of
    items (degrees from the item graph's row sums by the formula for users and items, an item among its own
    neighbours) and counts each plain term once or never, by data set. The negatives are uniform over the training
    items, as published, but one draw serves a whole batch: the same expectation, as one matrix product. On Last.fm the
    default weight of degrees serves badly (validation nDCG@20 .077), 0.01 with smaller weights of negatives and of
    neighbours well (.236), so tuning tries these next.
    """

    Config = UltraGCNConfig
    network = UltraGCNNetwork
    source = (
        "Mao, Zhu, Xiao, Lu, Wang, He: UltraGCN: Ultra simplification of graph convolutional networks for "
        "recommendation, CIKM 2021"
    )


def item_neighbours(train: sparse.csr_array, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For each item the items nearest to it, and how near: omega_ij = G_ij / (g_i - G_ii) sqrt(g_i / g_j).

    G = X'X counts shared users, g are its row sums.

    Args:
        train: interactions, shape (n_users, n_items).
        k: neighbours an item; where there are fewer, the rest weigh nothing.

    Returns:
        Item indices, int64, and weights, float32, both of shape (n_items, k).
    """
    shared = sparse.csr_array(train.T @ train)
    own, total = shared.diagonal(), np.asarray(shared.sum(axis=1))
    shared.setdiag(0)
    shared.eliminate_zeros()
    rows = np.repeat(np.arange(len(own)), np.diff(shared.indptr))
    shared.data = shared.data / (total - own)[rows] * np.sqrt(total[rows] / total[shared.indices])
    nearest = strongest_stored(shared, k)
    lengths = np.diff(nearest.indptr)
    rows = np.repeat(np.arange(len(own)), lengths)
    places = np.arange(nearest.nnz) - np.repeat(nearest.indptr[:-1], lengths)
    neighbours, weights = np.zeros((len(own), k), dtype=np.int64), np.zeros((len(own), k), dtype=np.float32)
    neighbours[rows, places], weights[rows, places] = nearest.indices, nearest.data
    return neighbours, weights
