"""AddEASE: item weights by two ridge regressions, one on users and one on content, added up."""

from typing import ClassVar

import numpy as np
from pydantic import PositiveFloat
from scipy.linalg import cholesky, solve_triangular

from recsys.models.linear.ease import EASE, EASEConfig, gram, ridge_weights
from recsys.models.multimodal._vectors import side_by_side
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, FirstPoints, Share, TrainingData, searched


class AddEASEConfig(EASEConfig):
    """Hyper-parameters.

    Attributes:
        content_weight: a, share of the content's weights, 0 to 1; 0 is EASE.
        content_l2: regularisation of the regression on content, whose rows have a mean squared length of about 1.
    """

    content_weight: Share = searched(0.2, 0.0, 1.0, step=0.05, needs="content")
    content_l2: PositiveFloat = searched(1.0, 1e-3, 1e2, log=True, unless={"content_weight": [0.0]}, needs="content")

    first_points: ClassVar[FirstPoints] = (
        {"l2": 100.0, "content_weight": 0.0},
        {"l2": 100.0, "content_l2": 0.05},
        {"l2": 300.0},
    )


@register
class AddEASE(ItemWeightsModel):
    """Additive EASE: B = (1 - a) B_users + a B_content; score = X B.

    B_users is that of EASE, B_content the same of the content: each item's vector by ridge regression on the other
    items' vectors. The paper's content are tags under the users' own l2; here it is centred and scaled as in CEASE,
    and has a regularisation of its own. With a = 0, or without content, the model equals EASE.
    """

    Config = AddEASEConfig
    source = (
        "Jeunen, Van Balen, Goethals: Closed-form models for collaborative filtering with side-information, "
        "RecSys 2020"
    )
    deterministic = True
    scores_cold_items = True
    without_content = "EASE"

    @property
    def content_used(self) -> bool:
        """False at weight 0, and where there is no content."""
        return self.config.content_weight > 0 and self._content_used

    @classmethod
    def memory(cls, config: AddEASEConfig, size: DataSize) -> float:
        """That of EASE, which is needed twice in turn, and copies of the content."""
        return EASE.memory(config, size) + 40 * size.width * size.n_items

    def fit(self, data: TrainingData) -> None:
        """Solve both regressions."""
        self.train = data.train
        self.weights = ridge_weights(gram(data.train), self.config.l2)
        self._content_used = bool(data.content)
        if self.content_used:
            share, vectors = np.float32(self.config.content_weight), side_by_side(data.content)
            self._content_used = bool(vectors.any())
            self.weights *= 1 - share
            self.weights += share * content_weights(vectors, self.config.content_l2)


def content_weights(vectors: np.ndarray, l2: float) -> np.ndarray:
    """Weights of the ridge regression of each row on all others, at the cost of n_items^2 x dim.

    With F = `vectors` and F'F + l2 I = L L', (F F' + l2 I)^-1 = (I - Z Z') / l2 for Z = F L^-T (Woodbury), and so
    B_ij = (Z Z')_ij / (1 - (Z Z')_jj) off the diagonal.

    Args:
        vectors: float32, shape (n_items, dim).
        l2: regularisation.

    Returns:
        float32, shape (n_items, n_items), the diagonal zero; rows and columns of zero vectors are zero.
    """
    wide = vectors.astype(np.float64)
    factor = cholesky(wide.T @ wide + l2 * np.eye(wide.shape[1]), lower=True)
    z = solve_triangular(factor, wide.T, lower=True).T
    leverage = np.einsum("ij,ij->i", z, z)
    weights = z @ z.T
    weights /= 1 - leverage
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)
