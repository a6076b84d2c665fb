"""Nearest neighbours among rows of a matrix: the part that all neighbourhood models share.

Formulas as tabled by Ferrari Dacrema, Cremonesi, Jannach (RecSys 2019) for binary data, where the count of a row is
its squared norm; squared norms are used throughout, so that weighted rows and dense vectors work too (Tanimoto).
With a the row whose neighbours are sought, b another, h the shrink term and n their norms:

    cosine      a.b / (n_a n_b + h)
    asymmetric  a.b / (n_a^(2 alpha) n_b^(2 (1 - alpha)) + h)                      (Aiolli, RecSys 2013)
    jaccard     a.b / (n_a^2 + n_b^2 - a.b + h)
    dice        a.b / (n_a^2 + n_b^2 + h)                                          (without the usual factor 2)
    tversky     a.b / (a.b + alpha (n_a^2 - a.b) + beta (n_b^2 - a.b) + h)
    dot         a.b                                                                (cosine not normalised)
    euclidean   1 / (d + h), d^2 = (n_a^2 + n_b^2 - 2 a.b) / (n_a n_b); _log: ln(1 + d), _exp: e^d in place of d

Distances tell few rows apart, and favour items as rare as a user's own: a study may ask for them, but they are left
out of the search.

Choices where published code differs: rows whose inner product is not positive are no neighbours, however near; equal
similarities are taken in index order; the rows compared are the documents of TF-IDF and BM25 (some code lets items
be the documents when users are compared, which cosine then undoes); an idf below zero counts as zero.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveInt
from scipy import sparse

from recsys.arrays import entries, top_k
from recsys.recommender import FIXED_MEMORY, DataSize, FirstPoints, ModelConfig, searched

BLOCK_ENTRIES = 2**24
"""Similarities held at a time: 64 MB."""
TINY = 1e-6
BM25_K1, BM25_B = 1.2, 0.75

Similarity = Literal[
    "cosine",
    "asymmetric",
    "jaccard",
    "dice",
    "tversky",
    "dot",
    "euclidean",
    "euclidean_log",
    "euclidean_exp",
]
Weighting = Literal["none", "tfidf", "bm25"]
WITHOUT_ALPHA: tuple[Similarity, ...] = (
    "cosine",
    "jaccard",
    "dice",
    "dot",
    "euclidean",
    "euclidean_log",
    "euclidean_exp",
)
WITHOUT_BETA: tuple[Similarity, ...] = ("asymmetric", *WITHOUT_ALPHA)
DOT = {"n_neighbours": 200, "similarity": "dot", "weighting": "tfidf"}
TVERSKY: FirstPoints = (
    {"n_neighbours": 500, "similarity": "tversky", "shrink": 0.1, "weighting": "bm25", "alpha": 0.05, "beta": 0.1},
    {"n_neighbours": 500, "similarity": "tversky", "shrink": 30.0, "weighting": "bm25", "alpha": 0.7, "beta": 0.7},
)
"""Settings that tuning tries early, of every model that looks for neighbours by interactions."""


class NeighbourConfig(ModelConfig):
    """How neighbours are found.

    Attributes:
        n_neighbours: kept for each row.
        similarity: see the formulas above.
        shrink: lowers similarities that rest on few common entries.
        weighting: of the columns, before rows are compared.
        alpha: weight of a row's own norm (asymmetric, tversky).
        beta: weight of the neighbour's norm (tversky).
    """

    n_neighbours: PositiveInt = searched(200, 5, 1000, log=True)
    similarity: Similarity = searched("cosine", choices=["cosine", "asymmetric", "jaccard", "dice", "tversky", "dot"])
    shrink: NonNegativeFloat = searched(10.0, 0.1, 1000.0, log=True, unless={"similarity": ["dot"]})
    weighting: Weighting = searched("none", choices=["none", "tfidf", "bm25"])
    alpha: NonNegativeFloat = searched(0.5, 0.0, 2.0, unless={"similarity": WITHOUT_ALPHA})
    beta: NonNegativeFloat = searched(0.5, 0.0, 2.0, unless={"similarity": WITHOUT_BETA})

    first_points: ClassVar[FirstPoints] = (
        {"n_neighbours": 100, "shrink": 2.0},
        {"n_neighbours": 1000, "shrink": 1000.0},
        DOT,
        {"n_neighbours": 500, "shrink": 0.1},
        *TVERSKY,
        {"n_neighbours": 300, "similarity": "jaccard", "shrink": 50.0, "weighting": "bm25"},
    )


def nearest(rows: sparse.csr_array, config: NeighbourConfig, vectors: np.ndarray | None = None) -> sparse.csr_array:
    """Similarities of each row to its nearest other rows.

    Args:
        rows: shape (n, n_columns), non-negative; weighted before as the config says (see `weighted`).
        config: similarity, shrink and number of neighbours.
        vectors: float32, shape (n, dim): further, dense columns.

    Returns:
        float32 CSR, shape (n, n): row a holds its neighbours' similarities; the diagonal is empty.
    """
    n = rows.shape[0]
    squares = np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float32)
    if vectors is not None:
        squares += np.einsum("ij,ij->i", vectors, vectors)
    columns = rows.T.tocsr()
    step = max(1, BLOCK_ENTRIES // n)
    parts = []
    for start in range(0, n, step):
        block = slice(start, min(start + step, n))
        dots = rows[block] @ columns
        if vectors is None:
            at, other = entries(dots)
            dots.data = _similarity(dots.data, squares[block][at], squares[other], config)
            dots.data[other == at + start] = 0
            parts.append(strongest_stored(dots, config.n_neighbours))
        else:
            dense = dots.toarray() + vectors[block] @ vectors.T
            values = _similarity(dense, squares[block, None], squares[None, :], config)
            np.fill_diagonal(values[:, start:], 0)
            parts.append(strongest(values, config.n_neighbours))
    return sparse.vstack(parts, format="csr")


def neighbour_memory(n: int, pairs: float, n_neighbours: int, size: DataSize, width: int = 0) -> float:
    """Bytes at the peak of finding neighbours.

    Args:
        n: rows compared.
        pairs: of them, those that have a column in common.
        n_neighbours: kept for each row.
        size: of the data.
        width: dense columns.
    """
    block = min(BLOCK_ENTRIES, n**2)
    compared = block * (16 if width else 20 * pairs / n**2)
    kept = 16 * min(n_neighbours * n, n**2 if width else pairs)
    return FIXED_MEMORY + 24 * size.n_interactions + compared + kept + 16 * width * n


def strongest(values: np.ndarray, n_neighbours: int) -> sparse.csr_array:
    """The largest positive values of each row as float32 CSR of the same shape."""
    columns, best = top_k(values, min(n_neighbours, values.shape[1]))
    kept = best > 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    matrix = sparse.csr_array((best[kept], columns[kept], indptr), shape=values.shape)
    matrix.sort_indices()
    return matrix


def strongest_stored(matrix: sparse.csr_array, n_neighbours: int) -> sparse.csr_array:
    """As `strongest`, from the stored entries of a sparse matrix, which is changed."""
    data, starts = matrix.data, matrix.indptr
    cuts = np.full(matrix.shape[0], -np.inf, dtype=np.float32)
    for row in np.flatnonzero(np.diff(starts) > n_neighbours):
        values = data[starts[row] : starts[row + 1]].copy()
        values.partition(len(values) - n_neighbours)
        cuts[row] = values[len(values) - n_neighbours]
    cut = np.repeat(cuts, np.diff(starts))
    # Of the entries that equal the cut, the first columns fill what those above it leave free.
    n_above = np.diff(np.cumsum(np.append(0, data > cut))[starts])
    equal = np.flatnonzero(data == cut)
    rows = np.searchsorted(starts, equal, side="right") - 1
    equal = equal[np.lexsort((matrix.indices[equal], rows))]
    nth = np.arange(len(equal)) - np.searchsorted(rows, rows)
    data[data < cut] = 0
    data[equal[nth >= n_neighbours - n_above[rows]]] = 0
    matrix.eliminate_zeros()
    return matrix


def weighted(rows: sparse.csr_array, weighting: Weighting) -> sparse.csr_array:
    """Rows as documents and columns as terms, weighted.

    TF-IDF: sqrt(tf) idf. BM25: tf (K1 + 1) / (tf + K1 (1 - B + B length / mean length)) idf, K1 = 1.2, B = 0.75.
    Both with idf = ln(N / (1 + df)).
    """
    if weighting == "none":
        return rows
    n = rows.shape[0]
    document_frequency = np.bincount(rows.indices, minlength=rows.shape[1])
    idf = np.maximum(np.log(n / (1 + document_frequency)), 0)[rows.indices]
    if weighting == "tfidf":
        data = np.sqrt(rows.data) * idf
    else:
        length = np.asarray(rows.sum(axis=1))
        relative = 1 - BM25_B + BM25_B * length / max(length.mean(), TINY)
        at, _ = entries(rows)
        data = rows.data * (BM25_K1 + 1) / (rows.data + BM25_K1 * relative[at]) * idf
    return sparse.csr_array((data.astype(np.float32), rows.indices, rows.indptr), shape=rows.shape)


def _similarity(dots: np.ndarray, own: np.ndarray, other: np.ndarray, config: NeighbourConfig) -> np.ndarray:
    """Similarity by the config; `own` and `other` are the squared norms of the two rows."""
    alpha, beta = np.float32(config.alpha), np.float32(config.beta)
    match config.similarity:
        case "dot":
            return dots
        case "cosine":
            denominator = np.sqrt(own) * np.sqrt(other)
        case "asymmetric":
            denominator = (own + TINY) ** alpha * (other + TINY) ** (1 - alpha)
        case "jaccard":
            denominator = own + other - dots
        case "dice":
            denominator = own + other
        case "tversky":
            # Counts never fall below the overlap; squared norms of weighted rows may.
            denominator = dots + alpha * np.maximum(own - dots, 0) + beta * np.maximum(other - dots, 0)
        case _:
            return _nearness(dots, own, other, config)
    return dots / (denominator + np.float32(config.shrink + TINY))


def _nearness(dots: np.ndarray, own: np.ndarray, other: np.ndarray, config: NeighbourConfig) -> np.ndarray:
    """Similarity by distance, zero for rows that have nothing in common."""
    distance = np.sqrt(np.maximum(own + other - 2 * dots, 0) / (np.sqrt(own) * np.sqrt(other) + TINY))
    if config.similarity == "euclidean_log":
        distance = np.log1p(distance)
    elif config.similarity == "euclidean_exp":
        distance = np.exp(distance)
    return np.where(dots > 0, 1 / (distance + np.float32(config.shrink + TINY)), np.float32(0))
