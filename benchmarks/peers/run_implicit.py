# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["implicit==0.7.3"]
# ///
"""implicit: neighbours, least squares and BPR in C++."""

from functools import partial
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from protocol import Recommend, even_penalty, serve
from scipy import sparse


def fitted(model: Any, train: sparse.csr_matrix) -> Recommend:
    """Lists of all users by the package's own routine."""
    model.fit(train, show_progress=False)
    return lambda k: model.recommend(np.arange(train.shape[0]), train, N=k)[0]


def item_knn(train: sparse.csr_matrix, params: dict[str, Any]) -> Recommend:
    """Cosine of items, themselves among their neighbours; without shrinkage."""
    return fitted(CosineRecommender(K=params["n_neighbours"], num_threads=1), train)


def ials(train: sparse.csr_matrix, params: dict[str, Any], *, exact: bool) -> Recommend:
    """Divided by alpha_0, an interaction weighs 1 + 1 / alpha_0, and the penalty as much more."""
    model = AlternatingLeastSquares(
        factors=params["n_factors"],
        regularization=even_penalty(train.shape, train.nnz, params) / params["unobserved_weight"],
        alpha=1 + 1 / params["unobserved_weight"],
        iterations=params["n_iterations"],
        use_cg=not exact,
        num_threads=1,
        random_state=0,
    )
    return fitted(model, train)


def bpr(train: sparse.csr_matrix, params: dict[str, Any]) -> Recommend:
    """Stochastic gradient, a pair at a time, and so at a rate of its own; no penalty."""
    model = BayesianPersonalizedRanking(
        factors=params["n_factors"],
        learning_rate=0.05,
        regularization=0.0,
        iterations=params["max_epochs"],
        num_threads=1,
        random_state=0,
    )
    return fitted(model, train)


MODELS = {
    "ItemKNN": item_knn,
    "IALS": partial(ials, exact=False),
    "IALS exact": partial(ials, exact=True),
    "BPRMF": bpr,
}

if __name__ == "__main__":
    serve("implicit", MODELS.__getitem__, lambda train: train)
