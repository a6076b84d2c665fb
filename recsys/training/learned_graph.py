"""Item graphs whose values are learned from content (Zhang et al., LATTICE, MM 2021, eqs. 3 to 9), and never dense."""

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from recsys.content.features import Content
from recsys.recommender import LearningRate, Share, searched
from recsys.training.content import ContentConfig, Source, Sources
from recsys.training.item_graph import item_graph, nearest_rows
from recsys.training.losses import unit
from recsys.training.weighted_operator import WeightedOperator


class LearnedGraphConfig(ContentConfig):
    """Hyper-parameters that models with such graphs share.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        n_neighbours: neighbours per item in each source's item graph, including the item itself.
        frozen_share: weight of the features as given in the item graph; the rest is that of the learned ones.
        l2: weight of half the squared norm of the batch's final vectors.
    """

    n_layers: PositiveInt = 2
    n_neighbours: PositiveInt = 10
    frozen_share: Share = 0.9
    l2: NonNegativeFloat = searched(1e-5, choices=[0.0, 1e-5, 1e-4, 1e-3])
    learning_rate: LearningRate = searched(5e-4, 1e-4, 5e-3, log=True)
    learning_rate_decay: PositiveFloat = 0.96


class LearnedItemGraph(nn.Module):
    """The sources' kNN graphs of features as given and as learned, mixed by a learned weight for each source.

    Attributes:
        edges: of all graphs of features as given, rows before columns, shape (2, n_edges).
        values: of these edges.
        owners: position of the source that an edge comes from.
    """

    edges: Tensor
    values: Tensor
    owners: Tensor

    def __init__(self, content: Content, config: LearnedGraphConfig) -> None:
        """Lay out the graphs that stay; a single source has nothing to be weighed against.

        Args:
            content: sources whose features tell items apart, at least one.
            config: width of the mapped features, neighbours, and weight of the features as given.
        """
        super().__init__()
        self.sources, self.n_items = Sources(content, config), len(next(iter(content.values())).present)
        self.n_neighbours, self.frozen_share = config.n_neighbours, config.frozen_share
        self.weights = nn.Parameter(torch.full((len(content),), 1 / len(content))) if len(content) > 1 else None
        graphs = [item_graph(features, config.n_neighbours, "cosine").tocoo() for features in content.values()]
        buffers = {
            "edges": np.concatenate([np.stack(graph.coords).astype(np.int64) for graph in graphs], axis=1),
            "values": np.concatenate([graph.data for graph in graphs]),
            "owners": np.repeat(np.arange(len(graphs)), [graph.nnz for graph in graphs]),
        }
        for name, buffer in buffers.items():
            self.register_buffer(name, torch.from_numpy(buffer), persistent=False)
        self._built: tuple[WeightedOperator, Tensor] | None = None

    def renew(self) -> None:
        """Let the next call of `current` build the graph anew."""
        self._built = None

    def current(self) -> tuple[WeightedOperator, Tensor]:
        """The graph as it was last built: with gradients when it is built anew, and without from then on."""
        operator, values = self._built or self()
        self._built = operator, values.detach()
        return operator, values

    def forward(self) -> tuple[WeightedOperator, Tensor]:
        """The mixed graph and its values, with gradients in the cosines of learned features and in the weights."""
        shares = self.values.new_ones(1) if self.weights is None else self.weights.softmax(dim=0)
        edges, cosines = zip(*map(self._learned, range(len(self.sources)), self.sources), strict=True)
        rows, columns = torch.cat(edges, dim=1)
        values = torch.cat([share * cosine for share, cosine in zip(shares, cosines, strict=True)])
        scale = values.new_zeros(self.n_items).index_add(0, rows, values).clamp(min=1e-6).rsqrt()
        learned = (1 - self.frozen_share) * values * scale[rows] * scale[columns]
        frozen = self.frozen_share * shares[self.owners] * self.values
        rows, columns = torch.cat([rows, self.edges[0]]), torch.cat([columns, self.edges[1]])
        return WeightedOperator(rows, columns, (self.n_items, self.n_items)), torch.cat([learned, frozen])

    def _learned(self, number: int, source: Source) -> tuple[Tensor, Tensor]:
        """Edges and cosines of one source's mapped features, among the items that have an edge as given."""
        nodes = self.edges[0, self.owners == number].unique()
        rows = unit(source(nodes))
        neighbours, _ = nearest_rows(rows.detach(), self.n_neighbours)
        cosines = (rows[:, None] * rows[neighbours]).sum(dim=2).clamp(min=0)
        return torch.stack([nodes.repeat_interleave(cosines.shape[1]), nodes[neighbours.flatten()]]), cosines.flatten()
