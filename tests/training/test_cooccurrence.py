from typing import Literal

import numpy as np
import pytest
from scipy import sparse

from recsys.training import cooccurrence as module
from recsys.training.cooccurrence import cooccurrence


def market() -> np.ndarray:
    train = (np.random.default_rng(2).random((14, 9)) < 0.4).astype(np.float32)
    train[5] = 0
    return train


def by_hand(train: np.ndarray, k: int, minimum: int, equal: bool) -> np.ndarray:
    counts = train @ train.T
    np.fill_diagonal(counts, 0)
    graph = np.zeros_like(counts)
    for row, shared in enumerate(counts):
        near = [other for other in np.argsort(-shared, kind="stable")[:k] if shared[other] >= minimum]
        weights = np.ones(len(near)) if equal else np.exp(shared[near])
        graph[row, near] = weights / weights.sum() if near else 0
    return graph


@pytest.mark.parametrize("block", [4, 1024])
@pytest.mark.parametrize(("k", "minimum"), [(3, 1), (3, 2), (40, 1)])
@pytest.mark.parametrize("weights", ["softmax", "equal"])
def test_the_nearest_by_shared_interactions(
    monkeypatch: pytest.MonkeyPatch, block: int, k: int, minimum: int, weights: Literal["softmax", "equal"]
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    train = market()
    users = cooccurrence(sparse.csr_array(train), "users", k, minimum, weights)
    np.testing.assert_allclose(users.toarray(), by_hand(train, k, minimum, weights == "equal"), rtol=1e-5)
    items = cooccurrence(sparse.csr_array(train), "items", k, minimum, weights)
    np.testing.assert_allclose(items.toarray(), by_hand(train.T, k, minimum, weights == "equal"), rtol=1e-5)


def test_who_shares_nothing_has_no_neighbour() -> None:
    graph = cooccurrence(sparse.csr_array(np.eye(3, dtype=np.float32)), "users", 2)
    assert graph.shape == (3, 3)
    assert graph.nnz == 0
