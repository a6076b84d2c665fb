"""MCLN: attention among items, less the attention of counterfactual items that the user did not choose."""

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
from recsys.recommender import DataSize, Presets, TrainingData, searched
from recsys.training.content import FROZEN
from recsys.training.dimensions import SourcesConfig, SourcesNetwork
from recsys.training.losses import factor_bpr_loss, squared_l2_loss
from recsys.training.network import Batch, batch_size_for
from recsys.training.randomness import generator

BLOCK = 512
HIDDEN = 4  # width of the feed-forward layer, in multiples of its input's, as published
AS_PUBLISHED = {"batch_size": 2048, "n_attended": 2048, "feature_scaling": "raw"}


class MCLNConfig(SourcesConfig):
    """Hyper-parameters of MCLN.

    Attributes:
        n_attention_layers: layers of counterfactual attention.
        n_attended: most items of a batch that attend to each other.
    """

    image_weight: NonNegativeFloat = searched(0.3, 0.2, 1.0, step=0.1, needs="image")
    l2: NonNegativeFloat = searched(1e-2, 1e-5, 1e-1, log=True)
    n_attention_layers: PositiveInt = searched(2, choices=[1, 2, 4], needs="content")
    n_attended: PositiveInt = 512


class CounterfactualAttention(nn.Module):
    """Attention among items, less that among interventions, and a feed-forward layer."""

    def __init__(self, width: int) -> None:
        """Xavier-uniform maps; those of the attention have no bias."""
        super().__init__()
        names = ("query", "key", "value", "intervention_query", "intervention_key", "out")
        maps = {name: nn.Linear(width, width, bias=False) for name in names}
        self.maps = nn.ModuleDict(maps)
        self.inner, self.outer = nn.Linear(width, HIDDEN * width), nn.Linear(HIDDEN * width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        for linear in (*maps.values(), self.inner, self.outer):
            nn.init.xavier_uniform_(linear.weight)
        for linear in (self.inner, self.outer):
            nn.init.zeros_(linear.bias)

    def forward(self, items: Tensor, interventions: Tensor | None = None) -> Tensor:
        """Items after attending to each other, shape as given.

        Args:
            items: shape (n, width).
            interventions: one for each item, shape as `items`; None: nothing is subtracted.
        """
        query, key = self.maps["query"](items), self.maps["key"](items)
        if interventions is not None:
            query = torch.cat([query, -self.maps["intervention_query"](interventions)], dim=1)
            key = torch.cat([key, self.maps["intervention_key"](interventions)], dim=1)
        query, value = query / math.sqrt(items.shape[1]), self.maps["value"](items)
        pairs = zip(items.split(BLOCK), query.split(BLOCK), strict=True)
        return torch.cat([self._rows(rows, (q @ key.T).softmax(dim=1) @ value) for rows, q in pairs])

    def _rows(self, items: Tensor, attended: Tensor) -> Tensor:
        """What follows attention, row by row."""
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
            self.positive_map, self.negative_map = (nn.Linear(width, config.n_factors, bias=False) for _ in range(2))
            for linear in (self.positive_map, self.negative_map):
                nn.init.xavier_uniform_(linear.weight)
            present = torch.stack([source.present for source in self.sources]).any(dim=0)
            self.register_buffer("known", present | self.items.detach().any(dim=1, keepdim=True), persistent=False)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """An epoch of triples, where there is content each with an intervention: one more negative item."""
        for triple in self.sampler.epoch(rng):
            more = (self.sampler.negatives(triple[0], rng),) if self.content_used else ()
            yield tuple(torch.from_numpy(part).to(self.device) for part in (*triple, *more))

    def loss(self, batch: Batch) -> Tensor:
        """BPR by each part of an item, and the squared norms of the vectors before propagation."""
        users, positives, negatives, *interventions = batch
        user_table, item_table = self.parted(self.propagated(self.config.n_layers))
        u, rows = embedding(users, user_table), torch.cat([positives, negatives, *interventions])
        parts = [embedding(rows, item_table), *(source(rows) for source in self.sources)]
        pairs = [part.split(len(users))[:2] for part in parts]
        norms = [embedding(users, self.users), *(embedding(part, self.items) for part in (positives, negatives))]
        if self.content_used:
            pairs.append(self._attended(*torch.cat(parts, dim=1).split(len(users))))
        norms += [part for pair in pairs[1:] for part in pair]
        losses = [factor_bpr_loss(u, p, n) for p, n in pairs]
        return torch.stack(losses).sum() + self.config.l2 * squared_l2_loss(*norms)

    def _attended(self, positives: Tensor, negatives: Tensor, interventions: Tensor) -> tuple[Tensor, Tensor]:
        """The batch's positives after attention with interventions, and its negatives after attention without."""
        n_groups = -(-len(positives) // self.config.n_attended)
        p, n = [], []
        for one, other, intervention in zip(
            *(part.chunk(n_groups) for part in (positives, negatives, interventions)), strict=True
        ):
            for layer in self.attention:
                one, other = layer(one, intervention), layer(other)
            p.append(self.positive_map(one).relu())
            n.append(self.negative_map(other).relu())
        return torch.cat(p), torch.cat(n)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Users, and sums of the items' parts; each item attends to all, and all are interventions."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        if not self.content_used:
            return users, items
        content = torch.cat([source() for source in self.sources], dim=1)
        known = self.known[:, 0]
        attended = intervention = torch.cat([items, content], dim=1)[known]
        for layer in self.attention:
            attended = layer(attended, intervention)
        total = items + (content * self.shares).unflatten(1, (-1, self.config.n_factors)).sum(dim=1)
        return users, total.index_put((known,), total[known] + self.positive_map(attended).relu())


@register
class MCLN(GradientModel):
    """Score: u . (i + sum_m w_m W_m f_m + c), the sum over the sources m with w = `image_weight` for images, else 1.

    u and i are LightGCN's over D^-1/2 (A + I) D^-p. c comes from attention over [i; W_m f_m of each source] with the
    weights softmax(q q'^T - o o'^T): o and o' are queries and keys of interventions, for each item one more negative
    of its user. Negatives attend without interventions and have a last map of their own, which is in the loss only.
    Each part of an item has its own BPR against the same u.

    Published, an item's score depends on the candidates beside it, because they attend to each other. Decided here: in
    scoring each item attends to all items, which are the interventions too, once for all users and block by block; in
    training `n_attended` items of a batch attend to each other, where published all 2048 do. Batches are of all pairs
    instead of distinct users. An item that has neither interactions nor content stays zero; a source that tells no
    items apart is left out. Without content it is LightGCN with self-loops. Defaults are those published for Amazon
    Beauty. Published figures are of 99 sampled negatives, or trained on train and validation.
    """

    Config = MCLNConfig
    network = MCLNNetwork
    source = (
        "Li, Guo, Liu, Hong, Xue: Multimodal Counterfactual Learning Network for Multimedia-Based Recommendation "
        "(MCLN), SIGIR 2023"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        f"published/{name}": {"n_layers": n_layers, "image_weight": weight, **others, **AS_PUBLISHED}
        for name, n_layers, weight, others in (
            ("beauty", 4, 0.3, {}),
            ("art", 5, 1.0, {}),
            ("taobao", 5, 0.2, {"column_power": 0.3, "l2": 1e-3, "n_attention_layers": 4}),
        )
    }

    @classmethod
    def memory(cls, config: MCLNConfig, size: DataSize) -> float:
        """With the attention of a batch, and in scoring that of a block of items to all."""
        if not size.width:
            return super().memory(config, size)
        width = 3 * config.n_factors  # with two sources
        batch = config.batch_size or batch_size_for(size.n_interactions)
        training = 8 * batch * config.n_attention_layers * (2 * config.n_attended + 16 * width)
        return super().memory(config, size) + training + (8 * BLOCK + 24 * width) * size.n_items
