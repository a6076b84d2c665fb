"""PGL: items that are nothing but their content, learned on the principal part of the user-item graph."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import DropRate, FirstPoints, Presets, Share, TrainingData, searched
from recsys.training.content import TRAINED, ContentConfig, ItemView, Sources
from recsys.training.contrast import info_nce_loss
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import adjacency
from recsys.training.graph_network import ThinnedGraph
from recsys.training.item_graph import mixed_item_operator
from recsys.training.losses import factor_bpr_loss, unit
from recsys.training.network import Batch, PairwiseNetwork
from recsys.training.operators import SparseOperator
from recsys.training.propagation import propagate
from recsys.training.randomness import dropout, generator


class PGLConfig(ContentConfig):
    """Hyper-parameters of PGL.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        drop_rate: share of its edges left out in each epoch.
        n_neighbours: neighbours per item in the item graph, including the item itself.
        image_weight: weight of the image graph where exactly text and image are shown; otherwise sources weigh the
            same.
        contrast_weight: weight of the contrast of two copies with hidden entries of the batch's vectors.
        dropout: share of a copy's entries that are hidden.
        temperature: temperature of that contrast.
    """

    n_layers: PositiveInt = 2
    drop_rate: DropRate = searched(0.7, choices=[0.0, 0.3, 0.5, 0.7])
    n_neighbours: PositiveInt = 10
    image_weight: Share = searched(0.1, choices=[0.1, 0.5, 0.9], needs="text_and_image")
    contrast_weight: NonNegativeFloat = searched(0.0, choices=[0.0, 1e-3, 1e-2, 1e-1])
    dropout: DropRate = 0.2
    temperature: PositiveFloat = 0.2
    learning_rate_decay: PositiveFloat = 0.96

    first_points: ClassVar[FirstPoints] = ({"drop_rate": 0.0},)


class PGLNetwork(PairwiseNetwork):
    """A table of users for each source, the sources' mapped features as items, and the graphs over them.

    Attributes:
        users: tables side by side, shape (n_users, n_sources * n_factors).
    """

    def __init__(self, data: TrainingData, config: PGLConfig) -> None:
        """Draw the parameters from the seed; without content a learned table of items takes the features' place."""
        super().__init__(data.train, config)
        self.config, self.n_users = config, data.train.shape[0]
        self.adjacency = SparseOperator(adjacency(data.train), symmetric=True)
        self.thinned = ThinnedGraph(data.train, config.drop_rate, self.adjacency)
        draws = generator(data.seed)
        tables = [initial_embeddings(data.train, config.n_factors, draws) for _ in data.content or "1"]
        self.users = nn.Parameter(torch.cat([users for users, _ in tables], dim=1))
        self.sources: nn.ModuleList = Sources(data.content, config)
        self.item_graph = mixed_item_operator(data.content, config.n_neighbours, config.image_weight)
        if not data.content:
            items = tables[0][1]
            self.sources = nn.ModuleList([ItemView(nn.Parameter(items), items.any(dim=1))])

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Thin the graph anew."""
        self.thinned.draw(rng)

    def loss(self, batch: Batch) -> Tensor:
        """BPR on the thinned graph, and the contrast of the users and positives with themselves."""
        users, positives, negatives = batch
        nodes, items = self._propagated(self.thinned.operator)
        chosen = torch.cat([positives, negatives])
        u, rows = embedding(torch.cat([users, chosen + self.n_users]), nodes).tensor_split([len(users)])
        p, n = (rows if self.item_graph is None else rows + self.item_graph.at(chosen, items)).chunk(2)
        loss = factor_bpr_loss(u, p, n)
        if self.config.contrast_weight > 0:
            loss = loss + self.config.contrast_weight * (self._contrast(u) + self._contrast(p)) / 2
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Vectors over the whole graph."""
        nodes, items = self._propagated(self.adjacency)
        moved = nodes[self.n_users :]
        return nodes[: self.n_users], moved if self.item_graph is None else moved + self.item_graph @ items

    def _propagated(self, operator: SparseOperator) -> tuple[Tensor, Tensor]:
        """All nodes after propagation, and the items before it."""
        parts = [source() for source in self.sources]
        items = torch.cat([unit(part) for part in parts], dim=1) if isinstance(self.sources, Sources) else parts[0]
        return propagate(operator, torch.cat([self.users, items]), self.config.n_layers), items

    def _contrast(self, rows: Tensor) -> Tensor:
        one, other = (dropout(rows, self.config.dropout) for _ in range(2))
        return info_nce_loss(one, other, self.config.temperature)


@register
class PGL(GradientModel):
    """Score: user vector . (item vector + mean of the item's content neighbours' starting vectors).

    An item starts as [its mapped, trained features, of length one, for each source], a user as a learned vector for
    each; both are propagated by LightGCN. In training it sees the edges that degree-sensitive dropping left in this
    epoch, three of ten (the paper's local extraction), in scoring all of them. The item graph is FREEDOM's.

    Paper and published code differ: the contrast has weight 0 in all published runs, which is the default here, with
    others among the choices. Its global extraction, by singular values, is not offered: the published code multiplies
    the largest by the smallest of them, which is not in the paper. Decided here: an item that lacks a source has zeros
    in its part. Without content there is one learned table of items: LightGCN with edge dropping. On Last.fm dropping
    edges as published costs much (validation nDCG@20 .213, .247 without), so tuning tries that next.
    """

    Config = PGLConfig
    network = PGLNetwork
    source = (
        "Yu, Tan, Yu, Lu: Mind Individual Information! Principal Graph Learning for Multimedia Recommendation (PGL), "
        "AAAI 2025"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
    bytes_per_view = 32
    presets: ClassVar[Presets] = {
        "published/amazon": {
            "batch_size": 2048,
            "drop_rate": 0.7,
            "contrast_weight": 0.0,
            "learning_rate": 1e-3,
            "image_weight": 0.1,
            "feature_scaling": "raw",
        }
    }
