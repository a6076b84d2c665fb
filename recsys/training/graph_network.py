"""The network that graph models start from: tables of users and items, and the user-item graph over them."""

from collections.abc import Callable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.recommender import TrainingData
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import EdgeDropping, adjacency
from recsys.training.network import Batch, PairwiseNetwork, TrainedConfig
from recsys.training.operators import SparseOperator
from recsys.training.propagation import Readout, propagate
from recsys.training.randomness import generator


class GraphNetwork(PairwiseNetwork):
    """Learns from triples; nodes are users and behind them items.

    Attributes:
        users: embeddings, shape (n_users, n_factors).
        items: embeddings, shape (n_items, n_factors).
        adjacency: the user-item graph.
    """

    def __init__(
        self,
        data: TrainingData,
        config: TrainedConfig,
        graph: sparse.csr_array | None = None,
        draws: torch.Generator | None = None,
        initialise: Callable[..., Tensor] = nn.init.xavier_uniform_,
    ) -> None:
        """Draw the tables from the seed and lay out the graph.

        Args:
            data: what to learn from.
            config: hyper-parameters.
            graph: over the nodes; None: LightGCN's, which is symmetric.
            draws: source of the starting values; None: a new one from the seed.
            initialise: what draws them.
        """
        super().__init__(data.train, config)
        users, items = initial_embeddings(data.train, config.n_factors, draws or generator(data.seed), initialise)
        self.users, self.items = nn.Parameter(users), nn.Parameter(items)
        self.adjacency = SparseOperator(adjacency(data.train) if graph is None else graph, symmetric=graph is None)
        self.content_shown = bool(data.content)

    @property
    def content_used(self) -> bool:
        """Whether any content is shown, unless a network says otherwise."""
        return self.content_shown

    def propagated(self, n_layers: int, readout: Readout = "mean", operator: SparseOperator | None = None) -> Tensor:
        """Embeddings of all nodes after propagation, over another graph if one is given."""
        nodes = torch.cat([self.users, self.items])
        return propagate(self.adjacency if operator is None else operator, nodes, n_layers, readout)

    def nodes(self, users: Tensor, *items: Tensor) -> Tensor:
        """Positions of users and items among the nodes, one after the other."""
        return torch.cat([users, *(part + len(self.users) for part in items)])

    def parted(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of all nodes as those of users and those of items."""
        users, items = nodes.tensor_split([len(self.users)])
        return users, items

    def mean_squares(self, batch: Batch, *preferences: Tensor) -> Tensor:
        """Regulariser of MMGCN and GRCN: mean squares of the batch's embeddings and of its users' preferences, summed.

        Args:
            batch: users, positives and negatives.
            preferences: further tables of users, each of shape (n_users, width).
        """
        users, *items = batch
        rows = [embedding(users, table) for table in (self.users, *preferences)]
        rows.append(embedding(torch.cat(items), self.items))
        return torch.stack([part.square().mean() for part in rows]).sum()


class ThinnedGraph(nn.Module):
    """The user-item graph without some of its edges, which are drawn anew before each epoch (see `EdgeDropping`).

    Attributes:
        operator: LightGCN's graph of the edges that are left; before the first draw the whole graph.
    """

    operator: SparseOperator

    def __init__(self, train: sparse.csr_array, rate: float, whole: SparseOperator) -> None:
        """Weigh the edges of `train`; a share `rate` of them is to be dropped from the `whole` graph."""
        super().__init__()
        self.rate, self.dropping, self.operator = rate, EdgeDropping(train, rate), whole

    def draw(self, rng: np.random.Generator) -> None:
        """Drop other edges than before; with a rate of zero the graph stays whole."""
        if self.rate > 0:
            device = self.operator.rows.values.device
            self.operator = SparseOperator(adjacency(self.dropping.draw(rng)), symmetric=True).to(device)
