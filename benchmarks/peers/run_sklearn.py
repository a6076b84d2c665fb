# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["scikit-learn==1.9.1"]
# ///
"""scikit-learn: decompositions, and an elastic net for each item; lists by numpy."""

import warnings
from functools import partial
from typing import Any

import numpy as np
from protocol import Recommend, best_unseen, serve
from scipy import sparse
from sklearn.decomposition import NMF, TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet


def pure_svd(train: sparse.csr_matrix, params: dict[str, Any], *, algorithm: str) -> Recommend:
    """Randomised as scikit-learn has it by default, or by Lanczos iterations."""
    model = TruncatedSVD(params["n_factors"], algorithm=algorithm, random_state=0)
    return by_factors(train, model.fit_transform(train), model.components_)


def nmf(train: sparse.csr_matrix, params: dict[str, Any], *, solver: str) -> Recommend:
    """By multiplicative updates or by coordinate descent."""
    model = NMF(params["n_factors"], init="random", solver=solver, max_iter=params["max_iterations"], random_state=0)
    return by_factors(train, model.fit_transform(train), model.components_)


def slim(train: sparse.csr_matrix, params: dict[str, Any]) -> Recommend:
    """Each column on the others, its own set to zero meanwhile; the largest weights kept."""
    net = ElasticNet(
        alpha=params["alpha"],
        l1_ratio=params["l1_ratio"],
        positive=True,
        fit_intercept=False,
        copy_X=False,
        max_iter=100,
    )
    matrix = train.tocsc()
    columns = []
    for item in range(matrix.shape[1]):
        stored = slice(matrix.indptr[item], matrix.indptr[item + 1])
        target, values = matrix[:, [item]].toarray().ravel(), matrix.data[stored].copy()
        matrix.data[stored] = 0
        weights = net.fit(matrix, target).coef_
        matrix.data[stored] = values
        kept = np.argsort(-weights)[: params["n_neighbours"]]
        columns.append(sparse.csc_matrix((weights[kept], (kept, np.zeros_like(kept))), shape=(matrix.shape[1], 1)))
    weights = sparse.hstack(columns, format="csr")
    return lambda k: best_unseen(lambda users: (train[users] @ weights).toarray(), train, k)


def by_factors(train: sparse.csr_matrix, users: np.ndarray, items: np.ndarray) -> Recommend:
    """Lists by products of factors."""
    return lambda k: best_unseen(lambda rows: users[rows] @ items, train, k)


MODELS = {
    "PureSVD": partial(pure_svd, algorithm="randomized"),
    "PureSVD Lanczos": partial(pure_svd, algorithm="arpack"),
    "NMF": partial(nmf, solver="mu"),
    "NMF descent": partial(nmf, solver="cd"),
    "SLIMElasticNet": slim,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    serve("scikit-learn", MODELS.__getitem__, lambda train: train)
