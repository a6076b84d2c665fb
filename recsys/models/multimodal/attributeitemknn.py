"""Items that were taken by the same users and are described alike."""

import math

import numpy as np
from pydantic import PositiveFloat
from scipy import sparse

from recsys.content.features import Content
from recsys.models.base import TrainingData, searched
from recsys.models.multimodal._vectors import is_attributes, scaled
from recsys.models.neighbours._similarity import NeighbourConfig, nearest, weighted
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel


class AttributeItemKNNConfig(NeighbourConfig):
    """Hyper-parameters.

    Attributes:
        content_weight: of the content's columns beside those of the users.
    """

    content_weight: PositiveFloat = searched(1.0, math.exp(-5), math.exp(5), log=True)


@register
class AttributeItemKNN(ItemWeightsModel):
    """ItemKNN over an item's users and, times `content_weight`, its content, side by side.

    Attributes (0 or 1, such as keywords of descriptions) are columns like those of the users, and TF-IDF or BM25
    weighs them too. Other content is centred and scaled to rows of mean length 1, so that the weight means the same
    for every encoder; it holds no counts, and the weighting leaves it alone. Without content this is ItemKNN.
    """

    Config = AttributeItemKNNConfig
    source = "Gantner, Rendle, Freudenthaler, Schmidt-Thieme: MyMediaLite, RecSys 2011 (attribute-based item kNN)"
    deterministic = True
    scores_cold_items = True

    def fit(self, data: TrainingData) -> None:
        """Find each item's neighbours."""
        self.train = data.train
        weight = np.float32(self.config.content_weight)
        attributes = [sparse.csr_array(f.matrix * weight) for f in data.content.values() if is_attributes(f)]
        counted = sparse.csr_array(sparse.hstack([data.train.T, *attributes], format="csr"))
        rows = weighted(counted, self.config.weighting)
        self.weights = nearest(rows, self.config, _embeddings(data.content, weight)).T.tocsr()


def _embeddings(content: Content, weight: np.float32) -> np.ndarray | None:
    """Sources that are no attributes, side by side, each of mean row length `weight`; None where there are none."""
    blocks = [scaled(features) * weight for features in content.values() if not is_attributes(features)]
    blocks = [rows for rows in blocks if rows.any()]
    return np.concatenate(blocks, axis=1) if blocks else None
