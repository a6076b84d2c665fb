"""PureSVD: interactions as they would be if a few factors explained them all."""

from typing import ClassVar

from pydantic import PositiveInt

from recsys.models.factorisation._svd import right_singular_vectors, svd_memory
from recsys.models.registry import register
from recsys.models.scoring import FactorModel
from recsys.recommender import DataSize, FirstPoints, ModelConfig, TrainingData, searched


class PureSVDConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_factors: singular values kept; at most the smaller side of the matrix.
    """

    n_factors: PositiveInt = searched(10, 1, 512, log=True)

    first_points: ClassVar[FirstPoints] = ({"n_factors": 50}, {"n_factors": 200})


@register
class PureSVD(FactorModel):
    """X = U S V' truncated, what nobody took being a zero; score = U S V' = X V V'."""

    Config = PureSVDConfig
    source = "Cremonesi, Koren, Turrin: Performance of recommender algorithms on top-N tasks, RecSys 2010"
    deterministic = True

    @classmethod
    def memory(cls, config: PureSVDConfig, size: DataSize) -> float:
        """The singular vectors, and what finds them."""
        return svd_memory(config.n_factors, size)

    def fit(self, data: TrainingData) -> None:
        """Decompose the interactions."""
        self.item_factors = right_singular_vectors(data.train, self.config.n_factors)
        self.user_factors = data.train @ self.item_factors
