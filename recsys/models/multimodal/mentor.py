"""MENTOR: encodings by source whose distributions are aligned with each other, and which bear noise in the graph."""

from typing import ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, Share, TrainingData, searched
from recsys.training.content import FROZEN
from recsys.training.contrast import info_nce_loss
from recsys.training.losses import moment_alignment_loss, orthant_noise
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator
from recsys.training.preference_encoder import (
    ItemView,
    PreferenceConfig,
    PreferenceEncoder,
    WeightedSources,
    feature_view,
    learned_view,
    two_layers,
    with_neighbours,
)
from recsys.training.randomness import step_generator


class MENTORConfig(PreferenceConfig):
    """Hyper-parameters of MENTOR.

    Attributes:
        n_neighbours: neighbours per item in the item graph, including the item itself.
        image_weight: weight of the image graph where exactly text and image are shown; otherwise sources weigh the
            same.
        alignment_weight: weight of the differences between the encodings' distributions.
        contrast_weight: weight of the contrast of two noisy encodings.
        temperature: temperature of that contrast.
        noise: length of the noise added to each vector in each layer.
    """

    n_neighbours: PositiveInt = 10
    image_weight: Share = searched(0.1, choices=[0.1, 0.5, 0.9], needs="text_and_image")
    alignment_weight: NonNegativeFloat = searched(0.1, choices=[0.0, 0.1, 1.0], needs="content")
    contrast_weight: NonNegativeFloat = searched(1e-3, choices=[0.0, 1e-4, 1e-3, 1e-2])
    temperature: PositiveFloat = searched(0.2, choices=[0.2, 0.4, 0.6], unless={"contrast_weight": [0.0]})
    noise: PositiveFloat = 0.1


class NoisyEncoder(PreferenceEncoder):
    """An encoder of its own whose layers are moved by noise within their orthants."""

    def __init__(
        self, data: TrainingData, config: MENTORConfig, views: list[ItemView], draws: torch.Generator
    ) -> None:
        """See the same tables as these views, through layers of its own."""
        own = [ItemView(view.table, view.present[:, 0], two_layers(view.table.shape[1], config)) for view in views]
        super().__init__(data, config, own, draws)
        self.noise = config.noise

    def forward(self, operator: SparseOperator) -> Tensor:
        """Sum of the noisy layers; the first has none."""
        layer = total = self.start()
        for _ in range(self.n_layers):
            layer = (operator @ layer.flatten(1)).unflatten(1, total.shape[1:])
            layer = layer + self.noise * orthant_noise(layer)
            total = total + layer
        return total


class MENTORNetwork(WeightedSources):
    """The sources' encodings, that of learned vectors to which they are aligned, and the noisy ones."""

    def __init__(self, data: TrainingData, config: MENTORConfig) -> None:
        """Draw the parameters from the seed and lay out the item graph."""
        super().__init__(data, config)
        self.config = config
        self.add_item_graph(data, config.n_neighbours, config.image_weight)
        draws = step_generator(data.seed, torch.device("cpu"))
        self.guide: PreferenceEncoder | None = None
        if data.content and config.alignment_weight > 0:
            self.guide = PreferenceEncoder(data, config, [learned_view(data, config, draws)], draws)
        copies = 2 if config.contrast_weight > 0 else 0
        views = [view for view in self.encoder.views if isinstance(view, ItemView)]
        self.noisy = nn.ModuleList(NoisyEncoder(data, config, views, draws) for _ in range(copies))

    def new_encoder(self, data: TrainingData, config: PreferenceConfig, draws: torch.Generator) -> PreferenceEncoder:
        """Views of the sources, or of a learned table through layers of the same kind."""
        views = [feature_view(features, config) for features in data.content.values()]
        return PreferenceEncoder(data, config, views or [learned_view(data, config, draws)], draws)

    def loss(self, batch: Batch) -> Tensor:
        """The ranking and its regulariser, the alignment of distributions, and the contrast."""
        nodes = self._with_neighbours(self.encoder(self.adjacency))
        fused = torch.cat([self.weighed(nodes[: self.n_users]), nodes[self.n_users :]])
        users, positives, negatives = batch
        chosen = torch.cat([users, positives + self.n_users, negatives + self.n_users])
        u, p, n = embedding(chosen, fused.flatten(1)).chunk(3)
        loss = self.ranking_loss(users, u, p, n)
        if self.guide is not None:
            guide = self._with_neighbours(self.guide(self.adjacency))
            apart = moment_alignment_loss([fused, guide, *nodes.unbind(dim=1)])
            loss = loss + self.config.alignment_weight * apart
        if len(self.noisy):
            loss = loss + self.config.contrast_weight * self._contrast(users, torch.cat([positives, negatives]))
        return loss

    def _with_neighbours(self, nodes: Tensor) -> Tensor:
        """Encodings of which those of items are moved over the item graph, shape as given."""
        if self.item_graph is None:
            return nodes
        items = with_neighbours(self.item_graph, nodes[self.n_users :].flatten(1)).unflatten(1, nodes.shape[1:])
        return torch.cat([nodes[: self.n_users], items])

    def _contrast(self, users: Tensor, items: Tensor) -> Tensor:
        """How well the batch's distinct users, and items, recognise themselves between the noisy encodings."""
        users, items = users.unique(), items.unique()
        views = []
        for encoder in self.noisy:
            nodes = encoder(self.adjacency)
            user_table = self.weighed(nodes[: self.n_users]).flatten(1)
            item_table = nodes[self.n_users :].flatten(1)
            views.append((embedding(users, user_table), with_neighbours(self.item_graph, item_table, items)))
        pairs = zip(*views, strict=True)
        return torch.stack([info_nce_loss(one, other, self.config.temperature) for one, other in pairs]).sum()


@register
class MENTOR(GradientModel):
    """Score: [w_um z_um for each source m] . ([z_im] + sum_k t_ik [z_km]), with DRAGON's encodings and item graph t.

    Alignment: mean and variance, over all entries, of what scores, of each source's encodings and of those of the
    items' learned vectors come near each other, pair by pair. Contrast: of two noisy copies of the sources' encoders,
    with parameters of their own, each node of one recognises itself in the other.

    Decided here: the published term of masked features has no gradient and is left out; the contrast is that of the
    batch's distinct nodes, where the published one is of all users and all items in each step, at some hundred times
    the cost for the same expectation of a node's own term; no graph of users, which the published code makes and does
    not use; and what DualGNN and DRAGON decide. Without content the encoder of learned vectors scores, and the
    contrast is that of its noisy copies. Defaults are the published ones for Amazon Baby but for the learning rate,
    there 1e-4.
    """

    Config = MENTORConfig
    network = MENTORNetwork
    source = (
        "Xu, Chen, Yang, Li, Wang, Ngai: MENTOR: Multi-level Self-supervised Learning for Multimodal Recommendation, "
        "AAAI 2025"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    bytes_per_view = 384
    presets: ClassVar[Presets] = {
        "published/baby": {
            "batch_size": 2048,
            "learning_rate": 1e-4,
            "preference_l2": 1e-3,
            "alignment_weight": 0.1,
            "feature_scaling": "raw",
        }
    }
