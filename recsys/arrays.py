"""Small operations on arrays that many parts need, each written once."""

import numpy as np
from scipy import sparse

N_GROUPS = 400
"""Groups of columns of which only the largest value is looked at first."""


def top_k(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns (int32) and values of each row's k largest, equal ones in column order; column -1 where -inf.

    A row's k-th largest value is no less than the k-th largest among the maxima of groups of its columns. So one quick
    pass finds the few values that may be among the k largest, and only these are sorted.
    """
    n_rows, n_columns = values.shape
    size = max(1, n_columns // max(N_GROUPS, 4 * k))
    n_groups = n_columns // size
    maxima = np.sort(values[:, : n_groups * size].reshape(n_rows, size, n_groups).max(axis=1), axis=1)
    cut = maxima[:, n_groups - k, None]
    kept = values >= cut
    # Where many values equal the cut, as the zeros of a sparse model do, no more than the first k of them can matter.
    crowded = np.flatnonzero(maxima[:, max(0, n_groups - 4 * k)] == cut[:, 0])
    equal = values[crowded] == cut[crowded]
    kept[crowded] &= ~equal | (np.cumsum(equal, axis=1, dtype=np.int32) <= k)
    places = np.flatnonzero(kept)
    rows = places // n_columns
    counts = np.bincount(rows, minlength=n_rows)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    best = np.full((n_rows, counts.max(initial=k)), -np.inf, dtype=np.float32)
    columns = np.full(best.shape, -1, dtype=np.int32)
    best[rows, nth], columns[rows, nth] = values.ravel()[places], places % n_columns
    order = np.argsort(-best, axis=1, kind="stable")[:, :k]
    best, columns = np.take_along_axis(best, order, axis=1), np.take_along_axis(columns, order, axis=1)
    columns[best == -np.inf] = -1
    return columns, best


def entries(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices


def pack_sparse(name: str, matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    """A CSR matrix as four named arrays."""
    return {
        f"{name}.data": matrix.data,
        f"{name}.indices": matrix.indices,
        f"{name}.indptr": matrix.indptr,
        f"{name}.shape": np.asarray(matrix.shape, dtype=np.int64),
    }


def unpack_sparse(name: str, state: dict[str, np.ndarray]) -> sparse.csr_array:
    """The CSR matrix that `pack_sparse` took apart."""
    parts = (state[f"{name}.data"], state[f"{name}.indices"], state[f"{name}.indptr"])
    return sparse.csr_array(parts, shape=tuple(state[f"{name}.shape"]))
