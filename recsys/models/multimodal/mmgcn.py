"""MMGCN: one graph network per source, whose layers combine messages of neighbours with the node's own vector."""

from typing import Any, ClassVar, cast

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding, leaky_relu, linear

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import DataSize, LearningRate, Presets, TrainingData, searched
from recsys.training.content import FROZEN, ContentConfig, ItemView, scaled_features
from recsys.training.distinct import distinct_rows
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import factor_bpr_loss, unit
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator
from recsys.training.randomness import generator

AS_PUBLISHED = {"train_embeddings": False, "feature_scaling": "raw"}


class MMGCNConfig(ContentConfig):
    """Hyper-parameters of MMGCN.

    Attributes:
        n_layers: layers of each source's network.
        n_hidden: columns of a source's mapped features and of users' preferences in it.
        train_embeddings: whether embeddings and preferences are trained beside content, as in the paper; in the
            published code they stay as they were drawn.
        l2: weight of the mean squares of the batch's embeddings and of its users' preferences.
    """

    n_layers: PositiveInt = 3
    n_hidden: PositiveInt = 256
    train_embeddings: bool = True
    l2: NonNegativeFloat = searched(
        1e-3, choices=[0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1], unless={"train_embeddings": [False]}
    )
    learning_rate: LearningRate = searched(3e-3, 1e-4, 1e-2, log=True)


class Branch(nn.Module):
    """The network of one source.

    Attributes:
        known: nodes with an interaction or this source, bool, shape (n_users + n_items, 1); all else stays zero.
    """

    known: Tensor

    def __init__(self, items: ItemView, preferences: Tensor, known: Tensor, config: MMGCNConfig) -> None:
        """Draw the layers; the first is as wide as the preferences, shape (n_users, width)."""
        super().__init__()
        self.items, self.preferences = items, nn.Parameter(preferences)
        self.register_buffer("known", known[:, None], persistent=False)
        n_factors = config.n_factors
        widths = [preferences.shape[1]] + [n_factors] * (config.n_layers - 1)
        self.messages = nn.ModuleList(nn.Linear(width, width, bias=False) for width in widths)
        self.own = nn.ModuleList(nn.Linear(width, n_factors) for width in widths)
        self.joints = nn.ModuleList(nn.Linear(width + n_factors, n_factors) for width in widths)
        for layer in (*self.messages, *self.own, self.joints[0]):
            nn.init.xavier_normal_(layer.weight)

    def forward(self, means: SparseOperator, embeddings: Tensor, nodes: Tensor) -> Tensor:
        """Nodes after all layers, shape (len(nodes), n_factors).

        Args:
            means: of each node's neighbours.
            embeddings: of all nodes, added in each layer, shape (n_users + n_items, n_factors).
            nodes: whose vectors are wanted; the last layer is computed for them alone.
        """
        x = unit(torch.cat([self.preferences, self.items()]))
        for number, (message, own, joint) in enumerate(zip(self.messages, self.own, self.joints, strict=True), 1):
            messages, known = message(x), self.known
            if number < len(self.joints):
                messages = means @ messages
            else:
                messages, x, known = means.at(nodes, messages), embedding(nodes, x), known[nodes]
                embeddings = embedding(nodes, embeddings)
            own_part = leaky_relu(own(x)) + embeddings
            # Both parts without a copy side by side.
            weight, bias = cast(nn.Linear, joint).weight, cast(nn.Linear, joint).bias
            for_messages, for_own = weight.tensor_split([messages.shape[1]], dim=1)
            x = leaky_relu(linear(leaky_relu(messages), for_messages) + linear(own_part, for_own, bias)) * known
        return x


class MMGCNNetwork(GraphNetwork):
    """Embeddings that all branches share, and a branch for each source, or for a learned table of items."""

    def __init__(self, data: TrainingData, config: MMGCNConfig) -> None:
        """Draw the parameters from the seed."""
        draws = generator(data.seed)
        super().__init__(data, config, adjacency(data.train, left=1, right=0), draws, nn.init.xavier_normal_)
        self.l2, taken = config.l2, torch.cat([self.users, self.items]).detach().any(dim=1)
        self.branches = nn.ModuleList()
        for features in data.content.values():
            present, table = torch.from_numpy(features.present), scaled_features(features, config.feature_scaling)
            view = ItemView(table, present, nn.Linear(features.dim, config.n_hidden))
            preferences, _ = initial_embeddings(data.train, config.n_hidden, draws, nn.init.xavier_normal_)
            known = torch.cat([taken[: len(self.users)], taken[len(self.users) :] | present])
            self.branches.append(Branch(view, preferences, known, config))
        if not self.content_shown:
            preferences, items = initial_embeddings(data.train, config.n_factors, draws, nn.init.xavier_normal_)
            view = ItemView(nn.Parameter(items), items.any(dim=1))
            self.branches.append(Branch(view, preferences, taken, config))
        for table in (self.users, self.items, *self._preferences()):
            table.requires_grad_(config.train_embeddings or not self.content_shown)

    def loss(self, batch: Batch) -> Tensor:
        """BPR, and the mean squares of embeddings and preferences."""
        nodes, places = distinct_rows(self.nodes(*batch))
        u, p, n = embedding(places, self._means(nodes)).chunk(3)
        square = self.mean_squares(batch, *self._preferences())
        return factor_bpr_loss(u, p, n) + self.l2 * square

    def factors(self) -> tuple[Tensor, Tensor]:
        """Means of the branches."""
        return self.parted(self._means(torch.arange(len(self.users) + len(self.items), device=self.device)))

    def _preferences(self) -> list[Tensor]:
        return [cast(Branch, branch).preferences for branch in self.branches]

    def _means(self, nodes: Tensor) -> Tensor:
        """The nodes' mean vectors over the branches that know them."""
        embeddings = torch.cat([self.users, self.items])
        total = torch.stack([branch(self.adjacency, embeddings, nodes) for branch in self.branches]).sum(dim=0)
        known = torch.stack([cast(Branch, branch).known[nodes] for branch in self.branches])
        return total / known.sum(dim=0).clamp(min=1)


@register
class MMGCN(GradientModel):
    """Score: r_u . r_i with r the mean over sources of a graph network's last layer.

    A source's network starts with users' preferences and items' mapped features, of length one, and each layer is x' =
    f(G [f(mean of the neighbours' W x), f(V x + b) + e] + c), with f a leaky ReLU and e the node's embedding, which
    all sources share.

    Paper and published code differ: the code never trains embeddings and preferences, so that its regulariser is a
    constant, and scores with the vectors of the last training batch; here, as in the paper, they are trained, unless
    `train_embeddings` says otherwise, as the presets do. As in the code neighbours are averaged and both parts stand
    side by side. Decided here: all sources are mapped to one width, where the code takes text as it is; preferences in
    all sources are regularised, not those in images alone, and of the batch's users, not of all; an item that lacks a
    source has no features in its network, and where it has no interactions either, no part of the mean. Without
    content there is one network, on a learned table of items. Sizes and choices are the published ones; the learning
    rate is three times that of Baby, which was slower on the validation part of Last.fm and no better. There, as in
    the published tables of Amazon Baby, the model ranks well below LightGCN.
    """

    Config = MMGCNConfig
    network = MMGCNNetwork
    source = (
        "Wei, Wang, Nie, He, Hong, Chua: MMGCN: Multi-modal Graph Convolution Network for Personalized Recommendation "
        "of Micro-video, MM 2019"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        "published/movielens": AS_PUBLISHED | {"learning_rate": 1e-4, "l2": 1e-4, "batch_size": 1024},
        "published/tiktok": AS_PUBLISHED | {"learning_rate": 5e-4, "l2": 0.1, "batch_size": 1024},
        "published/baby": AS_PUBLISHED | {"learning_rate": 1e-3, "l2": 1e-3, "batch_size": 4096, "patience": 20},
    }

    @classmethod
    def memory(cls, config: Any, size: DataSize) -> float:
        """With preferences, their moments, and what two networks keep of their first layers for the backward pass."""
        wide = 2 * 72 * config.n_hidden * (size.n_users + size.n_items) if size.width else 0
        return super().memory(config, size) + wide
