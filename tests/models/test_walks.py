import numpy as np
import pytest
from scipy import sparse

from recsys.models.graph import _walks
from recsys.models.graph.p3alpha import P3alpha
from recsys.models.graph.rp3beta import RP3beta
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET, ModelContract


class TestP3alpha(ModelContract):
    model = P3alpha
    params = {"n_neighbours": 10}
    reference = 0.6138


class TestRP3beta(ModelContract):
    model = RP3beta
    params = {"n_neighbours": 10, "beta": 0.3}
    reference = 0.6029


def largest(values: np.ndarray, k: int) -> np.ndarray:
    """The k largest of a row, the first of equal ones; zero elsewhere."""
    kept = np.argsort(-values, kind="stable")[:k]
    found = np.zeros_like(values)
    found[kept] = values[kept]
    return found


def walked(X: np.ndarray, k: int, alpha: float, beta: float, normalise: bool) -> np.ndarray:
    """The definition: each pair of items in turn, over each user who has both."""
    n_items = X.shape[1]
    W = np.zeros((n_items, n_items))
    for i in range(n_items):
        for j in range(n_items):
            if i != j:
                both = np.flatnonzero(X[:, i] * X[:, j])
                W[i, j] = sum((1 / X[:, i].sum()) ** alpha * (1 / X[u].sum()) ** alpha for u in both)
                W[i, j] /= max(X[:, j].sum(), 1) ** beta
    W = np.stack([largest(row, k) for row in W.astype(np.float32)])
    if normalise:
        W /= np.maximum(W.sum(axis=1, keepdims=True), 1e-12)
    return np.stack([largest(column, k) for column in W.T]).T


@pytest.mark.parametrize(
    ("alpha", "beta", "normalise"), [(1.0, 0.0, True), (0.4, 0.3, True), (1.7, 1.2, False), (0.0, 0.0, False)]
)
def test_weights_are_those_of_the_definition(alpha: float, beta: float, normalise: bool) -> None:
    model = RP3beta.from_params(n_neighbours=6, alpha=alpha, beta=beta, normalise=normalise)
    model.fit(TrainingData(MARKET.train))
    expected = walked(MARKET.train.toarray(), 6, alpha, beta, normalise)
    np.testing.assert_allclose(model.weights.toarray(), expected, rtol=1e-5)


def test_without_a_penalty_on_popularity_both_are_one() -> None:
    one, other = P3alpha.from_params(alpha=0.5), RP3beta.from_params(alpha=0.5, beta=0)
    for model in (one, other):
        model.fit(TrainingData(MARKET.train))
    np.testing.assert_array_equal(one.weights.toarray(), other.weights.toarray())


def test_walks_by_hand() -> None:
    # User 0 has items 0 and 1, user 1 items 1 and 2: from item 0 to user 0 for sure, on to item 1 by one of two.
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 1]], dtype=np.float32))
    model = P3alpha.from_params(normalise=False)
    model.fit(TrainingData(train))
    np.testing.assert_allclose(model.weights.toarray(), [[0, 1 / 2, 0], [1 / 4, 0, 1 / 4], [0, 1 / 2, 0]])


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _walks.walk_weights(MARKET.train, _walks.WalkConfig(n_neighbours=5)).toarray()
    monkeypatch.setattr(_walks, "BLOCK_ENTRIES", MARKET.train.shape[1] * 7)
    blocks = _walks.walk_weights(MARKET.train, _walks.WalkConfig(n_neighbours=5)).toarray()
    np.testing.assert_array_equal(blocks, whole)
