"""Item weights by ridge regression in closed form."""

from typing import ClassVar

import numpy as np
from pydantic import PositiveFloat
from scipy import sparse
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri

from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, TrainingData, searched


class EASEConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        l2: regularisation, lambda in the paper.
    """

    l2: PositiveFloat = searched(1000.0, 1.0, 1e5, log=True)

    first_points: ClassVar[FirstPoints] = ({"l2": 100.0}, {"l2": 300.0}, {"l2": 30.0})


@register
class EASE(ItemWeightsModel):
    """B = -P / diag(P) with a zero diagonal, P = (X'X + l2 I)^-1 (equation 8); score = X B.

    The diagonal of X'X holds the items' popularity. P is found by Cholesky, its memory n_items^2.
    """

    Config = EASEConfig
    source = "Steck: Embarrassingly shallow autoencoders for sparse data, WWW 2019"
    deterministic = True

    @classmethod
    def memory(cls, config: EASEConfig, size: DataSize) -> float:
        """The Gram matrix in double precision, and two copies of the weights."""
        return FIXED_MEMORY + 16 * size.n_items**2

    def fit(self, data: TrainingData) -> None:
        """Invert the regularised Gram matrix."""
        self.train = data.train
        self.weights = ridge_weights(gram(data.train), self.config.l2)


def gram(train: sparse.csr_array) -> np.ndarray:
    """X'X, float64, shape (n_items, n_items).

    Single precision loses digits where popularity is large beside l2, as on small dense catalogues.
    """
    # The order of rows first, in which Cholesky's factor takes the place of the matrix.
    return (train.T @ train).toarray(order="C").astype(np.float64)


def ridge_weights(gram: np.ndarray, l2: float) -> np.ndarray:
    """Weights of each column's ridge regression on all others, float32, from the Gram matrix, which is changed."""
    gram[np.diag_indices_from(gram)] += l2
    # scipy's LAPACK takes two thirds of the time of torch's for the inverse, and no second matrix.
    factor = cholesky(gram.T, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = dpotri(factor, lower=True, overwrite_c=True)
    upper = inverse.T.astype(np.float32, order="C")  # LAPACK fills a triangle of columns: one of rows, transposed
    diagonal = upper.diagonal().copy()
    for row in range(len(upper)):
        upper[row, : row + 1] = 0
    weights = upper + upper.T
    weights /= -diagonal
    return weights
