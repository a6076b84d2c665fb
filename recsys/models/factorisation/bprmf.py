"""BPR-MF: matrix factorisation that learns to rank what a user chose above what they did not."""

from pydantic import NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.registry import register
from recsys.models.scoring import FactorModel
from recsys.recommender import TrainingData, searched
from recsys.training.embeddings import generator, initial_embeddings
from recsys.training.loop import PairwiseNetwork, TrainedConfig, train
from recsys.training.losses import bpr_loss, embedding_norm_loss


class BPRMFConfig(TrainedConfig):
    """Hyper-parameters of BPR-MF.

    Attributes:
        norm_weight: of the batch embeddings' Frobenius norm, not squared (see `embedding_norm_loss`).
    """

    norm_weight: NonNegativeFloat = searched(0.1, 1e-5, 2.0, log=True)


class BPRMFNetwork(PairwiseNetwork):
    """Two tables of embeddings."""

    def __init__(self, data: TrainingData, config: BPRMFConfig) -> None:
        """Draw the tables from the seed."""
        super().__init__(data.train, config.batch_size)
        self.norm_weight = config.norm_weight
        users, items = initial_embeddings(data.train, config.n_factors, generator(data.seed))
        self.users, self.items = nn.Parameter(users), nn.Parameter(items)

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """BPR and the norms of the batch's rows."""
        users, positives, negatives = batch
        u, p, n = (
            embedding(users, self.users),
            embedding(positives, self.items),
            embedding(negatives, self.items),
        )
        ranking = bpr_loss((u * p).sum(dim=1), (u * n).sum(dim=1))
        return ranking + self.norm_weight * embedding_norm_loss(u, p, n)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Both tables."""
        return self.users, self.items


@register
class BPRMF(FactorModel):
    """Score: the inner product of a user's and an item's vector.

    Regularised by the un-squared norm, as the published multimodal tables do it for BPR and VBPR alike: VBPR
    without content is then this model to the last digit. No item bias: a factor can take its part.
    """

    Config = BPRMFConfig
    source = "Rendle, Freudenthaler, Gantner, Schmidt-Thieme: BPR, UAI 2009"

    def fit(self, data: TrainingData) -> None:
        """Learn the tables by Adam on pairs."""
        train(self, BPRMFNetwork(data, self.config), data)
