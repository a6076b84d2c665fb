"""How much the items of a set are alike by content: a user's profile, or a list."""

import numpy as np
from scipy import sparse

from recsys.content.features import Content, Features

BLOCK = 4096
"""Sets summed at a time: 32 MB of sums of 2,048 columns."""


def coherence(sets: sparse.csr_array, content: Content) -> np.ndarray:
    """Mean cosine over the pairs of items of each set; over several sources, the mean of those that can tell.

    Args:
        sets: binary, shape (n_sets, n_items).
        content: features by source.

    Returns:
        float64, shape (n_sets,); nan where no source has two items of the set.
    """
    found = np.stack([_of_source(sets, features) for features in content.values()])
    known = np.isfinite(found)
    total = np.where(known, found, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _of_source(sets: sparse.csr_array, features: Features) -> np.ndarray:
    norms = np.linalg.norm(features.matrix, axis=1, keepdims=True)
    there = (norms[:, 0] > 0).astype(np.float64)
    unit = features.matrix / np.where(norms > 0, norms, 1)
    # Of unit vectors, the squared length of a sum is their number and the cosines of all ordered pairs.
    squared = np.empty(sets.shape[0])
    for start in range(0, len(squared), BLOCK):
        sums = sets[start : start + BLOCK] @ unit
        squared[start : start + BLOCK] = np.einsum("sd,sd->s", sums, sums, dtype=np.float64)
    n = sets @ there
    return np.where(n > 1, (squared - n) / np.maximum(n * (n - 1), 1), np.nan)
