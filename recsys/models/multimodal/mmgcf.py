"""MMGCF: LightGCN whose items are fused with their content after propagation."""

from typing import Literal

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import DropRate, TrainingData, searched
from recsys.training.content import FROZEN, ContentConfig, Sources
from recsys.training.graph_network import GraphNetwork, ThinnedGraph
from recsys.training.losses import factor_bpr_loss, squared_l2_loss, unit
from recsys.training.network import Batch

Fusion = Literal["mean", "sum", "concat"]
Weighting = Literal["equal", "alpha", "normalised"]


class MMGCFConfig(ContentConfig):
    """Hyper-parameters of MMGCF.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        drop_rate: share of its edges left out in each epoch.
        l2: weight of half the squared norm of the batch's embeddings before propagation.
        fusion: what is made of an item's parts: their mean, their sum, or a linear map of all side by side.
        weighting: `equal`: the sources are fused first, and the item with what comes of them; `alpha`: a learned share
            of the item, the rest of each source; `normalised`: parts of length one, the item times the sources.
    """

    n_layers: PositiveInt = searched(2, 1, 3)
    drop_rate: DropRate = searched(0.2, choices=[0.2, 0.5, 0.8])
    l2: NonNegativeFloat = searched(1e-4, 1e-4, 1e-1, log=True)
    fusion: Fusion = searched("sum", choices=["mean", "sum", "concat"], needs="content")
    weighting: Weighting = searched("equal", choices=["equal", "alpha", "normalised"], needs="content")


class MMGCFNetwork(GraphNetwork):
    """Embeddings, the user-item graph over them, and the sources' mapped features."""

    known: Tensor  # whether an item has interactions and each source, float, shape (n_items, 1 + n_sources, 1)

    def __init__(self, data: TrainingData, config: MMGCFConfig) -> None:
        """Draw the parameters from the seed; without content there is nothing to fuse."""
        super().__init__(data, config)
        self.config, self.thinned = config, ThinnedGraph(data.train, config.drop_rate, self.adjacency)
        content = data.content
        self.sources = Sources(content, config, trained=False)
        self.map: nn.Linear | None = None
        self.content_map: nn.Linear | None = None
        if not content:
            return
        present = [features.present for features in content.values()]
        known = torch.from_numpy(np.stack([np.bincount(data.train.indices, minlength=len(self.items)) > 0, *present]))
        self.register_buffer("known", known.T[:, :, None].float(), persistent=False)
        if config.weighting == "alpha":
            self.alpha = nn.Parameter(torch.zeros(()))
        if config.fusion == "concat":
            width, in_turn = config.n_factors, config.weighting == "equal"
            self.map = nn.Linear((2 if in_turn else 1 + len(present)) * width, width)
            if in_turn and len(present) > 1:
                self.content_map = nn.Linear(len(present) * width, width)

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Thin the graph anew."""
        self.thinned.draw(rng)

    def loss(self, batch: Batch) -> Tensor:
        """BPR of users and fused items, squared norm of the embeddings before propagation."""
        users, positives, negatives = batch
        chosen = torch.cat([positives, negatives])
        propagated = self.propagated(self.config.n_layers, operator=self.thinned.operator)
        u, rows = embedding(self.nodes(users, chosen), propagated).tensor_split([len(users)])
        p, n = self._fused(rows, chosen).chunk(2)
        loss = factor_bpr_loss(u, p, n)
        before = embedding(users, self.users), *embedding(chosen, self.items).chunk(2)
        return loss + self.config.l2 * squared_l2_loss(*before)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Users and fused items over the whole graph."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        return users, self._fused(items, torch.arange(len(items), device=self.device))

    def _fused(self, rows: Tensor, items: Tensor) -> Tensor:
        """Propagated rows of the items with their content, shape as given."""
        if not len(self.sources):
            return rows
        content, known = [source(items) for source in self.sources], self.known[items]
        if self.config.weighting == "alpha":
            share = self.alpha.sigmoid()
            rows, content = share * rows, [(1 - share) * part for part in content]
        elif self.config.weighting == "normalised":
            rows, content = len(content) * unit(rows), [unit(part) for part in content]
        else:
            content = [self._joined(content, known[:, 1:], self.content_map)] if len(content) > 1 else content
            known = torch.stack([known[:, 0], known[:, 1:].amax(dim=1)], dim=1)
        return self._joined([rows, *content], known, self.map)

    def _joined(self, parts: list[Tensor], known: Tensor, mapping: nn.Module | None) -> Tensor:
        """The parts in one, those that an item lacks left out."""
        if mapping is not None:
            return mapping(torch.cat(parts, dim=1)) * known.amax(dim=1)
        total = torch.stack(parts).sum(dim=0)
        return total / known.sum(dim=1).clamp(min=1) if self.config.fusion == "mean" else total


@register
class MMGCF(GradientModel):
    """Score: user vector . fuse(item vector, W_m f_m + b_m for each source m).

    Users and items are LightGCN's; in training it sees the edges that degree-sensitive dropping left in this epoch, in
    scoring all of them. Features are frozen, and only items are fused.

    Follows the published code (MMRec's), whose grid is searched; its best points are not published. Defaults did best
    among a few points on the validation part of Last.fm. As published, with `normalised` the item counts as much as
    all sources together, and users are not normalised. Decided here: what an item lacks, be it a source or, where it
    has no interactions, its own vector, has no part in means, and where it has neither it stays zero; a single source
    is not fused with itself. Without content the model is LightGCN with edge dropping.
    """

    Config = MMGCFConfig
    network = MMGCFNetwork
    source = (
        "Zhou: MMRec: a toolbox for multimodal recommendation, MM Asia Workshops 2023, whose code of MMGCF is after "
        "Multimodal Graph Collaborative Filtering, UMAP 2026"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
