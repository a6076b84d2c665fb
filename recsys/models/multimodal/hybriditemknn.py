"""Items like those that a user has: alike by who took them, alike by content, or both."""

import numpy as np
from pydantic import PositiveInt
from scipy import sparse

from recsys.content.features import Content
from recsys.models.base import TrainingData, searched
from recsys.models.multimodal._vectors import directions
from recsys.models.neighbours._similarity import BLOCK_ENTRIES, NeighbourConfig, nearest, strongest, weighted
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel


class HybridItemKNNConfig(NeighbourConfig):
    """Hyper-parameters.

    Attributes:
        content_weight: w, share of the content's similarities, 0 to 1; 0 is ItemKNN.
        n_content_neighbours: kept for each item.
    """

    content_weight: float = searched(0.2, choices=[0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    n_content_neighbours: PositiveInt = searched(20, 5, 200)


@register
class HybridItemKNN(ItemWeightsModel):
    """S = (1 - w) S_interactions + w S_content; score = X S.

    S_interactions is that of ItemKNN. S_content is the mean over the sources that two items share of the cosine of
    their centred vectors, with the nearest items kept, and is scaled to the sum of S_interactions, so that w means
    the same whatever the measure and its shrinkage. Items without content have no content neighbours, and constant
    content gives none to any. With w = 0, or without content, the model equals ItemKNN.
    """

    Config = HybridItemKNNConfig
    source = "Burke: Hybrid recommender systems, UMUAI 2002 (weighted), of the item kNN of Sarwar et al., WWW 2001"
    deterministic = True
    scores_cold_items = True

    @property
    def content_used(self) -> bool:
        """False at weight 0."""
        return self.config.content_weight > 0

    def fit(self, data: TrainingData) -> None:
        """Find each item's neighbours of both kinds."""
        self.train = data.train
        similar = nearest(weighted(data.train.T.tocsr(), self.config.weighting), self.config)
        if self.content_used and data.content:
            alike = content_neighbours(data.content, self.config.n_content_neighbours)
            scale = similar.sum() / alike.sum() if similar.nnz and alike.nnz else 1.0
            weight = self.config.content_weight
            similar = sparse.csr_array(similar * np.float32(1 - weight) + alike * np.float32(weight * scale))
        self.weights = similar.T.tocsr()


def content_neighbours(content: Content, n_neighbours: int) -> sparse.csr_array:
    """Cosines of each item to the items most like it, the mean over the sources that both have.

    Returns:
        float32 CSR, shape (n_items, n_items): row an item, its neighbours' similarities; the diagonal is empty.
    """
    vectors = np.concatenate([directions(features) for features in content.values()], axis=1)
    present = np.stack([features.present for features in content.values()], axis=1).astype(np.float32)
    n = len(vectors)
    step = max(1, BLOCK_ENTRIES // n)
    parts = []
    for start in range(0, n, step):
        block = slice(start, start + step)
        values = vectors[block] @ vectors.T
        values /= np.maximum(present[block] @ present.T, 1)
        np.fill_diagonal(values[:, start:], 0)
        parts.append(strongest(values, n_neighbours))
    return sparse.vstack(parts, format="csr")
