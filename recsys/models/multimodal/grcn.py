"""GRCN: the user-item graph with edges weighted by content, so that interactions which look like noise count less."""

from typing import ClassVar, cast

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding, leaky_relu

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import LearningRate, Presets, TrainingData, searched
from recsys.training.content import FROZEN, ContentConfig, Source, Sources
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import factor_bpr_loss, unit
from recsys.training.network import Batch
from recsys.training.propagation import propagate
from recsys.training.randomness import generator
from recsys.training.weighted_operator import WeightedOperator


class GRCNConfig(ContentConfig):
    """Hyper-parameters of GRCN.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        l2: weight of the mean squares of the batch's embeddings and of its users' preferences.
        hard: edges of negative weight are cut, where otherwise they count with their sign.
        n_routing: times that preferences move towards the items taken, each by nearness, before all else; three in the
            paper, none in the published code.
    """

    n_layers: PositiveInt = 2
    l2: NonNegativeFloat = searched(1e-3, choices=[0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
    hard: bool = searched(False, choices=[False, True], needs="content")
    n_routing: NonNegativeInt = 0
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-2, log=True)


class Affinities(nn.Module):
    """One source's edge weights: attention between users' preferences and their items, times a learned confidence.

    Attributes:
        preferences: of users, shape (n_users, n_factors).
        user_confidence: of edges that start at a user, shape (n_users,).
        item_confidence: of edges that start at an item, shape (n_items,).
    """

    def __init__(self, source: Source, preferences: Tensor, shape: tuple[int, int], n_routing: int) -> None:
        """Draw the confidences."""
        super().__init__()
        self.source, self.preferences, self.n_routing = source, nn.Parameter(preferences), n_routing
        nn.init.xavier_normal_(source.linear.weight)
        spread = (2 / (sum(shape) + 1)) ** 0.5
        self.user_confidence, self.item_confidence = (nn.Parameter(torch.randn(n) * spread) for n in shape)

    def forward(
        self, to_users: WeightedOperator, to_items: WeightedOperator
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Users and items, each with what its neighbours add, and weights of the edges to users and to items."""
        users, items = unit(self.preferences), unit(leaky_relu(self.source()))
        for _ in range(self.n_routing):
            shares_of_items = to_users.softmax(to_users.inner(users, items))
            users = unit(users + to_users.product(shares_of_items, items))
        nearness = to_users.inner(users, items)
        shares = to_users.softmax(nearness), to_items.softmax(nearness)
        moved = users + to_users.product(shares[0], items), items + to_items.product(shares[1], users)
        from_items = self.item_confidence.index_select(0, to_users.origins)
        from_users = self.user_confidence.index_select(0, to_items.origins)
        return moved, (shares[0] * from_items, shares[1] * from_users)


class GRCNNetwork(GraphNetwork):
    """Embeddings, propagated over edges weighted by all sources."""

    def __init__(self, data: TrainingData, config: GRCNConfig) -> None:
        """Draw the parameters from the seed."""
        draws = generator(data.seed)
        super().__init__(data, config, draws=draws, initialise=nn.init.xavier_normal_)
        self.config, content = config, data.content
        self.affinities = nn.ModuleList()
        for source in Sources(content, config, trained=False):
            preferences, _ = initial_embeddings(data.train, config.n_factors, draws, nn.init.xavier_normal_)
            self.affinities.append(Affinities(source, preferences, data.train.shape, config.n_routing))
        if content:
            users, items = (torch.from_numpy(part).long() for part in data.train.tocoo().coords)
            self.to_users = WeightedOperator(users, items, data.train.shape)
            self.to_items = WeightedOperator(items, users, data.train.shape[::-1])

    def loss(self, batch: Batch) -> Tensor:
        """BPR, and the mean squares of embeddings and preferences."""
        user_table, item_table = self.factors()
        u, p, n = map(embedding, batch, (user_table, item_table, item_table))
        square = self.mean_squares(batch, *(cast(Affinities, affinity).preferences for affinity in self.affinities))
        return factor_bpr_loss(u, p, n) + self.config.l2 * square

    def factors(self) -> tuple[Tensor, Tensor]:
        """Embeddings after propagation, and behind them each source's vectors."""
        if not self.content_used:
            nodes = torch.cat([unit(self.users), unit(self.items)])
            return self.parted(propagate(self.adjacency, nodes, self.config.n_layers, "sum"))
        moved, weights = zip(*(affinity(self.to_users, self.to_items) for affinity in self.affinities), strict=True)
        to_users, to_items = (torch.stack(part).amax(dim=0) for part in zip(*weights, strict=True))
        if self.config.hard:
            to_users, to_items = to_users.relu(), to_items.relu()
        users, items = first = unit(self.users), unit(self.items)
        for _ in range(self.config.n_layers):
            users, items = (
                first[0] + self.to_users.product(to_users, items),
                first[1] + self.to_items.product(to_items, users),
            )
        user_parts, item_parts = zip((users, items), *moved, strict=True)
        return torch.cat(user_parts, dim=1), torch.cat(item_parts, dim=1)


@register
class GRCN(GradientModel):
    """Score: [e_u; v_um for each source m] . [e_i; v_im for each source m].

    v are users' preferences and items' mapped features, both of length one, each with the mean of its neighbours'
    weighed by the softmax a_m of their nearness. e are embeddings of length one, propagated with the weights max_m a_m
    c_m, where c is a learned confidence in the node from which the edge comes, and summed over the layers.

    Paper and published code differ: the paper moves preferences towards the items taken before all else (routing); in
    both published codes messages go the other way and nothing moves, so that no published number has it; `n_routing`
    gives it. As in the authors' runs edges are weighed, not cut; `hard` cuts those of negative weight, as MMRec does.
    Decided here: preferences of all sources are regularised; an item that lacks a source is as near to one user as to
    the next. Without content the embeddings are propagated with LightGCN's weights. Choices are the published ones,
    with zero, which did best for others on Amazon Baby, among them.
    """

    Config = GRCNConfig
    network = GRCNNetwork
    source = (
        "Wei, Wang, Nie, He, Chua: Graph-Refined Convolutional Network for Multimedia Recommendation with Implicit "
        "Feedback (GRCN), MM 2020"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        "published/movielens": {"learning_rate": 1e-4, "l2": 1e-4, "batch_size": 1024, "feature_scaling": "raw"},
        "published/tiktok": {"learning_rate": 1e-4, "l2": 1e-3, "batch_size": 1024, "feature_scaling": "raw"},
        "published/baby": {
            "learning_rate": 1e-4,
            "l2": 0.0,
            "hard": True,
            "batch_size": 256,
            "patience": 20,
            "feature_scaling": "raw",
        },
    }
