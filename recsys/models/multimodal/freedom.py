"""FREEDOM: LightGCN on a thinned user-item graph, and a frozen item graph from content."""

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding, softplus

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import DropRate, Share, TrainingData, searched
from recsys.training.content import TRAINED, ContentConfig, scaled_features
from recsys.training.graph_network import GraphNetwork, ThinnedGraph
from recsys.training.item_graph import mixed_item_operator
from recsys.training.losses import factor_bpr_loss
from recsys.training.network import Batch
from recsys.training.randomness import generator


class FREEDOMConfig(ContentConfig):
    """Hyper-parameters of FREEDOM.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        drop_rate: share of its edges left out in each epoch.
        n_neighbours: neighbours per item in the item graph, including the item itself.
        image_weight: weight of the image graph where exactly text and image are shown; otherwise sources weigh the
            same. Published as 0.1, for catalogues with informative texts; searched here, as sources are to be
            compared.
        content_weight: weight of the loss that ranks by projected content alone.
    """

    n_layers: PositiveInt = 2
    drop_rate: DropRate = searched(0.8, choices=[0.5, 0.8, 0.9])
    n_neighbours: PositiveInt = 10
    image_weight: Share = searched(0.1, choices=[0.1, 0.5, 0.9], needs="text_and_image")
    content_weight: NonNegativeFloat = searched(1e-3, choices=[0.0, 1e-5, 1e-4, 1e-3], needs="content")


class ContentRanking(nn.Module):
    """Scores differences of items by one source's projected features, which are trained too.

    A bias of the projection would cancel in the difference, so there is none, and only the difference is projected,
    or all items where these are fewer.
    """

    known: Tensor

    def __init__(self, table: Tensor, present: Tensor, n_factors: int, draws: torch.Generator) -> None:
        """Take the features, shape (n_items, dim), as starting values."""
        super().__init__()
        self.features = nn.Parameter(table)
        bound = table.shape[1] ** -0.5  # as torch's linear layers start
        self.projection = nn.Parameter(torch.empty(table.shape[1], n_factors).uniform_(-bound, bound, generator=draws))
        self.register_buffer("known", present)

    def forward(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        """BPR of user vectors, shape (batch, n_factors); pairs in which an item lacks the source count nothing."""
        chosen = torch.cat([positives, negatives])
        if len(chosen) < len(self.features):
            p, n = embedding(chosen, self.features).chunk(2)
            projected = (p - n) @ self.projection
        else:
            p, n = embedding(chosen, self.features @ self.projection).chunk(2)
            projected = p - n
        difference = (users * projected).sum(dim=1)
        return (softplus(-difference) * (self.known[positives] & self.known[negatives])).mean()


class FREEDOMNetwork(GraphNetwork):
    """Embeddings, the two graphs over them, and a content ranking for each source."""

    def __init__(self, data: TrainingData, config: FREEDOMConfig) -> None:
        """Draw the parameters from the seed; without content there is neither item graph nor projection."""
        draws = generator(data.seed)
        super().__init__(data, config, draws=draws)
        self.config, self.thinned = config, ThinnedGraph(data.train, config.drop_rate, self.adjacency)
        self.item_graph = mixed_item_operator(data.content, config.n_neighbours, config.image_weight)
        self.rankings = nn.ModuleList()
        if config.content_weight > 0:
            for features in data.content.values():
                table, present = scaled_features(features, config.feature_scaling), torch.from_numpy(features.present)
                self.rankings.append(ContentRanking(table, present, config.n_factors, draws))

    @property
    def content_used(self) -> bool:
        """Whether content has a way into the scores: an item graph with edges, or a content loss."""
        return self.item_graph is not None or len(self.rankings) > 0

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Thin the graph anew."""
        self.thinned.draw(rng)

    def loss(self, batch: Batch) -> Tensor:
        """BPR of the fused vectors, and of each source's projected content."""
        users, positives, negatives = batch
        chosen = torch.cat([positives, negatives])
        propagated = self.propagated(self.config.n_layers, operator=self.thinned.operator)
        u, items = embedding(self.nodes(users, chosen), propagated).tensor_split([len(users)])
        if self.item_graph is not None:
            items = items + embedding(chosen, self.item_graph @ self.items)
        p, n = items.chunk(2)
        loss = factor_bpr_loss(u, p, n)
        for ranking in self.rankings:
            loss = loss + self.config.content_weight * ranking(u, positives, negatives)
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Vectors over the whole graph."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        return users, items if self.item_graph is None else items + self.item_graph @ self.items


@register
class FREEDOM(GradientModel):
    """Score: user vector . (item vector + mean of its content neighbours' embeddings).

    The user-item part is LightGCN; in training it sees the edges that degree-sensitive dropping left in this epoch, in
    scoring all of them. The item graphs are made once from the features as given, one a source with 1/k on each of k
    neighbours, and are summed into one operator before training. The loss adds a BPR of users with each source's
    projected, trained features.

    Follows the published code. Decided here: text and image weigh 0.9 and 0.1 as published, but the published code
    gives a single source its fraction too, so that `image` alone has a tenth of an item graph and comparisons of
    sources measure that; here the weights of what an item has sum to one. Features are scaled (see `scaled_features`),
    where they are published raw. Items without a source have no edges in its graph and no part in its loss. Without
    content the model is LightGCN with edge dropping.
    """

    Config = FREEDOMConfig
    network = FREEDOMNetwork
    source = (
        "Zhou, Shen: A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal Recommendation "
        "(FREEDOM), MM 2023"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
