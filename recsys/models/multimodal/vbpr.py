"""VBPR: matrix factorisation whose items carry, beside an embedding, a projection of their content."""

import torch
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.factorisation.bprmf import BPRMFConfig, BPRMFNetwork
from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import TrainingData
from recsys.training.content import FROZEN, ContentConfig, mapped_rows, scaled_features
from recsys.training.embeddings import initial_embeddings, xavier_projection
from recsys.training.losses import embedding_norm_loss, factor_bpr_loss
from recsys.training.network import Batch, Network, PairwiseNetwork
from recsys.training.randomness import generator


class VBPRConfig(BPRMFConfig, ContentConfig):
    """Hyper-parameters of VBPR: those of BPR-MF and the content half's.

    Attributes:
        n_content_factors: size of the projected content and of the users' second half.
    """

    n_content_factors: PositiveInt = 64


class VBPRNetwork(PairwiseNetwork):
    """Embeddings, and a linear map of all sources' features side by side."""

    features: Tensor
    known: Tensor

    def __init__(self, data: TrainingData, config: VBPRConfig) -> None:
        """Draw the parameters from the seed; the features stay as they are."""
        super().__init__(data.train, config)
        self.norm_weight = config.norm_weight
        draws = generator(data.seed)
        users, items = initial_embeddings(data.train, config.n_factors, draws)
        tastes, _ = initial_embeddings(data.train, config.n_content_factors, draws)
        self.users, self.items = nn.Parameter(torch.cat([users, tastes], dim=1)), nn.Parameter(items)
        sources = [scaled_features(features, config.feature_scaling) for features in data.content.values()]
        present = [torch.from_numpy(features.present) for features in data.content.values()]
        self.register_buffer("features", torch.cat(sources, dim=1))
        self.register_buffer("known", torch.stack(present).any(dim=0)[:, None].float())
        self.projection = nn.Parameter(xavier_projection(self.features.shape[1], config.n_content_factors, draws))
        self.bias = nn.Parameter(torch.zeros(config.n_content_factors))

    def loss(self, batch: Batch) -> Tensor:
        """BPR and the norms of the batch's rows."""
        users, positives, negatives = batch
        u = embedding(users, self.users)
        p, n = self._items(torch.cat([positives, negatives])).chunk(2)
        ranking = factor_bpr_loss(u, p, n)
        return ranking + self.norm_weight * embedding_norm_loss(u, p, n)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Both halves of users and of items."""
        return self.users, self._items(torch.arange(len(self.items), device=self.items.device))

    def _items(self, items: Tensor) -> Tensor:
        content = mapped_rows(items, self.features, lambda features: features @ self.projection)
        return torch.cat([embedding(items, self.items), content + self.bias * embedding(items, self.known)], dim=1)


@register
class VBPR(GradientModel):
    """Score: user vector . [item embedding; W features + b].

    As in the published multimodal tables, without the paper's visual and item biases, and with all sources side by
    side in one projection. Three decisions differ from them or fill a gap: features are scaled to a mean norm of one a
    source (see `scaled_features`); a missing source adds nothing to the projection, and an item without any content
    gets no bias either; items never seen in training have a zero embedding and are scored by their content alone.
    Without content the model is BPR-MF: no projection, no second half of the users.
    """

    Config = VBPRConfig
    network = VBPRNetwork
    source = "He, McAuley: VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback, AAAI 2016"
    scores_cold_items = True
    without_content = "BPRMF"
    bytes_per_feature = FROZEN

    def new_network(self, data: TrainingData) -> Network:
        """Its own network, or BPR-MF's where there is no content."""
        return super().new_network(data) if data.content else BPRMFNetwork(data, self.config)
