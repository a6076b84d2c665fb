"""Preferences by source and items' mapped features, propagated side by side: what DualGNN's family has in common.

DualGNN, DRAGON, MENTOR and COHESION encode each source by itself: a table of what users prefer in it, and behind it
what a small network makes of the items' features. A user's neighbours are those who took the same items.
"""

import math
from abc import abstractmethod
from collections.abc import Iterable
from typing import cast

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.content.features import Features
from recsys.recommender import LearningRate, TrainingData, searched
from recsys.training.content import ContentConfig, ItemView, scaled_features
from recsys.training.cooccurrence import cooccurrence
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import adjacency
from recsys.training.item_graph import mixed_item_operator
from recsys.training.losses import factor_bpr_loss, unit
from recsys.training.network import Batch, PairwiseNetwork
from recsys.training.operators import SparseOperator
from recsys.training.propagation import propagate
from recsys.training.randomness import generator


class PreferenceConfig(ContentConfig):
    """Hyper-parameters that the family shares.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        n_hidden: size of the hidden layer between features and vectors.
        preference_l2: weight of the mean square of the batch users' preferences, and of users' weights of sources.
    """

    n_layers: PositiveInt = 2
    n_hidden: PositiveInt = 256
    preference_l2: NonNegativeFloat = searched(1e-3, 1e-5, 1e-1, log=True)
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-2, log=True)


def two_layers(n_inputs: int, config: PreferenceConfig) -> nn.Module:
    """The small network between an item's features and its vector."""
    hidden = nn.Linear(n_inputs, config.n_hidden)
    return nn.Sequential(hidden, nn.LeakyReLU(), nn.Linear(config.n_hidden, config.n_factors))


def feature_view(features: Features, config: PreferenceConfig) -> ItemView:
    """A source's features as given, through two layers."""
    table = scaled_features(features, config.feature_scaling)
    return ItemView(table, torch.from_numpy(features.present), two_layers(features.dim, config))


def learned_view(data: TrainingData, config: PreferenceConfig, draws: torch.Generator) -> ItemView:
    """A learned table of items through two layers."""
    return ItemView(*item_table(data, config, draws), two_layers(config.n_factors, config))


def item_table(data: TrainingData, config: PreferenceConfig, draws: torch.Generator) -> tuple[nn.Parameter, Tensor]:
    """Learned vectors of the items, and which have an interaction to learn from."""
    table = initial_embeddings(data.train, config.n_factors, draws, nn.init.xavier_normal_)[1]
    return nn.Parameter(table), table.any(dim=1)


class PreferenceEncoder(nn.Module):
    """One or several views of the items, each with a table of users' preferences, and their propagation.

    Attributes:
        preferences: the views' tables side by side, shape (n_users, n_views * n_factors).
    """

    def __init__(
        self, data: TrainingData, config: PreferenceConfig, views: Iterable[ItemView], draws: torch.Generator
    ) -> None:
        """Draw the preferences, those of users without an interaction zero."""
        super().__init__()
        self.views, self.n_factors, self.n_layers = nn.ModuleList(views), config.n_factors, config.n_layers
        tables = [initial_embeddings(data.train, config.n_factors, draws, nn.init.xavier_normal_) for _ in self.views]
        self.preferences = nn.Parameter(torch.cat([users for users, _ in tables], dim=1))

    def start(self) -> Tensor:
        """Preferences above items, each of length one or zero, shape (n_users + n_items, n_views, n_factors)."""
        items = torch.cat([view() for view in self.views], dim=1)
        return unit(torch.cat([self.preferences, items]).unflatten(1, (len(self.views), self.n_factors)))

    def forward(self, operator: SparseOperator) -> Tensor:
        """Sum of the layers over the user-item graph, shape (n_users + n_items, n_views, n_factors)."""
        layers = propagate(operator, self.start().flatten(1), self.n_layers, "sum")
        return layers.unflatten(1, (len(self.views), self.n_factors))

    def mean_square(self, users: Tensor) -> Tensor:
        """Mean square of the users' preferences, summed over views."""
        return embedding(users, self.preferences).square().mean() * len(self.views)


class PreferenceNetwork(PairwiseNetwork):
    """An encoder of all sources, or of a learned table of items where there are none, read out by the model.

    Attributes:
        user_graph: graph of users who took the same items; None: users have no neighbours.
        item_graph: graph of items with similar content; None: items have no neighbours.
    """

    def __init__(self, data: TrainingData, config: PreferenceConfig) -> None:
        """Draw the parameters from the seed and lay out the user-item graph."""
        super().__init__(data.train, config)
        self.preference_l2, self.n_users = config.preference_l2, data.train.shape[0]
        self.adjacency = SparseOperator(adjacency(data.train), symmetric=True)
        self.encoder = self.new_encoder(data, config, generator(data.seed))
        self.user_graph: SparseOperator | None = None
        self.item_graph: SparseOperator | None = None

    def new_encoder(self, data: TrainingData, config: PreferenceConfig, draws: torch.Generator) -> PreferenceEncoder:
        """The encoder that scores."""
        views = [feature_view(features, config) for features in data.content.values()]
        return PreferenceEncoder(data, config, views or [ItemView(*item_table(data, config, draws))], draws)

    def add_user_graph(self, data: TrainingData, n_neighbours: int) -> None:
        """Let users be moved by those who took the same items."""
        self.user_graph = SparseOperator(cooccurrence(data.train, "users", n_neighbours))

    def add_item_graph(self, data: TrainingData, n_neighbours: int, image_weight: float) -> None:
        """Let items be moved by those with similar content, where there is content that tells items apart."""
        self.item_graph = mixed_item_operator(data.content, n_neighbours, image_weight)

    @abstractmethod
    def tables(self) -> tuple[Tensor, Tensor]:
        """Users and items before the graphs among their like, shapes (n_users, width) and (n_items, width)."""

    def encoded(self) -> tuple[Tensor, Tensor]:
        """What the encoder makes of users and of items, each of shape (n, n_views, n_factors)."""
        nodes = self.encoder(self.adjacency)
        return nodes[: self.n_users], nodes[self.n_users :]

    def vectors(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Final vectors of a batch's users, positives and negatives."""
        users, positives, negatives = batch
        user_table, item_table = self.tables()
        u = with_neighbours(self.user_graph, user_table, users)
        p, n = with_neighbours(self.item_graph, item_table, torch.cat([positives, negatives])).chunk(2)
        return u, p, n

    def factors(self) -> tuple[Tensor, Tensor]:
        """Final vectors of all."""
        users, items = self.tables()
        return with_neighbours(self.user_graph, users), with_neighbours(self.item_graph, items)


class WeightedSources(PreferenceNetwork):
    """A network whose users weigh the sources, each user for themselves; a single source has nothing to be weighed."""

    weights: nn.Parameter | None

    def __init__(self, data: TrainingData, config: PreferenceConfig) -> None:
        """Start with nearly equal weights, of sum one; they are free from then on."""
        super().__init__(data, config)
        n_sources = len(data.content)
        logits = nn.init.xavier_normal_(torch.empty(self.n_users, n_sources)) if n_sources > 1 else None
        self.weights = None if logits is None else nn.Parameter(logits.softmax(dim=1))

    def tables(self) -> tuple[Tensor, Tensor]:
        """One source after the other, those of users weighed."""
        users, items = self.encoded()
        return self.weighed(users).flatten(1), items.flatten(1)

    def weighed(self, users: Tensor) -> Tensor:
        """Users' encodings times their weights, shape (n_users, n_sources, n_factors)."""
        return users if self.weights is None else users * self.weights[:, :, None]

    def loss(self, batch: Batch) -> Tensor:
        """Ranking in bits, as published, and the regulariser."""
        return self.ranking_loss(batch[0], *self.vectors(batch))

    def ranking_loss(self, users: Tensor, u: Tensor, p: Tensor, n: Tensor) -> Tensor:
        """That of the batch's final vectors."""
        ranking = factor_bpr_loss(u, p, n) / math.log(2)
        return ranking + self.preference_l2 * self.penalty(users)

    def penalty(self, users: Tensor) -> Tensor:
        """Mean square of the batch users' preferences, summed over sources, and that of all weights."""
        square = self.encoder.mean_square(users)
        return square if self.weights is None else square + cast(Tensor, self.weights).square().mean()


def with_neighbours(graph: SparseOperator | None, table: Tensor, rows: Tensor | None = None) -> Tensor:
    """Rows of a table, or all, each with the sum over its neighbours on the graph added."""
    if rows is None:
        return table if graph is None else table + graph @ table
    own = embedding(rows, table)
    return own if graph is None else own + graph.at(rows, table)
