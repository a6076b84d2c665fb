"""CEASE: item weights by one ridge regression on users and content together."""

import math
from typing import ClassVar

import numpy as np
from pydantic import PositiveFloat

from recsys.models.linear.ease import EASE, EASEConfig, gram, ridge_weights
from recsys.models.multimodal._vectors import side_by_side
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, FirstPoints, TrainingData, searched


class CEASEConfig(EASEConfig):
    """Hyper-parameters.

    Attributes:
        content_weight: w, of the squared error on content beside that on users (alpha^2 in the authors' code).
    """

    content_weight: PositiveFloat = searched(30.0, 0.1, 1e4, log=True, needs="content")

    first_points: ClassVar[FirstPoints] = (
        {"l2": 100.0, "content_weight": 0.1},
        {"l2": 100.0},
        {"l2": 300.0},
    )


@register
class CEASE(ItemWeightsModel):
    """Collective EASE: content dimensions are further rows of X, weighted by w; score = X B.

    B = -P / diag(P) with a zero diagonal, P = (X'X + w F F' + l2 I)^-1, F the items' content (n_items x dim). The
    paper's content are tags; here each source is centred, since the regression has no intercept, and scaled to the
    same length whatever its width, so that w means the same for every encoder. Constant content and no content leave
    EASE.
    """

    Config = CEASEConfig
    source = (
        "Jeunen, Van Balen, Goethals: Closed-form models for collaborative filtering with side-information, "
        "RecSys 2020"
    )
    deterministic = True
    scores_cold_items = True
    without_content = "EASE"

    @classmethod
    def memory(cls, config: CEASEConfig, size: DataSize) -> float:
        """That of EASE, and copies of the content."""
        return EASE.memory(config, size) + 24 * size.width * size.n_items

    def fit(self, data: TrainingData) -> None:
        """Invert the regularised Gram matrix of users and content."""
        self.train = data.train
        products, self._content_used = gram(data.train), False
        if data.content:
            vectors = side_by_side(data.content) * np.float32(math.sqrt(self.config.content_weight))
            self._content_used = bool(vectors.any())
            products += vectors @ vectors.T
        self.weights = ridge_weights(products, self.config.l2)
