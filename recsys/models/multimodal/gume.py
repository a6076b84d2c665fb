"""GUME: MGCN on a graph with edges between similar items, and extended interests of users."""

from collections.abc import Collection
from functools import reduce
from operator import add
from typing import ClassVar, cast

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.multimodal.mgcn import MGCNConfig, MGCNNetwork
from recsys.models.registry import register
from recsys.recommender import LearningRate, Presets, TrainingData, searched
from recsys.training.content import TRAINED
from recsys.training.contrast import info_nce_loss
from recsys.training.distinct import distinct_rows
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graphs
from recsys.training.losses import moment_alignment_loss, orthant_noise, squared_l2_loss
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator
from recsys.training.propagation import propagate
from recsys.training.randomness import step_generator


class GUMEConfig(MGCNConfig):
    """Hyper-parameters of GUME.

    Attributes:
        n_item_layers: propagation steps on the item graphs.
        alignment_weight: weight of the differences between the distributions of the sources' views.
        user_contrast_weight: weight of the contrasts of users' content views with their extended interests, and of
            both with noisy copies of themselves.
        user_temperature: temperature of these contrasts.
        noise: length of the noise added to a vector.
        extended_l2: weight of half the squared norm of the positives, propagated with the extended interests.
    """

    n_layers: PositiveInt = 3
    l2: NonNegativeFloat = 1e-5
    temperature: PositiveFloat = searched(0.2, choices=[0.2, 0.4], needs="content")
    n_item_layers: PositiveInt = searched(1, choices=[1, 2], needs="content")
    alignment_weight: NonNegativeFloat = searched(0.01, choices=[0.0, 1e-3, 1e-2, 1e-1], needs="sources")
    user_contrast_weight: NonNegativeFloat = searched(0.01, choices=[0.0, 0.01, 0.1], needs="content")
    user_temperature: PositiveFloat = searched(
        0.1, choices=[0.1, 0.2], unless={"user_contrast_weight": [0.0]}, needs="content"
    )
    noise: NonNegativeFloat = 0.1
    extended_l2: NonNegativeFloat = 0.1
    learning_rate: LearningRate = searched(1e-2, 1e-3, 1e-2, log=True)


class GUMENetwork(MGCNNetwork):
    """MGCN's two views on a graph with edges between items, and users' extended interests on the same graph.

    Attributes:
        interests: mean of the users' extended interests in all sources, shape (n_users, n_factors).
    """

    config: GUMEConfig

    def __init__(self, data: TrainingData, config: GUMEConfig) -> None:
        """Draw the parameters from the seed."""
        graphs = item_graphs(data.content, config.n_neighbours, "cosine")
        graph = adjacency(data.train, item_edges=_agreed(graphs.values())) if graphs else None
        super().__init__(data, config, graph)
        if graphs:
            draws = step_generator(data.seed, torch.device("cpu"))
            tables = [initial_embeddings(data.train, config.n_factors, draws)[0] for _ in graphs]
            self.interests = nn.Parameter(torch.stack(tables).mean(dim=0))

    def item_views(self) -> list[Tensor]:
        """Each source's view of all items, over several steps of its graph."""
        parts = zip(self.sources, self.gates, self.graphs, strict=True)
        gated = [(cast(SparseOperator, graph), self.gated(gate, source())) for source, gate, graph in parts]
        return [propagate(graph, rows, self.config.n_item_layers, "last") for graph, rows in gated]

    def loss(self, batch: Batch) -> Tensor:
        """The loss of the two views, the alignment of the sources, and that of the extended interests."""
        nodes, places = distinct_rows(self.nodes(*batch))
        collaborative = self.collaborative_view(nodes)
        if not self.content_used:
            return self.view_loss(collaborative, torch.zeros_like(collaborative), places)
        views = self.views(torch.arange(len(self.users) + len(self.items), device=self.device))
        content = self.content_view(nodes, collaborative, [embedding(nodes, view) for view in views])
        loss = self.view_loss(collaborative, content, places)
        loss = loss + self._extended_loss(nodes, places, content, views)
        if self.config.alignment_weight > 0 and len(views) > 1:
            loss = loss + self.config.alignment_weight * self._misalignment(views)
        return loss

    def _misalignment(self, views: list[Tensor]) -> Tensor:
        """Differences between sources in mean and variance, over all entries of the nodes that have a source."""
        having = [known[:, 0].nonzero()[:, 0] for known in self.known]
        return moment_alignment_loss([embedding(rows, view) for rows, view in zip(having, views, strict=True)])

    def _extended_loss(self, nodes: Tensor, places: Tensor, content: Tensor, views: list[Tensor]) -> Tensor:
        """Contrasts of the batch's users, and the norm of the positives propagated with the extended interests.

        Args:
            nodes: distinct nodes of the batch.
            places: where its users, positives and negatives stand among them, shape (3 * batch,).
            content: view of the nodes by content, shape (len(nodes), n_factors).
            views: each source's view of all nodes.
        """
        n_known = self.known.sum(dim=0).clamp(min=1)
        mean = (torch.stack(views).sum(dim=0) / n_known)[len(self.users) :]
        extended = propagate(self.adjacency, torch.cat([self.interests, mean]), self.config.n_layers)
        of_users, of_positives, _ = places.chunk(3)
        loss = self.config.extended_l2 * squared_l2_loss(embedding(nodes[of_positives], extended))
        if self.config.user_contrast_weight > 0:
            own, counts = of_users.unique(return_counts=True)
            users, interests = embedding(own, content), embedding(nodes[own], extended)
            contrasts = [
                info_nce_loss(interests, users, self.config.user_temperature, counts),
                self._with_noise(users, counts),
                self._with_noise(interests, counts),
            ]
            loss = loss + self.config.user_contrast_weight * torch.stack(contrasts).sum()
        return loss

    def _with_noise(self, rows: Tensor, counts: Tensor) -> Tensor:
        one, other = (rows + self.config.noise * orthant_noise(rows) for _ in range(2))
        return info_nce_loss(one, other, self.config.user_temperature, counts)


def _agreed(graphs: Collection[sparse.csr_array]) -> sparse.csr_array:
    """Edges from an item to others that are among its neighbours by every source that it has."""
    n_lists = np.sum([np.diff(graph.indptr) > 0 for graph in graphs], axis=0)
    found = reduce(add, [graph.astype(bool).astype(np.int64) for graph in graphs]).tocoo()
    rows, columns = found.coords
    kept = (found.data == n_lists[rows]) & (rows != columns)
    return sparse.csr_array((np.ones(kept.sum(), np.float32), (rows[kept], columns[kept])), shape=found.shape)


@register
class GUME(GradientModel):
    """Score: the inner product of sums of two views, a collaborative one and one by content.

    The collaborative view is LightGCN's on a graph with further edges, each from an item to another that is among its
    neighbours by all sources; the view by content is MGCN's on the same graph. In training, users have a further
    table, their extended interests, which is propagated with the items' views and contrasted with users' own.

    Follows the published code. There users have a table for each source, of which only the mean after propagation is
    used: here that mean is one table, propagated once, which is the same but for Adam's epsilon. Decided here: with M
    sources what MGCN decides; the alignment is over all pairs of sources and only over nodes that have them; an item
    is joined to those in the lists of all sources that it has, with one source in its only list; an item that stands
    in such a list, and has no edge of its own, keeps the edge, where the published code gives it weight zero; noise is
    drawn for the users of the batch, where the published code draws it for all. The regularisers divide by the batch's
    size, also in the last batch. Without content the model is LightGCN, regularised after propagation. Defaults are
    those published for Amazon Sports, choices those for the Amazon sets, but for the learning rate: with the published
    1e-3 validation on Last.fm falls from the first epoch until patience ends it (nDCG@20 .10, .26 with 1e-2), so that
    presets wait for 20 evaluations, as published.
    """

    Config = GUMEConfig
    network = GUMENetwork
    source = (
        "Lin, Meng, Wang, Long, Zhou, Xiao: GUME: Graphs and User Modalities Enhancement for Long-Tail Multimodal "
        "Recommendation, CIKM 2024"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
    bytes_per_view = 128
    presets: ClassVar[Presets] = {
        name: {
            "batch_size": 2048,
            "learning_rate": 1e-3,
            "patience": 20,
            "n_item_layers": n_item_layers,
            "temperature": temperature,
            "user_contrast_weight": user_contrast_weight,
            "user_temperature": user_temperature,
            "alignment_weight": alignment_weight,
            "contrast_weight": 0.01,
            "feature_scaling": "raw",
        }
        for name, n_item_layers, temperature, user_contrast_weight, user_temperature, alignment_weight in (
            ("published/baby", 2, 0.4, 0.01, 0.1, 0.1),
            ("published/sports", 1, 0.2, 0.01, 0.1, 0.01),
            ("published/clothing", 1, 0.2, 0.1, 0.2, 0.001),
            ("published/electronics", 1, 0.2, 0.1, 0.2, 0.1),
        )
    }
