from typing import Any

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.grcn import GRCN, GRCNConfig, GRCNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS, with_missing
from recsys.training.randomness import seeded_region
from tests.models.dense import BATCH, CONSTANT, ONE, THREE, A, R, assert_loss, leaky, length_one, parameters, scaled


class TestGRCN(GradientContract):
    model = GRCN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.638
    tolerance = 0.05


def network(content: Content, **params: Any) -> GRCNNetwork:
    with seeded_region(5):
        return GRCNNetwork(TrainingData(MARKET.train, content, 5), GRCNConfig(n_factors=6, **params))


def shares(logits: np.ndarray) -> np.ndarray:
    """Softmax over the columns of a row that are interactions."""
    taken = R if logits.shape == R.shape else R.T
    exponentials = np.exp(logits) * taken
    return exponentials / np.where(taken.any(axis=1), exponentials.sum(axis=1), 1)[:, None]


def by_hand(
    model: GRCNNetwork, content: Content, *, hard: bool = False, n_routing: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """With dense matrices of users and items."""
    P, moved, to_users, to_items = parameters(model), [], [], []
    for m, features in enumerate(content.values()):
        name = f"affinities.{m}"
        users = length_one(P[f"{name}.preferences"])
        mapped = scaled(features.matrix, features.present) @ P[f"{name}.source.linear.weight"].T
        items = length_one(leaky(mapped + P[f"{name}.source.linear.bias"]) * features.present[:, None])
        for _ in range(n_routing):
            users = length_one(users + shares(users @ items.T) @ items)
        a_users, a_items = shares(users @ items.T), shares(items @ users.T)
        moved.append((users + a_users @ items, items + a_items @ users))
        to_users.append(a_users * P[f"{name}.item_confidence"])
        to_items.append(a_items * P[f"{name}.user_confidence"])
    W = np.zeros((N_USERS + N_ITEMS, N_USERS + N_ITEMS))
    W[:N_USERS, N_USERS:], W[N_USERS:, :N_USERS] = np.max(to_users, axis=0), np.max(to_items, axis=0)
    W = W.clip(min=0) if hard else W
    ids = length_one(np.concatenate([P["users"], P["items"]]))
    ids = ids + W @ ids + W @ W @ ids
    parts = [(ids[:N_USERS], ids[N_USERS:]), *moved]
    users, items = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    return users, items


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize(
    "content",
    [ONE, with_missing(MARKET.content), THREE],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content, hard: bool) -> None:
    model = network(content, hard=hard)
    for found, expected in zip(model.factors(), by_hand(model, content, hard=hard), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("content", [ONE, with_missing(MARKET.content)], ids=["one", "missing"])
def test_preferences_move_towards_the_items_taken_where_asked_for(content: Content) -> None:
    model = network(content, n_routing=3)
    for found, expected in zip(model.factors(), by_hand(model, content, n_routing=3), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3)
    u, p, n = BATCH
    P, (users, items) = parameters(model), by_hand(model, MARKET.content)
    loss = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    loss += 0.3 * (np.square(P["users"][u]).mean() + np.square(P["items"][p + n]).mean())
    loss += 0.3 * sum(np.square(P[f"affinities.{m}.preferences"][u]).mean() for m in range(2))
    assert_loss(model, loss)


def test_without_content_edges_have_the_weights_of_lightgcn() -> None:
    model = network({})
    P = parameters(model)
    nodes = length_one(np.concatenate([P["users"], P["items"]]))
    expected = nodes + A @ nodes + A @ A @ nodes
    np.testing.assert_allclose(torch.cat(model.factors()).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_a_cold_item_is_its_content_alone() -> None:
    content = with_missing(MARKET.content)
    _, items = network(content).factors()
    assert not items[COLD_ITEMS, :6].any()
    for m, features in enumerate(content.values(), 1):
        has = items[COLD_ITEMS, 6 * m : 6 * m + 6].any(dim=1).numpy()
        assert (has == features.present[COLD_ITEMS]).all()


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).affinities) == 1
