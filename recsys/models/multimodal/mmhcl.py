"""MMHCL: LightGCN, a hypergraph of users with common items, and one of items with common content neighbours."""

from typing import ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import LearningRate, Presets, TrainingData, searched
from recsys.training.content import IN_GRAPHS
from recsys.training.contrast import two_view_loss
from recsys.training.cooccurrence import HyperOperator
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph_network import GraphNetwork
from recsys.training.item_graph import item_graphs
from recsys.training.losses import factor_bpr_loss, squared_l2_loss, unit
from recsys.training.network import Batch, TrainedConfig
from recsys.training.propagation import propagate
from recsys.training.randomness import generator


class MMHCLConfig(TrainedConfig):
    """Hyper-parameters of MMHCL.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        n_user_layers: propagation steps on the users' hypergraph.
        n_item_layers: propagation steps on the items' hypergraph.
        n_neighbours: items in a hyperedge, those nearest to one item by one source, including the item itself.
        l2: weight of half the squared norm of the batch's final vectors.
        user_contrast_weight: weight of the contrast of users' final vectors with those of the hypergraph.
        item_contrast_weight: the same for items.
        temperature: temperature of both contrasts.
    """

    n_layers: PositiveInt = 2
    n_user_layers: PositiveInt = searched(2, 1, 3)
    n_item_layers: PositiveInt = searched(2, 1, 3, needs="content")
    n_neighbours: PositiveInt = searched(10, choices=[5, 10], needs="content")
    l2: NonNegativeFloat = searched(1e-3, 1e-5, 1e-1, log=True)
    user_contrast_weight: NonNegativeFloat = searched(0.03, choices=[0.0, 0.03, 0.1, 0.3])
    item_contrast_weight: NonNegativeFloat = searched(0.07, choices=[0.0, 0.07, 0.3, 0.7], needs="content")
    temperature: PositiveFloat = searched(0.5, choices=[0.4, 0.5, 0.6])
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-2, log=True)
    learning_rate_decay: PositiveFloat = 0.96


class MMHCLNetwork(GraphNetwork):
    """Two tables each of users and, with content, of items: for the user-item graph and for the hypergraphs."""

    def __init__(self, data: TrainingData, config: MMHCLConfig) -> None:
        """Draw the parameters from the seed; without content that tells items apart there are no item hyperedges."""
        draws = generator(data.seed)
        super().__init__(data, config, draws=draws)
        self.config = config
        users, items = initial_embeddings(data.train, config.n_factors, draws)
        self.hyper_users = nn.Parameter(users)
        self.user_hypergraph = HyperOperator(data.train, 1, 0, own=False)
        graphs = item_graphs(data.content, config.n_neighbours, "binary")
        self.item_hypergraph: HyperOperator | None = None
        if graphs:
            self.hyper_items = nn.Parameter(items)
            edges = sparse.csr_array(sparse.hstack([graph.sign() for graph in graphs.values()]))
            self.item_hypergraph = HyperOperator(edges, 0.5, 0.5, own=True)

    @property
    def content_used(self) -> bool:
        """Whether there are item hyperedges."""
        return self.item_hypergraph is not None

    def loss(self, batch: Batch) -> Tensor:
        """BPR and squared norm of the final vectors, and the contrasts of users' and positives' vectors."""
        collaborative, hyper = self._views()
        nodes = self.nodes(*batch)
        u, p, n = (embedding(nodes, collaborative) + unit(embedding(nodes, hyper))).chunk(3)
        loss = factor_bpr_loss(u, p, n) + self.config.l2 * squared_l2_loss(u, p, n)
        distinct = batch[0].unique(), batch[1].unique() + len(self.users)
        weights = self.config.user_contrast_weight, self.config.item_contrast_weight * self.content_used
        for weight, rows in zip(weights, distinct, strict=True):
            if weight > 0:
                view = embedding(rows, hyper)
                final = embedding(rows, collaborative) + unit(view)
                loss = loss + weight * two_view_loss(final, view, self.config.temperature)
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Sums of both views."""
        collaborative, hyper = self._views()
        return self.parted(collaborative + unit(hyper))

    def _views(self) -> tuple[Tensor, Tensor]:
        """All nodes on the user-item graph and on the hypergraphs, each of shape (n_users + n_items, n_factors)."""
        users = propagate(self.user_hypergraph, self.hyper_users, self.config.n_user_layers, "last")
        items = torch.zeros_like(self.items)
        if self.item_hypergraph is not None:
            items = propagate(self.item_hypergraph, self.hyper_items, self.config.n_item_layers, "last")
        return self.propagated(self.config.n_layers), torch.cat([users, items])


@register
class MMHCL(GradientModel):
    """Score: the inner product of c + unit(z) of users and of items.

    c is LightGCN; z are further tables after all layers over graphs of their own, of which only the last layer counts.
    Users are tied by the number of items that both took, in shares of each user's sum, items by the number of content
    neighbours that both have, summed over sources and divided by the root of both sums. Contrast, for users and for
    items: InfoNCE of c + unit(z) with its own z, against the other nodes' vectors of both.

    Follows the published code. Decided here: a contrast of weight 0 leaves its hypergraph in the score, where the
    published code takes it out; neither graph is built, products with the interactions and with the neighbourhoods
    give the same (on Amazon Baby that of users has 6.9 million entries); the contrast is among the batch's distinct
    users and positives, where the published one is among all users and all items in each step, some hundred times the
    cost: here active users and popular items take part more often; batches are of pairs instead of distinct users; the
    regulariser divides by the batch's size. An item without a source is in no neighbourhood of it. Without content
    items are LightGCN's, and users keep their graph. The published figures are no target: their nDCG is too high by
    their code's definition, and validation and test parts are exchanged.
    """

    Config = MMHCLConfig
    network = MMHCLNetwork
    source = (
        "Guo, Zhang, Wang, Wang, Zhang, Liu, Cui: MMHCL: Multi-Modal Hypergraph Contrastive Learning for "
        "Recommendation, TOMM 2025"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = IN_GRAPHS
    presets: ClassVar[Presets] = {
        "published/tiktok": {
            "learning_rate": 1e-4,
            "batch_size": 1024,
            "n_neighbours": 5,
            "n_user_layers": 3,
            "l2": 1e-3,
            "user_contrast_weight": 0.03,
            "item_contrast_weight": 0.07,
            "temperature": 0.6,
        },
        "published/clothing": {
            "learning_rate": 1e-4,
            "batch_size": 1024,
            "n_neighbours": 10,
            "l2": 1e-3,
            "user_contrast_weight": 0.1,
            "item_contrast_weight": 0.7,
            "temperature": 0.4,
        },
        "published/sports": {
            "learning_rate": 1e-4,
            "batch_size": 1024,
            "n_neighbours": 5,
            "l2": 1e-5,
            "user_contrast_weight": 0.3,
            "item_contrast_weight": 0.7,
            "temperature": 0.5,
        },
    }
