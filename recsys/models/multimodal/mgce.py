"""MGCE: users' preferences in each source, split into interest and conformity with popularity."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, TrainingData, searched
from recsys.training.content import FROZEN
from recsys.training.dimensions import DimensionsConfig, DimensionsNetwork, Power, Preferences
from recsys.training.losses import unit
from recsys.training.network import Batch
from recsys.training.randomness import generator

N_BUCKETS = 3
BOUND = 0.05  # of the starting values of the buckets' vectors, as published
SMALLEST_VARIANCE = 1e-5


class MGCEConfig(DimensionsConfig):
    """Hyper-parameters of MGCE.

    Attributes:
        interest_power: p of the graph of interest.
        conformity_power: that of conformity.
        content_weight: weight of the ranking by interest and by conformity.
        separation: weight of the cosine similarity between interest and conformity.
    """

    interest_power: Power = searched(0.3, choices=[0.3, 0.5], needs="content")
    conformity_power: Power = 0.5
    image_weight: NonNegativeFloat = searched(0.5, 0.2, 1.0, step=0.1, needs="image")
    content_weight: NonNegativeFloat = searched(0.3, choices=[0.1, 0.3, 0.5, 0.7, 1.0], needs="content")
    separation: NonNegativeFloat = searched(0.3, choices=[0.0, 0.1, 0.3, 0.5, 0.7], needs="content")


class MGCENetwork(DimensionsNetwork):
    """A dimension of interactions, and for each source one of interest and one of conformity.

    Attributes:
        bucket: popularity of an item, in thirds of the range, shape (n_items,).
    """

    bucket: Tensor
    config: MGCEConfig

    def __init__(self, data: TrainingData, config: MGCEConfig) -> None:
        """Draw the parameters from the seed."""
        draws = generator(data.seed)
        super().__init__(data, config, draws, config.content_weight)
        n_sources = len(self.sources)
        if self.content_used:
            for power, n_layers in ((config.interest_power, 1), (config.conformity_power, 2)):
                self.preferences.append(Preferences(data, config.n_factors, n_sources, power, n_layers, draws))
            self.popularity = nn.Parameter(torch.empty(N_BUCKETS, config.n_factors))
            nn.init.uniform_(self.popularity, -BOUND, BOUND, generator=draws)
            degrees = np.bincount(data.train.indices, minlength=data.train.shape[1])
            bucket = N_BUCKETS * (degrees - degrees.min()) // max(np.ptp(degrees), 1)
            self.register_buffer("bucket", torch.from_numpy(bucket.clip(max=N_BUCKETS - 1)), persistent=False)

    def content(self) -> Tensor:
        """Mapped features by source, whitened."""
        return torch.cat([whitened(source(), source.present) for source in self.sources], dim=1)

    def starts(self, content: Tensor) -> list[Tensor]:
        """For interest the content, for conformity with popularity added where there is content."""
        popularity = embedding(self.bucket, self.popularity)
        popular = torch.cat([popularity * source.present for source in self.sources], dim=1)
        return [content, content + popular]

    def loss(self, batch: Batch) -> Tensor:
        """The ranking losses, and the cosine similarity of the batch's mean interest and conformity."""
        loss, vectors = self.ranking_loss(batch)
        if not vectors:
            return loss
        interest, conformity = (unit(self._means(rows)) for rows in vectors)
        return loss + self.config.separation * (interest * conformity).sum(dim=1).mean()

    def _means(self, rows: Tensor) -> Tensor:
        """Mean user and mean positive of each source, shape (2 * n_sources, n_factors)."""
        means = [part.mean(dim=0) for part in rows.chunk(3)[:2]]
        return torch.cat(means).unflatten(0, (-1, self.config.n_factors))


def whitened(x: Tensor, present: Tensor) -> Tensor:
    """Rows turned and stretched by the symmetric root of their inverse covariance, which is taken as constant.

    Args:
        x: shape (n, width); rows that are not present are zero.
        present: bool, shape (n, 1).
    """
    rows = x.detach()
    values, vectors = torch.linalg.eigh(rows.T @ rows / present.sum())
    scale = (values.clamp(min=0) + SMALLEST_VARIANCE).rsqrt()
    return x @ (vectors * scale @ vectors.T)


@register
class MGCE(GradientModel):
    """Score: u . i + sum_m w_m (a_m . b_m + c_m . d_m), over the sources m with w = `image_weight` for images, else 1.

    u and i are the last layer of embeddings over D^-1/2 (A + I) D^-p. a_m and b_m are one layer of users' interest in
    m and the items' mapped, frozen features, whitened; c_m and d_m two layers of users' conformity and those features
    with a vector of the item's popularity, low, middle or high, over graphs with other p. Each has its own BPR.

    The published code makes interest and conformity alike where the paper says apart, with a weight divided by 2048;
    here their cosine, mean over users, positives and sources, is made small, with `separation` as its weight. Decided
    here: the whitening is a constant of each step, as its gradient explodes where two eigenvalues meet; the most
    popular item is in the highest third (published: outside the table); popularity is the number of training
    interactions; batches are of all pairs instead of distinct users; where an item lacks a source both its dimensions
    start at zero. Without content the dimension of interactions is left: the last layer of LightGCN with self-loops.
    Defaults are those published for Amazon Beauty, the preset of Baby that of a later comparison. Published figures
    are of 99 sampled negatives, or trained on train and validation.
    """

    Config = MGCEConfig
    network = MGCENetwork
    source = (
        "Li, Xue, Liu, Guo, Hong: Multimodal Graph Causal Embedding for Multimedia-Based Recommendation (MGCE), TKDE "
        "2024"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        "published/beauty": {
            "batch_size": 2048,
            "image_weight": 0.5,
            "content_weight": 0.3,
            "content_l2": 0.1,
            "separation": 0.3,
            "feature_scaling": "raw",
        },
        "published/baby": {
            "batch_size": 2048,
            "n_layers": 5,
            "interest_power": 0.5,
            "image_weight": 0.6,
            "content_weight": 0.7,
            "content_l2": 0.2,
            "separation": 0.5,
            "feature_scaling": "raw",
        },
    }
