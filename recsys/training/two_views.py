"""A collaborative and a content view of every node: what MGCN, SMORE and GUME have in common.

The collaborative view is LightGCN's. A source's view of an item sums its content neighbours' embeddings, each gated by
the neighbour's mapped features; that of a user sums over their items. Each model fuses the sources' views in its way.
"""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.recommender import TrainingData, searched
from recsys.training.content import ContentConfig, Sources
from recsys.training.contrast import info_nce_loss
from recsys.training.distinct import distinct_rows
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import factor_bpr_loss, squared_l2_loss
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator


class TwoViewConfig(ContentConfig):
    """Hyper-parameters that these models share.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        l2: weight of half the squared norm of the batch's final vectors.
        contrast_weight: weight of the contrast between the two views.
        temperature: temperature of that contrast.
    """

    n_layers: PositiveInt = 2
    l2: NonNegativeFloat = 1e-4
    contrast_weight: NonNegativeFloat = searched(0.01, 1e-3, 1e-1, log=True, needs="content")
    temperature: PositiveFloat = 0.2
    learning_rate_decay: PositiveFloat = 0.96


class TwoViewNetwork(GraphNetwork):
    """Embeddings, the user-item graph and an item graph for each source, and gates of the embeddings by content.

    Attributes:
        known: whether a node has a source, bool, shape (n_sources, n_users + n_items, 1); users have all.
    """

    known: Tensor

    def __init__(
        self,
        data: TrainingData,
        config: TwoViewConfig,
        item_graphs: Mapping[str, sparse.csr_array],
        graph: sparse.csr_array | None = None,
    ) -> None:
        """Draw the parameters from the seed.

        Args:
            data: what to learn from.
            config: hyper-parameters.
            item_graphs: by source, shape (n_items, n_items); a source without one is left out.
            graph: over the nodes; None: LightGCN's.
        """
        super().__init__(data, config, graph)
        self.config, width, n_users = config, config.n_factors, len(self.users)
        self.sources = Sources({name: data.content[name] for name in item_graphs}, config)
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in item_graphs)
        self.graphs = nn.ModuleList(map(SparseOperator, item_graphs.values()))
        if item_graphs:
            whole = adjacency(data.train) if graph is None else graph
            self.user_block = SparseOperator(whole[:n_users, n_users:])
            has_neighbours = [np.diff(item_graph.indptr) > 0 for item_graph in item_graphs.values()]
            known = [np.pad(has, (n_users, 0), constant_values=True) for has in has_neighbours]
            self.register_buffer("known", torch.from_numpy(np.stack(known))[:, :, None], persistent=False)

    @property
    def content_used(self) -> bool:
        """Whether a source has an item graph."""
        return len(self.graphs) > 0

    @abstractmethod
    def content_view(self, nodes: Tensor, collaborative: Tensor, views: list[Tensor]) -> Tensor:
        """The content view of the nodes, shape (n, n_factors).

        Args:
            nodes: positions, shape (n,).
            collaborative: the collaborative view of these nodes, shape (n, n_factors).
            views: the sources' views of these nodes, at least one, of the same shape.
        """

    def item_views(self) -> list[Tensor]:
        """Each source's view of all items, shape (n_items, n_factors)."""
        parts = zip(self.sources, self.gates, self.graphs, strict=True)
        return [graph(self.gated(gate, source())) for source, gate, graph in parts]

    def gated(self, gate: nn.Module, content: Tensor) -> Tensor:
        """The items' embeddings, gated by their content."""
        return self.items * gate(content).sigmoid()

    def views(self, nodes: Tensor) -> list[Tensor]:
        """Each source's view of the nodes, users before items, shape (n, n_factors)."""
        is_user = nodes < len(self.users)
        users, items = nodes[is_user], nodes[~is_user] - len(self.users)
        views = self.item_views()
        table = torch.cat(views, dim=1)
        rows = torch.cat([self.user_block.at(users, table), embedding(items, table)])
        return [part.contiguous() for part in rows.chunk(len(views), dim=1)]

    def loss(self, batch: Batch) -> Tensor:
        """BPR and squared norm of the final vectors, and the contrast of users' and positives' two views."""
        nodes, places = distinct_rows(self.nodes(*batch))
        return self.view_loss(*self.two_views(nodes), places)

    def view_loss(self, collaborative: Tensor, content: Tensor, places: Tensor) -> Tensor:
        """The loss from both views of distinct nodes.

        Args:
            collaborative: shape (n, n_factors).
            content: same shape.
            places: where the batch's users, its positives and its negatives stand among the nodes, shape (3 * batch,).
        """
        u, p, n = embedding(places, collaborative + content).chunk(3)
        loss = factor_bpr_loss(u, p, n) + self.config.l2 * squared_l2_loss(u, p, n)
        if self.content_used:
            for part in places.chunk(3)[:2]:
                own, counts = part.unique(return_counts=True)
                views = embedding(own, content), embedding(own, collaborative)
                loss = loss + self.config.contrast_weight * info_nce_loss(*views, self.config.temperature, counts)
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Sums of both views."""
        nodes = torch.arange(len(self.users) + len(self.items), device=self.device)
        collaborative, content = self.two_views(nodes)
        return self.parted(collaborative + content)

    def two_views(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Both views of the nodes, each of shape (n, n_factors); without content the second is zero.

        Args:
            nodes: positions, users before items, shape (n,).
        """
        collaborative = self.collaborative_view(nodes)
        if not self.content_used:
            return collaborative, torch.zeros_like(collaborative)
        return collaborative, self.content_view(nodes, collaborative, self.views(nodes))

    def collaborative_view(self, nodes: Tensor) -> Tensor:
        """The collaborative view of the nodes, shape (n, n_factors)."""
        return embedding(nodes, self.propagated(self.config.n_layers))
