"""DA-MRS: item graphs denoised by agreement of the sources, pairs weighted by confidence, and aligned views."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding, softplus

from recsys.models.gradient import GradientModel
from recsys.models.multimodal._damrs_graphs import agreed_item_graphs, behaviour_graph, by_row_counts
from recsys.models.registry import register
from recsys.recommender import DataSize, Presets, TrainingData, searched
from recsys.training.content import IN_GRAPHS
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import unit
from recsys.training.network import Batch, TrainedConfig
from recsys.training.operators import SparseOperator

SMALLEST_SHARE = 1e-9


class DAMRSConfig(TrainedConfig):
    """Hyper-parameters of DA-MRS.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        n_neighbours: most neighbours per item in a source's graph, including the item itself.
        n_behaviour_neighbours: neighbours per item in the graph by behaviour, those with most users in common.
        alignment_weight: weight of the divergence between users' preferences by interactions and by the item graphs.
        neighbour_weight: weight of neighbour discrimination, a contrast of an item's pseudo-neighbours with all items.
        n_pseudo_neighbours: pseudo-neighbours per item by all views together, and as many by one view.
        temperature: temperature of neighbour discrimination.
        n_anchors: distinct items of a batch, drawn at random, for which these two losses are computed.
    """

    n_layers: PositiveInt = searched(2, 1, 4)
    n_neighbours: PositiveInt = searched(10, choices=[5, 10, 20], needs="content")
    n_behaviour_neighbours: PositiveInt = 2
    alignment_weight: NonNegativeFloat = searched(1.0, choices=[0.0, 0.01, 0.1, 1.0])
    neighbour_weight: NonNegativeFloat = searched(1e-3, choices=[0.0, 1e-4, 1e-3, 1e-2], needs="content")
    n_pseudo_neighbours: PositiveInt = 10
    temperature: PositiveFloat = 0.2
    n_anchors: PositiveInt = 256


class DAMRSNetwork(GraphNetwork):
    """Embeddings, the user-item graph over them, and views of the items: one a source, and one by behaviour.

    Attributes:
        known: whether an item has a view, bool, shape (n_views, n_items).
        n_known: how many items have it, by view.
    """

    known: Tensor

    def __init__(self, data: TrainingData, config: DAMRSConfig) -> None:
        """Draw the parameters from the seed and lay out the graphs."""
        super().__init__(data, config)
        self.config, content = config, data.content
        graphs = list(agreed_item_graphs(content, config.n_neighbours).values())
        graphs.append(behaviour_graph(data.train, config.n_behaviour_neighbours))
        self.views = SparseOperator(sparse.csr_array(sparse.vstack([by_row_counts(graph) for graph in graphs])))
        known = [features.present for features in content.values()]
        known.append(np.bincount(data.train.indices, minlength=len(self.items)) > 0)
        self.register_buffer("known", torch.from_numpy(np.stack(known)), persistent=False)
        self.n_known = [int(items.sum()) for items in known]

    def loss(self, batch: Batch) -> Tensor:
        """BPR weighted by confidence, alignment of the views with the interactions, and neighbour discrimination."""
        users, positives, negatives = batch
        user_table, item_table = self.parted(self.propagated(self.config.n_layers))
        views = self._views()
        fused = self._mean(views)
        u = embedding(users, user_table)
        p, n = embedding(torch.cat([positives, negatives]), item_table + fused).chunk(2)
        as_given, reversed_ = self._confidences(u.detach(), positives, negatives, views.detach())
        difference = (u * (p - n)).sum(dim=1)
        loss = (as_given * softplus(-difference) + reversed_ * softplus(difference)).mean()
        items = torch.cat([positives, negatives]).unique()
        anchors = items[torch.randperm(len(items), device=items.device)[: self.config.n_anchors]]
        if self.config.alignment_weight > 0:
            one, other = (embedding(anchors, unit(table)) for table in (item_table, fused))
            aligned = divergence(embedding(users.unique(), user_table), one, other)
            loss = loss + self.config.alignment_weight * aligned
        if self.config.neighbour_weight > 0 and len(views) > 1:
            loss = loss + self.config.neighbour_weight * self._discrimination(anchors, views)
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Users, and items with the mean of their views."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        return users, items + self._mean(self._views())

    def _views(self) -> Tensor:
        """Items as each graph shows them, shape (n_views, n_items, n_factors)."""
        return (self.views @ self.items).unflatten(0, self.known.shape)

    def _mean(self, views: Tensor) -> Tensor:
        """Over the views that an item has, shape (n_items, n_factors)."""
        return views.sum(dim=0) / self.known.sum(dim=0).clamp(min=1)[:, None]

    @torch.no_grad()
    def _confidences(self, u: Tensor, positives: Tensor, negatives: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of each pair's loss as given, and of the loss with the two items exchanged."""
        views = unit(views)
        chances = [(u * views[:, items]).sum(dim=2).sigmoid() for items in (positives, negatives)]
        known = self.known[:, positives]
        count = known.sum(dim=0).clamp(min=1)
        mean = (chances[0] * known).sum(dim=0) / count
        variance = ((chances[0] - mean).square() * known).sum(dim=0) / (count - 1).clamp(min=1)
        usual = chances[1][self.known[:, negatives]].mean()
        largest = (chances[0] * known).amax(dim=0)
        return mean * torch.exp(-2 * variance), (largest - usual).clamp(min=0) * (mean < usual)

    def _discrimination(self, anchors: Tensor, views: Tensor) -> Tensor:
        """Neighbour discrimination: the anchors' pseudo-neighbours against all items, mean over the views."""
        nodes = unit(views)
        cosines = nodes[:, anchors] @ nodes.mT
        shares = cosines.detach().masked_fill(~self.known[:, None], -torch.inf).softmax(dim=2)
        together_shares, losses = shares.sum(dim=0), []
        for own, cosine, known, n_known in zip(shares, cosines, self.known, self.n_known, strict=True):
            k = min(self.config.n_pseudo_neighbours, n_known // 2)
            agreed = ((together_shares + (len(views) - 2) * own) * known).topk(k, dim=1).indices
            single = own.scatter(1, agreed, 0.0).topk(k, dim=1).indices
            near = (cosine / self.config.temperature).exp() * known
            everything, together, alone = near.sum(dim=1), near.gather(1, agreed).sum(dim=1), near.gather(1, single)
            logs = (together / everything + SMALLEST_SHARE).log()
            logs = logs + (alone.sum(dim=1) / (everything - together) + SMALLEST_SHARE).log()
            losses.append(-(logs * known[anchors]).sum() / known[anchors].sum().clamp(min=1))
        return torch.stack(losses).mean()


def divergence(users: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Mean of KL(p, q) + KL(q, p) over users and items, p and q the sigmoids of a user's products with two vectors.

    Of two coins it is (p - q) (logit p - logit q).
    """
    first, second = users @ one.T, users @ other.T
    return ((first.sigmoid() - second.sigmoid()) * (first - second)).mean()


@register
class DAMRS(GradientModel):
    """Score: user vector . (item vector + mean of the item's views), users and items LightGCN's.

    A source's view of an item is the sum of its neighbours' embeddings, 1/sqrt(n_i n_j) of each: the nearest by cosine
    of those whose cosine is above the mean of all pairs in every source. The view by behaviour takes the items that
    most users took with it, and itself. With pi_m = sigmoid(u . h_im / |h_im|) in view m, a pair's loss has the weight
    mean pi_m exp(-2 var pi_m), and the same pair with its items exchanged the weight (max pi_m - M)+ where the mean is
    below M, the mean over all negatives. The loss adds the divergence between users' sigmoids by item vectors and by
    the mean of the views, and for each view neighbour discrimination: InfoNCE with an item's nearest by all views, and
    then with those by this view alone, as positives.

    Paper and published code agree but for projections that the code makes and does not use. Decided here: the latter
    two are means over `n_anchors` of a batch's items instead of all, a tenth of the cost and the same in expectation;
    an item that lacks a source has no such view in means, and two items need not agree in a source that one of them
    lacks; for pseudo-neighbours the other views count once each, and a view itself as often as all others together. In
    the published TikTok table validation and test parts are exchanged. Without content it is LightGCN and the view by
    behaviour.
    """

    Config = DAMRSConfig
    network = DAMRSNetwork
    source = (
        "Xv, Li, Xie et al.: Improving Multi-modal Recommender Systems by Denoising and Aligning Multi-modal Content "
        "and User Feedback (DA-MRS), KDD 2024"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = IN_GRAPHS
    presets: ClassVar[Presets] = {
        "published/amazon": {
            "batch_size": 4096,
            "patience": 20,
            "alignment_weight": 1.0,
            "neighbour_weight": 1e-3,
            "learning_rate": 1e-3,
        },
        "published/tiktok": {
            "batch_size": 4096,
            "patience": 20,
            "alignment_weight": 0.1,
            "neighbour_weight": 1e-2,
            "n_neighbours": 5,
            "n_layers": 3,
            "learning_rate": 1e-3,
        },
    }

    @classmethod
    def memory(cls, config: DAMRSConfig, size: DataSize) -> float:
        """That of a graph model, and the anchors' cosines with all items, of two sources and behaviour."""
        return super().memory(config, size) + 96 * config.n_anchors * size.n_items
