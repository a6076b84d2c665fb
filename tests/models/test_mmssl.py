from typing import Any

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mmssl import MMSSL, MMSSLConfig, MMSSLNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER, N_ITEMS, with_missing
from recsys.training.randomness import seeded_region
from recsys.training.sampling import UserSampler
from tests.models.dense import (
    BATCH,
    CONSTANT,
    ONE,
    THREE,
    R,
    assert_factors,
    assert_loss,
    length_one,
    parameters,
    scaled,
)

P_USERS = R / np.sqrt(R.sum(axis=1, keepdims=True).clip(min=1))
P_ITEMS = R.T / np.sqrt(R.sum(axis=0).clip(min=1))[:, None]
Pairs = list[tuple[np.ndarray, np.ndarray]]


class TestMMSSL(GradientContract):
    model = MMSSL
    params = {
        "n_factors": 16,
        "learning_rate": 0.01,
        "batch_size": 32,
        "max_epochs": 30,
        "adversary_weight": 1e-3,
        "n_hidden": 8,
    }
    noiseless = {"adversary_weight": 0.0, "dropout": 0.0}
    reference = 0.578
    tolerance = 0.03


def network(content: Content, **params: Any) -> MMSSLNetwork:
    with seeded_region(5):
        data, params = TrainingData(MARKET.train, content, 5), {"dropout": 0.0} | params
        return MMSSLNetwork(data, MMSSLConfig(n_factors=6, n_hidden=4, **params))


def softmax(x: np.ndarray) -> np.ndarray:
    exponentials = np.exp(x)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def views_by_hand(model: MMSSLNetwork, content: Content) -> Pairs:
    P, views = parameters(model), []
    for m, features in enumerate(content.values()):
        mapped = scaled(features.matrix, features.present) @ P[f"sources.{m}.linear.weight"].T
        users = P_USERS @ ((mapped + P[f"sources.{m}.linear.bias"]) * features.present[:, None])
        views.append((users, P_ITEMS @ users))
    return views


def by_hand(model: MMSSLNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    P = parameters(model)
    u1 = P_USERS @ P["items"]
    i1 = P_ITEMS @ u1
    u2 = softmax(P_USERS @ i1) * R.any(axis=1, keepdims=True)
    i2 = softmax(P_ITEMS @ u2) * R.T.any(axis=1, keepdims=True)
    users, items = (P["users"] + u1 + u2) / 3, (P["items"] + i1 + i2) / 3
    for a, b in views_by_hand(model, content):
        users, items = users + 0.55 * length_one(a), items + 0.55 * length_one(b)
    return users, items


@pytest.mark.parametrize(
    "content",
    [{}, ONE, with_missing(MARKET.content), THREE],
    ids=["none", "one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    assert_factors(model, by_hand(model, content))


def ranking_by_hand(model: MMSSLNetwork, l2: float) -> float:
    u, p, n = BATCH
    users, items = by_hand(model, MARKET.content)
    loss = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    loss += l2 * sum(np.square(rows).sum() for rows in (users[u], items[p], items[n])) / 2 / 3
    views = views_by_hand(model, MARKET.content)
    return float(loss + l2 * sum(np.square(part).sum() for pair in views for part in pair) / 2 / N_ITEMS)


def rows_by_hand(views: Pairs) -> np.ndarray:
    users = BATCH[0]
    return np.concatenate([length_one((a[users] @ b.T) * (1 - R[users])) for a, b in views])


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3)
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), ranking_by_hand(model, 0.3), rtol=1e-5)


def test_loss_with_an_adversary_by_hand() -> None:
    model = network(MARKET.content, l2=0.3, adversary_weight=0.7).eval()  # its running moments are still 0 and 1
    P = parameters(model.discriminator)
    rows = rows_by_hand(views_by_hand(model, MARKET.content))
    logits = rows @ P["0.weight"].T @ P["3.weight"].T / (1 + 1e-5) @ P["6.weight"].T + P["6.bias"]
    expected = ranking_by_hand(model, 0.3) - 0.7 * (100 / (1 + np.exp(-logits))).mean()
    assert_loss(model, expected)


def test_loss_of_the_discriminator_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(MARKET.content, adversary_weight=0.7).eval()
    monkeypatch.setattr(torch, "rand", lambda *shape, device: torch.full(shape, 0.25, device=device))
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda x: x.fill_(1.0))  # no noise
    P, users = parameters(model.discriminator), BATCH[0]
    w = (P["6.weight"] @ P["3.weight"] @ P["0.weight"])[0] / (1 + 1e-5)
    fakes = rows_by_hand(views_by_hand(model, MARKET.content))
    real = length_one(softmax(R[users]) + 100 * rows_by_hand([by_hand(model, MARKET.content)]))
    real = np.concatenate([real, real])

    def judged(rows: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-rows @ w - P["6.bias"]))

    between = judged(0.75 * fakes + 0.25 * real)
    slopes = 100 * between * (1 - between) * np.linalg.norm(w)
    expected = 100 * (judged(fakes).mean() - judged(real).mean()) + 0.3 * np.square(slopes - 1).mean()
    judging, main = model.steps()
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(judging.loss(batch).item(), expected, rtol=1e-4)
    assert main.weight_decay == 0.01


def test_only_an_adversary_needs_a_second_step() -> None:
    assert len(network(MARKET.content).steps()) == 1
    assert len(network({}, adversary_weight=0.7).steps()) == 1


def test_batches_are_of_distinct_users() -> None:
    assert isinstance(network(MARKET.content).sampler, UserSampler)


def test_nodes_without_an_interaction_stay_zero() -> None:
    users, items = network(MARKET.content).factors()
    assert not users[COLD_USER].any()
    assert not items[COLD_ITEMS].any()


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not len(network(CONSTANT).sources)
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1
