from typing import Literal

import numpy as np
import pytest
import torch
from scipy import sparse

from recsys.training import cooccurrence as module
from recsys.training.cooccurrence import HyperOperator, cooccurrence
from recsys.training.propagation import propagate


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


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("powers", [(1, 0), (0.5, 0.5)])
def test_hyperedges_as_the_graph_that_is_not_built(own: bool, powers: tuple[float, float]) -> None:
    incidence = market()
    graph = incidence @ incidence.T
    if not own:
        np.fill_diagonal(graph, 0)
    sums = np.where(graph.sum(axis=1) > 0, graph.sum(axis=1), np.inf)
    dense = torch.from_numpy(graph * sums[:, None] ** -powers[0] * sums ** -powers[1])
    operator = HyperOperator(sparse.csr_array(incidence), *powers, own=own)
    x = torch.randn(14, 3, requires_grad=True)
    found = propagate(operator, x, 2, "last")
    torch.testing.assert_close(found, (dense @ dense @ x).float())
    (gradient,) = torch.autograd.grad(found.square().sum(), x)
    torch.testing.assert_close(gradient, (2 * dense.T @ dense.T @ found.detach()).float(), rtol=1e-4, atol=1e-5)
    assert not found[5].any()
