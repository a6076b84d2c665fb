"""MCLN: content attended to among items, from which what an item that was not taken attends to is taken away."""

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, TrainingData, searched
from recsys.training.dimensions import SourcesConfig, SourcesNetwork
from recsys.training.losses import bpr_loss, squared_l2_loss
from recsys.training.network import Batch
from recsys.training.randomness import generator

BLOCK = 1024
HIDDEN = 4  # width of the feed-forward layer, in parts of its input, as published
AS_PUBLISHED = {"n_attended": 2048, "feature_scaling": "raw"}


class MCLNConfig(SourcesConfig):
    """Hyper-parameters of MCLN.

    Attributes:
        n_attention_layers: layers of counterfactual attention.
        n_attended: most items of a batch that attend to each other.
    """

    image_weight: NonNegativeFloat = searched(0.3, 0.2, 1.0, step=0.1, needs_content=True)
    l2: NonNegativeFloat = searched(1e-2, 1e-5, 1e-1, log=True)
    n_attention_layers: PositiveInt = searched(2, choices=[1, 2, 4], needs_content=True)
    n_attended: PositiveInt = 512


class CounterfactualAttention(nn.Module):
    """Attention of items to a set of items, less what other items attend to, and a feed-forward layer."""

    def __init__(self, width: int) -> None:
        """Xavier-uniform maps; those of the attention have no bias."""
        super().__init__()
        names = ("query", "key", "value", "other_query", "other_key", "out")
        maps = {name: nn.Linear(width, width, bias=False) for name in names}
        self.maps = nn.ModuleDict(maps)
        self.inner, self.outer = nn.Linear(width, HIDDEN * width), nn.Linear(HIDDEN * width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        for linear in (*maps.values(), self.inner, self.outer):
            nn.init.xavier_uniform_(linear.weight)
        for linear in (self.inner, self.outer):
            nn.init.zeros_(linear.bias)

    def forward(self, items: Tensor, others: Tensor | None = None) -> Tensor:
        """What the items become by attending to each other, shape as given.

        Args:
            items: shape (n, width).
            others: the items not taken, one for each, shape as `items`; None: nothing is taken away.
        """
        query, key = self.maps["query"](items), self.maps["key"](items)
        if others is not None:
            query = torch.cat([query, -self.maps["other_query"](others)], dim=1)
            key = torch.cat([key, self.maps["other_key"](others)], dim=1)
        query, value = query / math.sqrt(items.shape[1]), self.maps["value"](items)
        attended = torch.cat([(rows @ key.T).softmax(dim=1) @ value for rows in query.split(BLOCK)])
        items = self.norms[0](items + self.maps["out"](attended))
        return self.norms[1](items + self.outer(self.inner(items).relu()).relu())


class MCLNNetwork(SourcesNetwork):
    """Embeddings over the user-item graph, the sources' mapped features, and attention over both of them.

    Attributes:
        known: items with an interaction or a source, bool, shape (n_items, 1); the others stay zero.
    """

    known: Tensor

    def __init__(self, data: TrainingData, config: MCLNConfig) -> None:
        """Draw the parameters from the seed; without content there is nothing to attend to."""
        super().__init__(data, config, generator(data.seed))
        self.config = config
        if self.content_used:
            width = (1 + len(self.sources)) * config.n_factors
            self.attention = nn.ModuleList(CounterfactualAttention(width) for _ in range(config.n_attention_layers))
            self.chosen, self.left = (nn.Linear(width, config.n_factors, bias=False) for _ in range(2))
            for linear in (self.chosen, self.left):
                nn.init.xavier_uniform_(linear.weight)
            present = torch.stack([source.present for source in self.sources]).any(dim=0)
            self.register_buffer("known", present | self.items.detach().any(dim=1, keepdim=True), persistent=False)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """An epoch of triples, each with one more item that the user did not take where there is content."""
        for triple in self.sampler.epoch(rng):
            more = (self.sampler.negatives(triple[0], rng),) if self.content_used else ()
            yield tuple(torch.from_numpy(part).to(self.device) for part in (*triple, *more))

    def loss(self, batch: Batch) -> Tensor:
        """BPR by each part of an item, and the squared norms of what is not propagated."""
        users, positives, negatives, *others = batch
        user_table, item_table = self.parted(self.propagated(self.config.n_layers))
        u, rows = embedding(users, user_table), torch.cat([positives, negatives, *others])
        parts = [embedding(rows, item_table), *(source(rows) for source in self.sources)]
        pairs = [part.split(len(users))[:2] for part in parts]
        norms = [embedding(users, self.users), *(embedding(part, self.items) for part in (positives, negatives))]
        if self.content_used:
            attended = self._attended(*torch.cat(parts, dim=1).split(len(users)))
            known = self.known[torch.cat([positives, negatives])].chunk(2)
            pairs.append(tuple(part * has for part, has in zip(attended, known, strict=True)))
        norms += [part for pair in pairs[1:] for part in pair]
        losses = [bpr_loss((u * p).sum(dim=1), (u * n).sum(dim=1)) for p, n in pairs]
        return torch.stack(losses).sum() + self.config.l2 * squared_l2_loss(*norms)

    def _attended(self, positives: Tensor, negatives: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """What attention makes of the batch's positives, less what the others attend to, and of its negatives."""
        n_groups = -(-len(positives) // self.config.n_attended)
        p, n = [], []
        for one, other, untaken in zip(
            *(part.chunk(n_groups) for part in (positives, negatives, others)), strict=True
        ):
            for layer in self.attention:
                one, other = layer(one, untaken), layer(other)
            p.append(self.chosen(one).relu())
            n.append(self.left(other).relu())
        return torch.cat(p), torch.cat(n)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Users, and sums of the items' parts, where each item attends to all, and all are taken away."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        if not self.content_used:
            return users, items
        content = torch.cat([source() for source in self.sources], dim=1)
        known = self.known[:, 0]
        attended = untaken = torch.cat([items, content], dim=1)[known]
        for layer in self.attention:
            attended = layer(attended, untaken)
        total = items + (content * self.shares).unflatten(1, (-1, self.config.n_factors)).sum(dim=1)
        return users, total.index_put((known,), total[known] + self.chosen(attended).relu())


@register
class MCLN(GradientModel):
    """Score: u . (i + sum_m w_m W_m f_m + c), the sum over the sources m with w = `image_weight` for images, else 1.

    u and i are LightGCN's over D^-1/2 (A + I) D^-p. c is what attention makes of [i; W_m f_m of each source]: softmax
    of q q'^T - o o'^T, of queries and keys of the items less those of as many items that their users did not take. A
    negative's c is without the second product and has its own last map, which only the loss sees. Each part of an item
    has its own BPR against the same u.

    Published, an item's score depends on the candidates beside it, as they attend to each other. Decided here: in
    training `n_attended` items of a batch do, where published all 2048 do, at a quarter of the cost; in scoring each
    item attends to all, once for all users, and all are taken away, block by block. Batches are of all pairs instead
    of distinct users. An item that has neither interactions nor content stays zero; a source that tells no items
    apart is left out. Without content it is LightGCN with self-loops. Defaults are those published for Amazon Beauty.
    Published figures are of 99 drawn negatives, or trained on train and validation.
    """

    Config = MCLNConfig
    network = MCLNNetwork
    source = "Li et al.: MCLN, SIGIR 2023"
    scores_cold_items = True
    without_content = "LightGCN"
    presets: ClassVar[Presets] = {
        f"published/{name}": {"n_layers": n_layers, "image_weight": weight, **others, **AS_PUBLISHED}
        for name, n_layers, weight, others in (
            ("beauty", 4, 0.3, {}),
            ("art", 5, 1.0, {}),
            ("taobao", 5, 0.2, {"column_power": 0.3, "l2": 1e-3, "n_attention_layers": 4}),
        )
    }
