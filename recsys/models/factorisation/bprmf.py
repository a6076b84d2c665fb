"""BPR-MF: matrix factorisation that learns to rank what a user chose above what they did not."""

from typing import ClassVar

from pydantic import NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import FirstPoints, TrainingData, searched
from recsys.training.embeddings import initial_embeddings
from recsys.training.losses import embedding_norm_loss, factor_bpr_loss
from recsys.training.network import Batch, PairwiseNetwork, TrainedConfig
from recsys.training.randomness import generator


class BPRMFConfig(TrainedConfig):
    """Hyper-parameters of BPR-MF.

    Attributes:
        norm_weight: weight of the batch embeddings' Frobenius norm, not squared (see `embedding_norm_loss`).
    """

    norm_weight: NonNegativeFloat = searched(0.1, 1e-4, 2.0, log=True)

    first_points: ClassVar[FirstPoints] = ({"norm_weight": 1.0}, {"norm_weight": 0.01})


class BPRMFNetwork(PairwiseNetwork):
    """Two tables of embeddings."""

    def __init__(self, data: TrainingData, config: BPRMFConfig) -> None:
        """Draw the tables from the seed."""
        super().__init__(data.train, config)
        self.norm_weight = config.norm_weight
        users, items = initial_embeddings(data.train, config.n_factors, generator(data.seed))
        self.users, self.items = nn.Parameter(users), nn.Parameter(items)

    def loss(self, batch: Batch) -> Tensor:
        """BPR and the norms of the batch's rows."""
        users, positives, negatives = batch
        u, p, n = (
            embedding(users, self.users),
            embedding(positives, self.items),
            embedding(negatives, self.items),
        )
        ranking = factor_bpr_loss(u, p, n)
        return ranking + self.norm_weight * embedding_norm_loss(u, p, n)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Both tables."""
        return self.users, self.items


@register
class BPRMF(GradientModel):
    """Score: the inner product of a user's and an item's vector.

    Regularised by the un-squared norm, as the published multimodal tables do it for BPR and VBPR alike: VBPR
    without content is then this model to the last digit. No item bias: a factor can take its part.
    """

    Config = BPRMFConfig
    network = BPRMFNetwork
    source = (
        "Rendle, Freudenthaler, Gantner, Schmidt-Thieme: BPR: Bayesian personalized ranking from implicit feedback, "
        "UAI 2009"
    )
