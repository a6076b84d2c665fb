"""MGCN: content purified by what users do, and its preferences split into common and specific ones."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, TrainingData, searched
from recsys.training.content import ContentConfig, Sources
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.item_graph import item_graphs
from recsys.training.losses import bpr_loss, info_nce_loss, squared_l2_loss
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator


class MGCNConfig(ContentConfig):
    """Hyper-parameters of MGCN.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        n_neighbours: neighbours per item in each source's item graph, including the item itself.
        l2: weight of half the squared norm of the batch's final vectors.
        contrast_weight: weight of the contrast between content and interactions.
        temperature: of that contrast.
    """

    n_layers: PositiveInt = 2
    n_neighbours: PositiveInt = 10
    l2: NonNegativeFloat = 1e-4
    contrast_weight: NonNegativeFloat = searched(0.01, 1e-3, 1e-1, log=True, needs_content=True)
    temperature: PositiveFloat = 0.2
    learning_rate_decay: PositiveFloat = 0.96


class MGCNNetwork(GraphNetwork):
    """Embeddings with two views of every node: by interactions, and by content."""

    known: Tensor  # whether a node has a source (users have all), shape (n_sources, n_users + n_items, 1)

    def __init__(self, data: TrainingData, config: MGCNConfig) -> None:
        """Draw the parameters from the seed; a source whose features tell no items apart takes no part."""
        super().__init__(data, config)
        self.config, width, n_users = config, config.n_factors, len(self.users)
        graphs = item_graphs(data.content, config.n_neighbours, "cosine")
        self.sources = Sources({name: data.content[name] for name in graphs}, config)
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in graphs)
        self.graphs = nn.ModuleList(map(SparseOperator, graphs.values()))
        if graphs:
            self.user_block = SparseOperator(adjacency(data.train)[:n_users, n_users:])
            known = [np.pad(data.content[name].present, (n_users, 0), constant_values=True) for name in graphs]
            self.register_buffer("known", torch.from_numpy(np.stack(known))[:, :, None], persistent=False)
        if len(graphs) > 1:  # one source's view is all common
            self.preferences = nn.ModuleList(nn.Linear(width, width) for _ in graphs)
            self.query = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    @property
    def content_used(self) -> bool:
        """Whether a source has an item graph."""
        return len(self.graphs) > 0

    def loss(self, batch: Batch) -> Tensor:
        """BPR and squared norm of the final vectors, and the contrast of users' and chosen items' two views."""
        taken, content = self._two_views(self.nodes(*batch))
        u, p, n = (taken + content).chunk(3)
        loss = bpr_loss((u * p).sum(dim=1), (u * n).sum(dim=1)) + self.config.l2 * squared_l2_loss(u, p, n)
        if self.content_used:
            for one, other in zip(content.chunk(3)[:2], taken.chunk(3)[:2], strict=True):
                loss = loss + self.config.contrast_weight * info_nce_loss(one, other, self.config.temperature)
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Sums of both views."""
        taken, content = self._two_views(torch.arange(len(self.users) + len(self.items), device=self.device))
        return self.parted(taken + content)

    def _two_views(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """The nodes by interactions and by content, both of shape (n, n_factors); zero where there is no content."""
        taken = embedding(nodes, self.propagated(self.config.n_layers))
        if not self.content_used:
            return taken, torch.zeros_like(taken)
        parts = zip(self.sources, self.gates, self.graphs, strict=True)
        items = [graph(self.items * gate(source()).sigmoid()) for source, gate, graph in parts]
        views = torch.stack([embedding(nodes, torch.cat([self.user_block(view), view])) for view in items])
        if len(views) == 1:
            return taken, views[0] / 2
        known = self.known[:, nodes]
        attention = self.query(views).masked_fill(~known, torch.finfo(views.dtype).min).softmax(dim=0)
        common = (attention * views).sum(dim=0)
        wanted = torch.stack([preference(taken).sigmoid() for preference in self.preferences])
        specific = (wanted * (views - common) * known).sum(dim=0)
        return taken, (specific + common) / (known.sum(dim=0) + 1)


@register
class MGCN(GradientModel):
    """Score: the inner product of sums of two views, one by interactions (LightGCN), one by content.

    By a source, an item is the sum over its content neighbours of their embeddings, gated by their mapped, trained
    features, and a user the same over their items. What sources have in common is their mean by attention; what is
    specific to each is the rest, gated by the view by interactions. The content view is the mean of these parts.

    Paper and published code agree. Decided here: for M sources the mean is over M + 1 parts; an item that lacks a
    source has no part of it in attention and mean; with one source all is common and half of it counts, as the formula
    gives. The regulariser divides by the batch's size, also in the last batch. Without content the model is LightGCN,
    regularised after propagation. Defaults and choices are the published ones.
    """

    Config = MGCNConfig
    network = MGCNNetwork
    source = "Yu, Tan, Lu, Bao: Multi-View Graph Convolutional Network for Multimedia Recommendation, MM 2023"
    scores_cold_items = True
    without_content = "LightGCN"
    presets: ClassVar[Presets] = {
        "published/amazon": {"contrast_weight": 0.01, "learning_rate": 1e-3, "feature_scaling": "raw"}
    }
