from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recsys.content.features import Content
from recsys.models.multimodal.mmgcn import MMGCN, MMGCNConfig, MMGCNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_USER, N_ITEMS, N_USERS, with_missing
from recsys.training.randomness import seeded_region
from recsys.tuning.space import SearchSpace
from tests.models.dense import (
    BATCH,
    CONSTANT,
    ONE,
    THREE,
    R,
    assert_cold_items,
    assert_loss,
    leaky,
    length_one,
    parameters,
    scaled,
)

TAKEN = np.concatenate([R.any(axis=1), R.any(axis=0)])


class TestMMGCN(GradientContract):
    model = MMGCN
    params = {"n_factors": 32, "n_hidden": 32, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.59
    tolerance = 0.1


def network(content: Content, **params: Any) -> MMGCNNetwork:
    with seeded_region(5):
        config = MMGCNConfig(n_factors=6, n_hidden=5, **params)
        return MMGCNNetwork(TrainingData(MARKET.train, content, 5), config)


def neighbour_means() -> np.ndarray:
    A = np.block([[np.zeros((N_USERS, N_USERS)), R], [R.T, np.zeros((N_ITEMS, N_ITEMS))]])
    return A / A.sum(axis=1, keepdims=True).clip(min=1)


def branch_by_hand(branch: nn.Module, ids: np.ndarray, items: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Three layers over all nodes, from items before the branch's own map."""
    P, means = parameters(branch), neighbour_means()
    x = length_one(np.concatenate([P["preferences"], items]))
    for layer in range(3):
        heard = leaky(means @ x @ P[f"messages.{layer}.weight"].T)
        said = leaky(x @ P[f"own.{layer}.weight"].T + P[f"own.{layer}.bias"]) + ids
        both = np.concatenate([heard, said], axis=1)
        x = leaky(both @ P[f"joints.{layer}.weight"].T + P[f"joints.{layer}.bias"]) * known[:, None]
    return x


def by_hand(model: MMGCNNetwork, content: Content) -> np.ndarray:
    P = parameters(model)
    ids = np.concatenate([P["users"], P["items"]])
    total, count = np.zeros_like(ids), np.zeros(len(ids))
    for m, features in enumerate(content.values()):
        known = TAKEN | np.concatenate([np.zeros(N_USERS, dtype=bool), features.present])
        weight, bias = (P[f"branches.{m}.items.mapping.{name}"] for name in ("weight", "bias"))
        items = (scaled(features.matrix, features.present) @ weight.T + bias) * features.present[:, None]
        total = total + branch_by_hand(model.branches[m], ids, items, known)
        count = count + known
    return total / count.clip(min=1)[:, None]


@pytest.mark.parametrize(
    "content",
    [ONE, with_missing(MARKET.content), THREE],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, by_hand(model, content), rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3)
    u, p, n = BATCH
    P, final = parameters(model), by_hand(model, MARKET.content)
    users, items = final[:N_USERS], final[N_USERS:]
    loss = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    loss += 0.3 * (np.square(P["users"][u]).mean() + np.square(P["items"][p + n]).mean())
    loss += 0.3 * sum(np.square(P[f"branches.{m}.preferences"][u]).mean() for m in range(2))
    assert_loss(model, loss)


@pytest.mark.parametrize("content", [{}, MARKET.content], ids=["none", "two"])
def test_embeddings_beside_content_are_left_as_drawn_where_asked_for(content: Content) -> None:
    model = network(content, train_embeddings=False)
    model.loss(tuple(torch.tensor(part) for part in BATCH)).backward()
    still = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert still == ({"users", "items", "branches.0.preferences", "branches.1.preferences"} if content else set())


def test_what_regularises_nothing_is_not_searched() -> None:
    trained, left = (SearchSpace(MMGCNConfig, {"train_embeddings": choice}, ("text",)) for choice in (True, False))
    assert set(trained.distributions) - set(left.distributions) == {"l2"}


def test_without_content_one_network_starts_from_a_learned_table() -> None:
    model = network({})
    P = parameters(model)
    expected = branch_by_hand(
        model.branches[0], np.concatenate([P["users"], P["items"]]), P["branches.0.items.table"], TAKEN
    )
    np.testing.assert_allclose(torch.cat(model.factors()).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_nodes_of_which_nothing_is_known_stay_zero() -> None:
    content = with_missing(MARKET.content)
    users, items = network(content).factors()
    assert not users[COLD_USER].any()
    assert_cold_items(items, content)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).branches) == 1
