"""Interactions and sources as dimensions of their own, whose scores are added: what MGCL, MCLN and MGCE share.

Graphs have self-loops, so that an item without interactions keeps its content through propagation.
"""

from collections.abc import Iterable
from typing import Annotated, cast

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding, softplus

from recsys.recommender import TrainingData, searched
from recsys.training.content import ContentConfig, Sources
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import squared_l2_loss
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator
from recsys.training.propagation import propagate

Power = Annotated[float, Field(ge=0, le=1)]


class SourcesConfig(ContentConfig):
    """Hyper-parameters that the three share.

    Attributes:
        n_layers: propagation steps of the dimension of interactions.
        column_power: p of its graph D^-1/2 (A + I) D^-p; below a half, popular neighbours weigh more.
        image_weight: weight of the source `image` in the score; any other source counts in full.
        l2: weight of half the squared norm of the batch's vectors before propagation.
    """

    n_layers: PositiveInt = searched(4, 1, 5)
    column_power: Power = searched(0.4, choices=[0.3, 0.4, 0.5])
    image_weight: NonNegativeFloat = searched(0.4, 0.2, 1.0, step=0.1, needs="image")
    l2: NonNegativeFloat = searched(1e-3, 1e-5, 1e-1, log=True)


class SourcesNetwork(GraphNetwork):
    """Embeddings on the graph with self-loops, and the sources' frozen features, mapped without a bias.

    Attributes:
        sources: those whose features tell items apart.
        shares: weight of each source in the score, repeated for its factors, shape (n_sources * n_factors,).
    """

    shares: Tensor

    def __init__(self, data: TrainingData, config: SourcesConfig, draws: torch.Generator) -> None:
        """Draw the parameters and lay out the graph."""
        super().__init__(data, config, adjacency(data.train, right=config.column_power, self_loops=True), draws)
        content = data.content
        self.sources = Sources(content, config, trained=False, bias=False)
        for source in self.sources:
            nn.init.xavier_uniform_(source.linear.weight, generator=draws)
        shares = torch.tensor([config.image_weight if name == "image" else 1.0 for name in content])
        self.register_buffer("shares", shares.repeat_interleave(config.n_factors), persistent=False)


class Preferences(nn.Module):
    """Users' vectors for each source, propagated with items' vectors; the last layer is read out.

    Attributes:
        users: the sources side by side, shape (n_users, n_sources * n_factors).
    """

    def __init__(
        self, data: TrainingData, width: int, n_sources: int, power: float, n_layers: int, draws: torch.Generator
    ) -> None:
        """Draw the vectors and lay out the graph.

        Args:
            data: what to learn from.
            width: factors of a source.
            n_sources: at least one.
            power: of the degrees of the graph's columns.
            n_layers: propagation steps.
            draws: source of the starting values.
        """
        super().__init__()
        tables = [initial_embeddings(data.train, width, draws)[0] for _ in range(n_sources)]
        self.users = nn.Parameter(torch.cat(tables, dim=1))
        self.operator = SparseOperator(adjacency(data.train, right=power, self_loops=True), symmetric=power == 0.5)
        self.n_layers = n_layers

    def forward(self, items: Tensor) -> Tensor:
        """All nodes, users before items, shape (n_users + n_items, n_sources * n_factors)."""
        return propagate(self.operator, torch.cat([self.users, items]), self.n_layers, "last")


class DimensionsConfig(SourcesConfig):
    """Hyper-parameters of models with a ranking loss for each dimension.

    Attributes:
        content_l2: weight of the sources' vectors in the norm, relative to `l2`.
    """

    content_l2: NonNegativeFloat = 0.1


class DimensionsNetwork(SourcesNetwork):
    """A network with a ranking loss for each dimension, whose scores are added.

    Attributes:
        preferences: users' preferences for the sources: one module, or several such as interest and conformity.
        content_weight: weight of the ranking loss of each source and module of preferences.
    """

    def __init__(
        self, data: TrainingData, config: DimensionsConfig, draws: torch.Generator, content_weight: float = 1.0
    ) -> None:
        """Draw all but the preferences, which a model adds where a source tells items apart."""
        super().__init__(data, config, draws)
        self.config, self.content_weight = config, content_weight
        self.preferences = nn.ModuleList()

    def content(self) -> Tensor:
        """Items' vectors by source, side by side, shape (n_items, n_sources * n_factors)."""
        return torch.cat([source() for source in self.sources], dim=1)

    def starts(self, content: Tensor) -> list[Tensor]:
        """Items' vectors to be propagated with each module of preferences, made from `content`."""
        return [content]

    def propagated_preferences(self, content: Tensor) -> Iterable[tuple[Preferences, Tensor]]:
        """Each module of preferences and its nodes after propagation."""
        pairs = zip(self.preferences, self.starts(content), strict=True)
        return ((cast(Preferences, module), module(start)) for module, start in pairs)

    def ranking_loss(self, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """BPR in each dimension by itself, with the squared norms of the batch's vectors before propagation.

        Returns:
            The loss, and for each module of preferences the propagated vectors of the batch's users, positives and
            negatives, one above the other, shape (3 * batch, n_sources * n_factors).
        """
        nodes, config = self.nodes(*batch), self.config
        users, chosen = batch[0], torch.cat(batch[1:])
        loss = self._ranking(embedding(nodes, self.propagated(config.n_layers, "last")))
        loss = loss + config.l2 * squared_l2_loss(
            embedding(users, self.users), *embedding(chosen, self.items).chunk(2)
        )
        vectors: list[Tensor] = []
        if self.content_used:
            content = self.content()
            rows = embedding(chosen, content).chunk(2)
            for preferences, propagated in self.propagated_preferences(content):
                vectors.append(embedding(nodes, propagated))
                loss = loss + self.content_weight * self._ranking(vectors[-1])
                norms = squared_l2_loss(embedding(users, preferences.users), *rows)
                loss = loss + config.l2 * config.content_l2 * norms
        return loss, vectors

    def factors(self) -> tuple[Tensor, Tensor]:
        """All dimensions side by side, users' multiplied by the sources' shares."""
        users, items = ([part] for part in self.parted(self.propagated(self.config.n_layers, "last")))
        if self.content_used:
            for _, propagated in self.propagated_preferences(self.content()):
                u, i = self.parted(propagated)
                users.append(u * self.shares)
                items.append(i)
        return torch.cat(users, dim=1), torch.cat(items, dim=1)

    def _ranking(self, rows: Tensor) -> Tensor:
        """Sum over dimensions of their BPR, from a batch's users above positives above negatives."""
        u, p, n = rows.chunk(3)
        margins = (u * (p - n)).unflatten(1, (-1, self.config.n_factors)).sum(dim=2)
        return softplus(-margins).mean(dim=0).sum()
