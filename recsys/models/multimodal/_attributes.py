"""What the attribute-based neighbourhood models share: content as further columns of the rows that are compared."""

from typing import ClassVar

import numpy as np
from pydantic import PositiveFloat
from scipy import sparse

from recsys.models.neighbours._similarity import DOT, TVERSKY, NeighbourConfig, nearest, weighted
from recsys.recommender import FirstPoints, searched


class AttributeConfig(NeighbourConfig):
    """Hyper-parameters.

    Attributes:
        content_weight: weight of the content's columns beside those of the interactions.
    """

    content_weight: PositiveFloat = searched(1.0, 1e-2, 1e2, log=True, needs="content")

    first_points: ClassVar[FirstPoints] = (
        {"n_neighbours": 100, "shrink": 2.0, "content_weight": 0.01},
        {"n_neighbours": 100, "shrink": 2.0},
        {"n_neighbours": 1000, "shrink": 1000.0},
        DOT,
        *TVERSKY,
    )


def nearest_described(
    interactions: sparse.csr_array,
    attributes: list[sparse.csr_array],
    embeddings: list[np.ndarray],
    config: AttributeConfig,
) -> sparse.csr_array:
    """Similarities of each row to its nearest other rows, by interactions and content side by side.

    Attributes are weighted by TF-IDF or BM25 like interactions. Embeddings hold no counts, and the weighting leaves
    them alone; their rows are scaled to a mean length of `content_weight`, which then means the same for any encoder.

    Args:
        interactions: shape (n, n_others).
        attributes: of each source, non-negative, shape (n, n_attributes).
        embeddings: of each source, float32, shape (n, dim).
        config: weights, similarity and number of neighbours.

    Returns:
        float32 CSR, shape (n, n); the diagonal is empty.
    """
    weight = np.float32(config.content_weight)
    counted = sparse.csr_array(sparse.hstack([interactions, *(block * weight for block in attributes)], format="csr"))
    lengths = [np.linalg.norm(block, axis=1) for block in embeddings]
    scaled = [
        block * (weight / length[length > 0].mean())
        for block, length in zip(embeddings, lengths, strict=True)
        if length.any()
    ]
    vectors = np.concatenate(scaled, axis=1) if scaled else None
    return nearest(weighted(counted, config.weighting), config, vectors)
