import numpy as np
import pytest
import torch

from recsys.arrays import unpack_sparse
from recsys.models.linear.slimbpr import SLIMBPR, SLIMBPRConfig, SLIMBPRNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS


class TestSLIMBPR(GradientContract):
    model = SLIMBPR
    params = {"learning_rate": 0.01, "batch_size": 256, "max_epochs": 30, "positive_l2": 0.01, "negative_l2": 0.01}
    reference = 0.575
    tolerance = 0.022


def network(symmetric: bool) -> SLIMBPRNetwork:
    config = SLIMBPRConfig(symmetric=symmetric, batch_size=32, positive_l2=0.3, negative_l2=0.2)
    model = SLIMBPRNetwork(TrainingData(MARKET.train), config)
    with torch.no_grad():
        model.weights[1:].normal_(generator=torch.Generator().manual_seed(1))
    return model


def dense(model: SLIMBPRNetwork, values: torch.Tensor) -> np.ndarray:
    """W[i, l]: the weight towards item i from item l."""
    numbers = model.numbers.toarray()
    return np.where(numbers > 0, values.detach().numpy()[numbers, 0], 0)


def test_loss_and_its_gradient_are_the_published_update() -> None:
    model = network(symmetric=False)
    W = dense(model, model.weights)
    users, positives, negatives = next(model.sampler.epoch(np.random.default_rng(5)))
    profiles = MARKET.train.toarray() > 0
    loss, gradient = 0.0, np.zeros_like(W)
    for u, i, j in zip(users, positives, negatives, strict=True):
        liked = [k for k in np.flatnonzero(profiles[u]) if k != i]
        x = sum(W[i, k] - W[j, k] for k in np.flatnonzero(profiles[u]))
        loss += np.log1p(np.exp(-x))
        for k in liked:
            gradient[i, k] += -1 / (1 + np.exp(x)) + 0.3 * W[i, k]
            loss += 0.3 * W[i, k] ** 2 / 2
        for k in np.flatnonzero(profiles[u]):
            gradient[j, k] += 1 / (1 + np.exp(x)) + 0.2 * W[j, k]
            loss += 0.2 * W[j, k] ** 2 / 2
    found = model.loss(next(model.batches(np.random.default_rng(5))))
    found.backward()
    assert found.item() == pytest.approx(loss / 32, rel=1e-5)
    assert model.weights.grad is not None
    expected = np.where(model.numbers.toarray() > 0, gradient / 32, 0)
    np.testing.assert_allclose(dense(model, model.weights.grad), expected, atol=1e-6)


def test_pairs_that_share_a_user_have_a_weight() -> None:
    shared = (MARKET.train.T @ MARKET.train).toarray()
    np.fill_diagonal(shared, 0)
    for symmetric in (True, False):
        numbers = network(symmetric).numbers.toarray()
        np.testing.assert_array_equal(numbers > 0, shared > 0)
        assert np.array_equal(numbers, numbers.T) == symmetric
        n_weights = np.count_nonzero(shared) // (2 if symmetric else 1)
        np.testing.assert_array_equal(np.unique(numbers), np.arange(n_weights + 1))
        assert not numbers[COLD_ITEMS].any()


def test_scores_come_from_the_largest_weights_towards_an_item() -> None:
    model = network(symmetric=False)
    every = np.where(model.numbers.toarray() > 0, dense(model, model.weights), -np.inf)
    model.config = model.config.model_copy(update={"n_neighbours": 3})
    kept = unpack_sparse("weights", model.arrays()).toarray()
    for item in (0, 21):
        best = np.argsort(-every[item])[:3]
        np.testing.assert_array_equal(np.flatnonzero(kept[:, item]), np.sort(best))
        np.testing.assert_array_equal(kept[best, item], every[item, best])
