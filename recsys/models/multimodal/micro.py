"""MICRO: item graphs learned from each source, fused by attention, and a contrast of each view with the fused one."""

from typing import ClassVar, cast

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, TrainingData, searched
from recsys.training.content import TRAINED
from recsys.training.contrast import two_view_loss
from recsys.training.distinct import distinct_rows
from recsys.training.fusion import ViewAttention
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.item_graph import item_graphs
from recsys.training.learned_graph import LearnedGraphConfig, LearnedItemGraph
from recsys.training.losses import factor_bpr_loss, squared_l2_loss, unit
from recsys.training.network import Batch
from recsys.training.weighted_operator import WeightedOperator


class MICROConfig(LearnedGraphConfig):
    """Hyper-parameters of MICRO.

    Attributes:
        contrast_weight: weight of the contrasts between each source's view of an item and the fused one.
        temperature: temperature of these contrasts.
    """

    contrast_weight: NonNegativeFloat = searched(0.03, choices=[0.0, 0.003, 0.03, 0.3], needs="sources")
    temperature: PositiveFloat = 0.5


class MICRONetwork(GraphNetwork):
    """Embeddings, the user-item graph over them, and an item graph for each source.

    Attributes:
        known: whether an item has a source, bool, shape (n_sources, n_items, 1).
    """

    known: Tensor

    def __init__(self, data: TrainingData, config: MICROConfig) -> None:
        """Draw the parameters from the seed."""
        super().__init__(data, config, adjacency(data.train, left=1, right=0, self_loops=True))
        self.config = config
        frozen = item_graphs(data.content, config.n_neighbours, "cosine")
        self.item_graphs = nn.ModuleList(LearnedItemGraph({source: data.content[source]}, config) for source in frozen)
        if frozen:
            known = np.stack([np.diff(graph.indptr) > 0 for graph in frozen.values()])
            self.register_buffer("known", torch.from_numpy(known)[:, :, None], persistent=False)
        if len(frozen) > 1:
            self.attention = ViewAttention(config.n_factors)

    @property
    def content_used(self) -> bool:
        """Whether there is an item graph."""
        return len(self.item_graphs) > 0

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Let the first batch build the item graphs anew, with gradients; the others take them as they then stand."""
        for graph in self.item_graphs:
            cast(LearnedItemGraph, graph).renew()

    def loss(self, batch: Batch) -> Tensor:
        """BPR of the final vectors, their squared norm, and the contrasts among the negatives."""
        users, *chosen = batch
        user_table, item_table = self.parted(self.propagated(self.config.n_layers))
        items, places = distinct_rows(torch.cat(chosen))
        rows = embedding(items, item_table)
        contrast = torch.zeros(())
        if self.content_used:
            views, fused = self._views([cast(LearnedItemGraph, graph).current() for graph in self.item_graphs], items)
            rows = rows + unit(fused)
            if len(views) > 1 and self.config.contrast_weight > 0:
                contrast = self._contrast(views, fused, items, places[len(users) :].unique())
        u, (p, n) = embedding(users, user_table), embedding(places, rows).chunk(2)
        ranking = factor_bpr_loss(u, p, n)
        return ranking + self.config.l2 * squared_l2_loss(u, p, n) + self.config.contrast_weight * contrast

    def factors(self) -> tuple[Tensor, Tensor]:
        """Final vectors, on item graphs built from the current parameters."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        if not self.content_used:
            return users, items
        _, fused = self._views([graph() for graph in self.item_graphs], torch.arange(len(items), device=self.device))
        return users, items + unit(fused)

    def _views(self, built: list[tuple[WeightedOperator, Tensor]], items: Tensor) -> tuple[Tensor, Tensor]:
        """The sources' views of the items, shape (n_sources, n, n_factors), and the fused view, (n, n_factors)."""
        views = [embedding(items, operator.product(values, self.items)) for operator, values in built]
        if len(views) == 1:
            return torch.stack(views), views[0]
        rows = torch.stack(views)
        return rows, self.attention(rows, self.known[:, items])

    def _contrast(self, views: Tensor, fused: Tensor, items: Tensor, places: Tensor) -> Tensor:
        """Sum of the contrasts of each source's view with the fused one, among items at these places that have it."""
        total = fused.new_zeros(())
        for view, known in zip(views, self.known[:, items[places], 0], strict=True):
            shown = places[known]
            if len(shown):
                one, other = embedding(shown, view), embedding(shown, fused)
                total = total + two_view_loss(one, other, self.config.temperature)
        return total


@register
class MICRO(GradientModel):
    """Score: user vector . (item vector + z of length one), z = sum_m a_m z_m over the sources m.

    Users and items are LightGCN's over D^-1 (A + I). z_m is the sum over the item's neighbours of their embeddings on
    LATTICE's item graph of one source, and its weight a_m comes from attention. A contrast pulls each z_m towards z
    and away from both views of other items.

    Follows the published code. The learned graphs are built and kept sparse as LATTICE's are. Decided here: the
    contrast is among the batch's distinct negatives, which are drawn uniformly from the items, where the published one
    is among all items in each step; an item that lacks a source has no part of it in attention and contrast; a single
    source has nothing to be fused with, and no contrast. Batches are of pairs, as for all models here, where the
    published code draws users. The regulariser divides by the batch's size, also in the last batch. Without content
    the model is LightGCN over D^-1 (A + I). Defaults are the authors' but for the size of batches.
    """

    Config = MICROConfig
    network = MICRONetwork
    source = (
        "Zhang, Zhu, Liu, Zhang, Wu, Wang: Latent Structure Mining with Contrastive Modality Fusion for Multimedia "
        "Recommendation (MICRO), TKDE 2022"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
    presets: ClassVar[Presets] = {
        "published/amazon": {
            "learning_rate": 5e-4,
            "batch_size": 1024,
            "l2": 1e-5,
            "contrast_weight": 0.03,
            "feature_scaling": "raw",
        }
    }
