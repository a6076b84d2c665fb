"""Truncated singular value decomposition of sparse matrices."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys.recommender import FIXED_MEMORY, DataSize


def right_singular_vectors(matrix: sparse.csr_array, n_factors: int) -> np.ndarray:
    """The right singular vectors of the largest singular values, largest first, whatever the seed.

    By Lanczos iterations to machine precision: where singular values fall slowly, as those of interactions do,
    randomised methods return other vectors. Where most of them are asked for, by the dense decomposition.

    Args:
        matrix: float32, shape (n_rows, n_columns).
        n_factors: how many; fewer where the matrix is smaller.

    Returns:
        float32, shape (n_columns, n_factors).
    """
    smaller = min(matrix.shape)
    if 2 * n_factors >= smaller:
        _, _, vectors = np.linalg.svd(matrix.toarray(), full_matrices=False)
        return np.ascontiguousarray(vectors[:n_factors].T)
    start = np.random.default_rng(0).uniform(-1, 1, smaller).astype(matrix.dtype)
    _, values, vectors = svds(matrix, k=n_factors, v0=start)
    return np.ascontiguousarray(vectors[np.argsort(-values)].T)


def svd_memory(n_factors: int, size: DataSize) -> float:
    """Bytes of `right_singular_vectors` and of users' factors made of them: Lanczos keeps 2 n_factors + 1 vectors."""
    smaller = min(size.n_users, size.n_items)
    if 2 * n_factors >= smaller:
        return FIXED_MEMORY + 16 * size.n_users * size.n_items
    vectors = n_factors * (8 * smaller + 4 * (size.n_users + size.n_items))
    return FIXED_MEMORY + 8 * size.n_interactions + vectors
