"""REARM: graphs among users and among items, attention over features' entries, and a meta network of content."""

from functools import partial
from itertools import combinations
from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.multimodal._rearm_graphs import graph_among, user_interests
from recsys.models.multimodal._rearm_layers import BLOCK, ContentAttention, MetaNetwork, orthogonality_loss
from recsys.models.registry import register
from recsys.recommender import DataSize, LearningRate, Presets, Share, TrainingData, searched
from recsys.training.content import TRAINED, ContentConfig, Sources
from recsys.training.contrast import info_nce_loss
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import factor_bpr_loss, unit
from recsys.training.network import Batch, Step
from recsys.training.propagation import propagate
from recsys.training.randomness import generator

AS_PUBLISHED = {"batch_size": 2048, "learning_rate": 5e-5, "feature_scaling": "raw", "train_compression": False}


class REARMConfig(ContentConfig):
    """Hyper-parameters of REARM.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        n_graph_layers: propagation steps on the graphs of users and of items.
        n_cooccurring_users: users with the most items in common that a user is tied to.
        n_cooccurring_items: items with the most users in common that an item is tied to.
        n_similar_users: neighbours per user by the mean content of their items, including the user itself.
        n_similar_items: neighbours per item by content, including the item itself.
        user_cooccurrence: share of co-occurrence in the graph of users; the rest is content.
        item_cooccurrence: the same for items.
        user_image_weight: weight of images in the graph of users where exactly text and image are shown; otherwise
            sources weigh the same.
        image_weight: the same for items.
        dropout: dropout rate of each source's self-attention.
        cross_dropout: dropout rate of the cross-attention between sources.
        rank: rank of the meta network's maps of embeddings.
        train_compression: whether the layer behind which the meta network sees content is trained, as in the paper; in
            the published code it stays as it was drawn.
        contrast_weight: weight of InfoNCE between two sources.
        temperature: temperature of that contrast.
        difference_weight: weight of the orthogonality constraint between two sources.
        weight_decay: AdamW's weight decay, on all parameters.
    """

    n_layers: PositiveInt = searched(4, 1, 5)
    n_graph_layers: PositiveInt = 1
    n_cooccurring_users: PositiveInt = 40
    n_cooccurring_items: PositiveInt = 10
    n_similar_users: PositiveInt = 40
    n_similar_items: PositiveInt = 10
    user_cooccurrence: Share = searched(0.4, 0.1, 0.9, step=0.1, needs="content")
    item_cooccurrence: Share = searched(0.2, 0.1, 0.9, step=0.1, needs="content")
    user_image_weight: Share = 0.2
    image_weight: Share = searched(0.1, choices=[0.0, 0.1, 0.5, 0.9], needs="text_and_image")
    dropout: Share = 0.4
    cross_dropout: Share = 0.6
    rank: PositiveInt = 3
    train_compression: bool = True
    contrast_weight: NonNegativeFloat = searched(5e-6, choices=[0.0, 5e-6, 1e-3, 1e-2], needs="sources")
    temperature: PositiveFloat = 0.6
    difference_weight: NonNegativeFloat = searched(5e-5, choices=[0.0, 5e-5, 5e-4, 5e-3], needs="sources")
    weight_decay: NonNegativeFloat = searched(5e-4, 1e-5, 1e-1, log=True)
    learning_rate: LearningRate = searched(1e-3, 5e-5, 1e-2, log=True)


class REARMNetwork(GraphNetwork):
    """Embeddings and content of users and of items, and the graphs among and between them."""

    known: Tensor  # whether a source reaches an item, shape (n_sources, n_items, 1)

    def __init__(self, data: TrainingData, config: REARMConfig) -> None:
        """Draw the parameters from the seed."""
        super().__init__(data, config)
        self.config, shown = config, data.content
        start = partial(nn.init.normal_, std=0.1)
        users, items = initial_embeddings(data.train, config.n_factors, generator(data.seed), start)
        self.users, self.items = nn.Parameter(users), nn.Parameter(items)
        interests = user_interests(data.train, shown)
        self.sources, self.interests = Sources(shown, config), Sources(interests, config)
        self.user_graph = graph_among(
            "users",
            data.train,
            interests,
            n_cooccurring=config.n_cooccurring_users,
            n_similar=config.n_similar_users,
            cooccurrence_share=config.user_cooccurrence,
            image_weight=config.user_image_weight,
        )
        self.item_graph = graph_among(
            "items",
            data.train,
            shown,
            n_cooccurring=config.n_cooccurring_items,
            n_similar=config.n_similar_items,
            cooccurrence_share=config.item_cooccurrence,
            image_weight=config.image_weight,
        )
        if shown:
            self.activation = nn.PReLU()
            rates = config.dropout, config.cross_dropout
            self.attention = ContentAttention(len(shown), config.n_factors, rates, self.activation)
            sizes = len(shown), config.n_factors, config.rank
            self.maps = nn.ModuleList(
                MetaNetwork(*sizes, train_compression=config.train_compression) for _ in ("users", "items")
            )
            present = torch.from_numpy(np.stack([features.present for features in shown.values()], axis=1)).float()
            reached = propagate(self.item_graph, present, config.n_graph_layers, "last") > 0
            self.register_buffer("known", reached.T[:, :, None], persistent=False)
        for source in (*self.sources, *self.interests):
            nn.init.xavier_normal_(source.linear.weight)

    def steps(self) -> list[Step]:
        """One step of AdamW on all parameters."""
        decay = self.config.weight_decay
        return [Step(self.loss, list(self.parameters()), torch.optim.AdamW, weight_decay=decay)]

    def loss(self, batch: Batch) -> Tensor:
        """BPR, the contrast of the sources' views of the batch's distinct nodes, and their orthogonality."""
        users, positives, negatives = batch
        final, contents = self._propagated()
        u, p, n = embedding(self.nodes(*batch), final).chunk(3)
        loss = factor_bpr_loss(u, p, n)
        c, chosen = self.config, (users, positives + len(self.users))
        distinct = users.unique(), torch.cat([positives, negatives]).unique() + len(self.users)
        for one, other in combinations(contents, 2):
            if c.contrast_weight > 0:
                for nodes in distinct:
                    contrast = info_nce_loss(embedding(nodes, one), embedding(nodes, other), c.temperature)
                    loss = loss + c.contrast_weight * contrast
            if c.difference_weight > 0:
                for nodes in chosen:
                    likeness = orthogonality_loss(embedding(nodes, one), embedding(nodes, other))
                    loss = loss + c.difference_weight * likeness
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Final vectors of all."""
        return self.parted(self._propagated()[0])

    def _propagated(self) -> tuple[Tensor, list[Tensor]]:
        """Final vectors of all nodes, and the sources' views of them after propagation."""
        width, n_graph_layers = self.config.n_factors, self.config.n_graph_layers
        sides = []
        for graph, table, sources in (
            (self.user_graph, self.users, self.interests),
            (self.item_graph, self.items, self.sources),
        ):
            start = torch.cat([table, *(source() for source in sources)], dim=1)
            sides.append(unit(propagate(graph, start, n_graph_layers, "last")))
        if not self.content_used:
            return propagate(self.adjacency, torch.cat(sides), self.config.n_layers), []
        items, *parts = sides[1].split(width, dim=1)
        views = [view * known for view, known in zip(self.attention.by_blocks(parts), self.known, strict=True)]
        users = torch.cat([sides[0][:, :width], self.activation(sides[0][:, width:])], dim=1)
        nodes = torch.cat([users, torch.cat([items, *views], dim=1)])
        own, *contents = propagate(self.adjacency, nodes, self.config.n_layers).split(width, dim=1)
        both = zip(self.maps, self.parted(own), self.parted(torch.cat(contents, dim=1)), strict=True)
        mapped = torch.cat([meta(embeddings, content) for meta, embeddings, content in both])
        return torch.cat([self.activation(view) + own for view in (*contents, mapped)], dim=1), contents


@register
class REARM(GradientModel):
    """Score: the inner product of [act(z_m) + z for each source m, act(M z) + z], act being one learned PReLU.

    Users and items start as [embedding; mapped, trained features of each source], a user's features being the mean of
    their items'; they move over a graph of users and one of items, both mixed of co-occurrence and nearest content,
    and then have length one. Items' parts of the sources go through self-attention among their entries, then through
    cross-attention between sources, with a residual, a layer norm and act after both. z and z_m are LightGCN's means
    of the layers of embeddings and of parts; M is each node's own map, of low rank, which a meta network computes from
    its z_m. The loss adds a contrast of two sources' z_m, and a constraint by which they are orthogonal.

    In the published code the layer that compresses z_m for M gets no gradient and stays random; here it is trained and
    only z_m is detached, unless `train_compression` says otherwise, as the presets do. Published results drew
    negatives outside the users' test items too; here nothing but training items are known. Decided here: a node
    without neighbours by co-occurrence has none, where the published code ties it to the most active ones; sources
    that do not reach an item over its graph have no part of it; with more than two sources the queries to a source are
    the mean of the others, and losses are summed over pairs; a single source has neither. Without content there are
    LightGCN's means of embeddings that moved over both co-occurrence graphs. Defaults are the published ones for
    Amazon Baby but for the learning rate, there 5e-5, and the weight of images among items, there 0.
    """

    Config = REARMConfig
    network = REARMNetwork
    source = (
        "Ma, Zeng, Wu, Xu: Refining Contrastive Learning and Homography Relations for Multi-Modal Recommendation "
        "(REARM), MM 2025"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
    presets: ClassVar[Presets] = {
        "published/baby": AS_PUBLISHED | {"image_weight": 0.0},
        "published/sports": AS_PUBLISHED
        | {"n_layers": 5, "n_graph_layers": 2, "n_similar_users": 25, "n_similar_items": 5}
        | {"user_cooccurrence": 0.9, "user_image_weight": 0.0, "image_weight": 0.2}
        | {"dropout": 1.0, "cross_dropout": 0.2, "rank": 7, "weight_decay": 0.05}
        | {"contrast_weight": 1e-3, "temperature": 1.5, "difference_weight": 5e-4},
        "published/clothing": AS_PUBLISHED
        | {"n_similar_users": 45, "user_cooccurrence": 0.7, "item_cooccurrence": 0.1}
        | {"cross_dropout": 0.1, "weight_decay": 1e-5}
        | {"contrast_weight": 1e-6, "temperature": 0.03, "difference_weight": 1e-5},
    }

    @classmethod
    def memory(cls, config: REARMConfig, size: DataSize) -> float:
        """With users' trained content, a block's attention, and what the meta networks keep of all nodes."""
        if not size.width:
            return super().memory(config, size)
        attention = 64 * min(BLOCK, size.n_items) * config.n_factors**2
        maps = 40 * config.n_factors * (config.rank + 2) * (size.n_users + size.n_items)
        return super().memory(config, size) + 24 * size.width * size.n_users + attention + maps
