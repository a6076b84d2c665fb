"""Fitting models without gradients on Amazon Baby, beside plain numpy and scipy, and beside `implicit`.

MODALIFT_DATA=... python benchmarks/closed_form.py
"""

import resource

import numpy as np
from _baby import compare, console, market, seconds
from implicit.als import AlternatingLeastSquares
from scipy import sparse

from recsys.content.features import Features
from recsys.models.factorisation.ials import IALS
from recsys.models.graph.rp3beta import RP3beta
from recsys.models.linear.ease import EASE
from recsys.models.multimodal.hybriditemknn import content_neighbours
from recsys.models.neighbours.itemknn import ItemKNN
from recsys.models.neighbours.userknn import UserKNN
from recsys.recommender import Recommender, TrainingData

K = 100


def plain_knn(rows: sparse.csr_array) -> sparse.csr_array:
    """Cosine of all rows at once, then the K largest of each row in turn."""
    norms = np.sqrt(rows.multiply(rows).sum(axis=1))
    similarity = sparse.csr_array(rows @ rows.T)
    similarity.setdiag(0)
    at = np.repeat(np.arange(len(norms)), np.diff(similarity.indptr))
    similarity.data /= norms[at] * norms[similarity.indices] + 1e-6
    for row in range(len(norms)):
        values = similarity.data[similarity.indptr[row] : similarity.indptr[row + 1]]
        if len(values) > K:
            values[np.argsort(-values)[K:]] = 0
    similarity.eliminate_zeros()
    return similarity


def plain_ease(train: sparse.csr_array) -> np.ndarray:
    """The paper's listing: numpy's general inverse."""
    gram = (train.T @ train).toarray().astype(np.float64)
    gram[np.diag_indices(len(gram))] += 1000
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(len(weights))] = 0
    return weights


def plain_walks(train: sparse.csr_array) -> np.ndarray:
    """All walks at once and dense, then each row sorted."""
    to_items = (train / train.sum(axis=1)[:, None]).tocsr()
    degrees = np.maximum(train.sum(axis=0), 1)
    weights = (train.T.tocsr() / degrees[:, None] @ to_items).toarray() / degrees**0.6
    np.fill_diagonal(weights, 0)
    for row in weights:
        row[np.argsort(row)[:-K]] = 0
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


def peer_als(train: sparse.csr_array, *, exact: bool) -> None:
    """As many iterations of a peer in C, in one thread; exactly, or by its three steps of conjugate gradients."""
    config = IALS.Config()
    peer = AlternatingLeastSquares(
        config.n_factors, iterations=config.n_iterations, use_cg=not exact, num_threads=1, use_gpu=False
    )
    peer.fit(sparse.csr_matrix(train), show_progress=False)


def plain_content(vectors: np.ndarray) -> np.ndarray:
    """All cosines at once, and numpy's partial sort of each row."""
    rows = vectors - vectors.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.argpartition(-(rows @ rows.T), K, axis=1)[:, :K]


def main() -> None:
    """Time and print."""
    train = market().train
    data = TrainingData(train)
    items = train.T.tocsr()
    vectors = np.random.default_rng(0).standard_normal((train.shape[1], 256)).astype(np.float32)
    content = {"image": Features(vectors, np.ones(len(vectors), dtype=bool))}

    def fit(model: Recommender, repeats: int = 3) -> float:
        return seconds(lambda: model.fit(data), repeats)

    rows = [
        ("ItemKNN", fit(ItemKNN.from_params(n_neighbours=K)), "all at once", seconds(lambda: plain_knn(items), 1)),
        ("UserKNN", fit(UserKNN.from_params(n_neighbours=K)), "all at once", seconds(lambda: plain_knn(train), 1)),
        ("EASE", fit(EASE(), 1), "numpy's inverse", seconds(lambda: plain_ease(train), 1)),
        ("RP3beta", fit(RP3beta.from_params(n_neighbours=K)), "dense, sorted", seconds(lambda: plain_walks(train), 1)),
        ("iALS", fit(IALS(), 1), "implicit, exact", seconds(lambda: peer_als(train, exact=True), 1)),
        ("iALS", fit(IALS(), 1), "implicit, approximate", seconds(lambda: peer_als(train, exact=False), 1)),
        (
            "content neighbours, 256 columns",
            seconds(lambda: content_neighbours(content, train, K)),
            "all at once, argpartition",
            seconds(lambda: plain_content(vectors), 1),
        ),
    ]
    compare(f"Fitting on {train.shape[0]} x {train.shape[1]}, {train.nnz} interactions, {K} neighbours", rows)
    console.print(
        f"Peak memory, the plain ways included: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB"
    )


if __name__ == "__main__":
    main()
