"""HybridItemKNN: items like those that a user has, alike by who took them, by content, or both."""

from typing import ClassVar

import numpy as np
from pydantic import PositiveInt
from scipy import sparse

from recsys.content.features import Content
from recsys.models.multimodal._vectors import directions
from recsys.models.neighbours._similarity import (
    BLOCK_ENTRIES,
    DOT,
    TVERSKY,
    NeighbourConfig,
    nearest,
    neighbour_memory,
    strongest,
    weighted,
)
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, FirstPoints, Share, TrainingData, searched


class HybridItemKNNConfig(NeighbourConfig):
    """Hyper-parameters.

    Attributes:
        content_weight: w, share of the content's similarities, 0 to 1; 0 is ItemKNN.
        n_content_neighbours: kept for each item.
    """

    content_weight: Share = searched(0.2, 0.0, 1.0, step=0.05, needs="content")
    n_content_neighbours: PositiveInt = searched(
        20, 5, 200, log=True, unless={"content_weight": [0.0]}, needs="content"
    )

    first_points: ClassVar[FirstPoints] = (
        {"n_neighbours": 100, "shrink": 2.0, "content_weight": 0.0},
        {"n_neighbours": 100, "shrink": 2.0},
        {"n_neighbours": 1000, "shrink": 1000.0},
        DOT,
        *TVERSKY,
    )


@register
class HybridItemKNN(ItemWeightsModel):
    """S = (1 - w) S_interactions + w S_content; score = X S.

    S_interactions is that of ItemKNN. S_content is the mean over the sources that two items share of the cosine of
    their centred vectors, each source weighted by its agreement with the training interactions, so that an
    uninformative source does not dilute an informative one. The nearest items are kept, and S_content is scaled to the
    sum of S_interactions, so that w means the same whatever the measure and its shrinkage. Items without content have
    no content neighbours, and constant content gives none to any. With w = 0, or without content, the model equals
    ItemKNN.
    """

    Config = HybridItemKNNConfig
    source = "Burke: Hybrid recommender systems, UMUAI 2002 (weighted), of the item kNN of Sarwar et al., WWW 2001"
    deterministic = True
    scores_cold_items = True
    without_content = "ItemKNN"

    @property
    def content_used(self) -> bool:
        """False at weight 0, and where no two items have alike content."""
        return self.config.content_weight > 0 and self._content_used

    @classmethod
    def memory(cls, config: HybridItemKNNConfig, size: DataSize) -> float:
        """That of neighbours by interactions, then by content; several sources need the items' co-occurrences too."""
        neighbours = config.n_neighbours + config.n_content_neighbours
        found = neighbour_memory(size.n_items, size.item_pairs, neighbours, size, width=size.width)
        return found + (30 * size.item_pairs if size.width else 0)

    def fit(self, data: TrainingData) -> None:
        """Find each item's neighbours of both kinds."""
        self.train = data.train
        similar = nearest(weighted(data.train.T.tocsr(), self.config.weighting), self.config)
        self._content_used = bool(data.content)
        if self.content_used:
            alike = content_neighbours(data.content, data.train, self.config.n_content_neighbours)
            self._content_used = alike.nnz > 0
            scale = similar.sum() / alike.sum() if similar.nnz and alike.nnz else 1.0
            weight = self.config.content_weight
            similar = sparse.csr_array(similar * np.float32(1 - weight) + alike * np.float32(weight * scale))
        self.weights = similar.T.tocsr()


def content_neighbours(content: Content, train: sparse.csr_array, n_neighbours: int) -> sparse.csr_array:
    """Cosines of each item to the items most like it, the weighted mean over the sources that both have.

    Args:
        content: features by source.
        train: interactions, shape (n_users, n_items), by which sources are weighted where there are several.
        n_neighbours: kept for each item.

    Returns:
        float32 CSR, shape (n_items, n_items): row an item, its neighbours' similarities; the diagonal is empty.
    """
    sources = [(directions(features), features.present[:, None].astype(np.float32)) for features in content.values()]
    if len(sources) == 1:
        return _nearest_directions(*sources[0], n_neighbours)
    agreements = np.array([agreement(_nearest_directions(*source, n_neighbours), train) for source in sources])
    total = agreements.sum()
    shares = (agreements / total if total > 0 else np.full(len(sources), 1 / len(sources))).astype(np.float32)
    vectors = np.concatenate([np.sqrt(share) * rows for share, (rows, _) in zip(shares, sources, strict=True)], axis=1)
    present = np.concatenate([np.sqrt(share) * has for share, (_, has) in zip(shares, sources, strict=True)], axis=1)
    return _nearest_directions(vectors, present, n_neighbours)


def agreement(neighbours: sparse.csr_array, train: sparse.csr_array) -> float:
    """How much more alike in their users content neighbours are than any two items: a difference of mean cosines.

    Zero where they are less alike. Training interactions alone enter.
    """
    length = np.sqrt(np.maximum(np.asarray(train.sum(axis=0)), 1))
    columns = sparse.csr_array(train / length[None, :])
    alike = sparse.csr_array(columns.T @ columns)
    alike.setdiag(0)
    n = train.shape[1]
    if not neighbours.nnz:
        return 0.0
    among = float(alike.multiply(neighbours > 0).sum()) / neighbours.nnz
    return max(among - float(alike.sum()) / (n * (n - 1)), 0.0)


def _nearest_directions(vectors: np.ndarray, present: np.ndarray, n_neighbours: int) -> sparse.csr_array:
    """Nearest rows by inner product over what both rows have, in blocks."""
    n = len(vectors)
    step = max(1, BLOCK_ENTRIES // n)
    parts = []
    for start in range(0, n, step):
        block = slice(start, start + step)
        values = vectors[block] @ vectors.T
        shared = present[block] @ present.T
        values /= np.where(shared > 0, shared, 1)
        np.fill_diagonal(values[:, start:], 0)
        parts.append(strongest(values, n_neighbours))
    return sparse.vstack(parts, format="csr")
