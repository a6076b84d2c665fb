"""NMF: interactions as sums of parts, none of which takes anything away."""

import warnings
from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveInt
from scipy import sparse
from sklearn.decomposition import NMF as Factorisation  # noqa: N811
from sklearn.exceptions import ConvergenceWarning

from recsys.models.registry import register
from recsys.models.scoring import FactorModel
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, TrainingData, searched


class NMFConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_factors: number of parts; at most the smaller side of the matrix.
        loss: between X and W H: squared error (Frobenius) or Kullback-Leibler divergence.
        start: random, or the signs of singular vectors parted and their zeros filled (NNDSVDa).
        max_iterations: fewer where the loss falls by less than 1e-4 of its first value in ten.
    """

    n_factors: PositiveInt = searched(100, 4, 350, log=True)
    loss: Literal["frobenius", "kullback-leibler"] = searched("frobenius", choices=["frobenius", "kullback-leibler"])
    start: Literal["random", "nndsvda"] = searched("random", choices=["random", "nndsvda"])
    max_iterations: PositiveInt = 500

    first_points: ClassVar[FirstPoints] = ({"n_factors": 30, "loss": "kullback-leibler"}, {"n_factors": 10})


@register
class NMF(FactorModel):
    """X = W H with non-negative W and H; score = W H.

    By multiplicative updates, which serve both losses. Coordinate descent knows one of them, and on Amazon Baby took
    fifteen times as long at 100 factors to be hardly better. Who took nothing, and what nobody took, scores zero.
    """

    Config = NMFConfig
    source = "Lee, Seung: Algorithms for non-negative matrix factorization, NIPS 2000"

    @classmethod
    def memory(cls, config: NMFConfig, size: DataSize) -> float:
        """Both factors in double precision, with numerators and denominators of their updates."""
        return FIXED_MEMORY + 24 * size.n_interactions + 16 * config.n_factors * (size.n_users + size.n_items)

    def fit(self, data: TrainingData) -> None:
        """Update until the loss stays."""
        # In single precision the updates overflow on sparse markets, some two hundred factors being enough.
        config, train = self.config, sparse.csr_matrix(data.train, dtype=np.float64)
        factorisation = Factorisation(
            n_components=min(config.n_factors, *train.shape),
            init=config.start,
            solver="mu",
            beta_loss=config.loss,
            max_iter=config.max_iterations,
            random_state=data.seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the last iteration is a budget, not a fault
            self.user_factors = factorisation.fit_transform(train).astype(np.float32)
        self.item_factors = np.ascontiguousarray(factorisation.components_.T, dtype=np.float32)
