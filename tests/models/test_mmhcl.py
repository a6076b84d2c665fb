import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mmhcl import MMHCL, MMHCLConfig, MMHCLNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER, N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region
from tests.models.dense import CONSTANT, MISSING, ONE, THREE, R, length_one, parameters

BATCH = [0, 1, 8, 0, 8], [4, 5, 16, 16, 4], [6, 7, 9, 6, 7]


class TestMMHCL(GradientContract):
    model = MMHCL
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.663
    tolerance = 0.03


def network(content: Content, **params: float) -> MMHCLNetwork:
    with seeded_region(5):
        config = MMHCLConfig(n_factors=6, n_neighbours=4, n_user_layers=3, **params)
        return MMHCLNetwork(TrainingData(MARKET.train, content, 5), config)


def hyperedges(content: Content) -> np.ndarray:
    """Items by the neighbourhoods that they look at, one source after the other."""
    edges = []
    for features in content.values():
        rows = length_one(features.matrix.astype(np.float64))
        edge = np.zeros((N_ITEMS, N_ITEMS))
        have = np.flatnonzero(features.present)
        for item in have:
            edge[item, have[np.argsort(-(rows[have] @ rows[item]))[:4]]] = 1
        edges.append(edge)
    return np.concatenate(edges, axis=1)


def by_hand(model: MMHCLNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Final vectors of all nodes, and those by the hypergraphs, of dense graphs."""
    P = parameters(model)
    A = adjacency(MARKET.train).toarray().astype(np.float64)
    nodes = np.concatenate([P["users"], P["items"]])
    shared = R @ R.T
    np.fill_diagonal(shared, 0)
    U = shared / shared.sum(axis=1, keepdims=True).clip(min=1)
    items = np.zeros((N_ITEMS, 6))
    if content:
        common = hyperedges(content) @ hyperedges(content).T
        sums = np.where(common.sum(axis=1) > 0, common.sum(axis=1), np.inf)
        graph = common / np.sqrt(sums[:, None] * sums)
        items = graph @ graph @ P["hyper_items"]
    alike = np.concatenate([U @ U @ U @ P["hyper_users"], items])
    return (nodes + A @ nodes + A @ A @ nodes) / 3 + length_one(alike), alike


@pytest.mark.parametrize("content", [{}, ONE, MISSING, THREE], ids=["none", "one", "missing", "three"])
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, by_hand(model, content)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("content", [{}, ONE, MARKET.content], ids=["none", "one", "two"])
def test_loss_by_hand(content: Content) -> None:
    model = network(content, l2=0.3, user_contrast_weight=0.7, item_contrast_weight=0.2, temperature=0.4)
    final, alike = by_hand(model, content)
    users, positives, negatives = (np.array(part) for part in BATCH)
    u, p, n = final[users], final[N_USERS + positives], final[N_USERS + negatives]
    loss = np.log1p(np.exp(-(u * (p - n)).sum(axis=1))).mean()
    loss += 0.3 * sum(np.square(part).sum() for part in (u, p, n)) / 2 / 5
    pairs = [(0.7, np.unique(users))] + ([(0.2, N_USERS + np.unique(positives))] if content else [])
    for weight, rows in pairs:
        a, b = length_one(final[rows]), length_one(alike[rows])
        within, between = np.exp(a @ a.T / 0.4), np.exp(a @ b.T / 0.4)
        rest = within.sum(axis=1) + between.sum(axis=1) - np.exp(1 / 0.4)
        loss -= weight * np.log(np.diag(between) / rest).mean()
    found = model.loss(tuple(torch.tensor(part) for part in BATCH))
    np.testing.assert_allclose(found.item(), loss, rtol=1e-4)


def test_without_content_users_keep_their_hypergraph() -> None:
    assert {name for name, _ in network({}).named_parameters()} == {"users", "items", "hyper_users"}


def test_cold_items_are_their_neighbourhoods_alone_and_a_cold_user_is_nothing() -> None:
    content = MISSING
    users, items = network(content).factors()
    has_any = np.any([features.present for features in content.values()], axis=0)
    np.testing.assert_allclose(items[COLD_ITEMS].norm(dim=1).detach(), has_any[COLD_ITEMS], rtol=1e-5)
    assert not has_any[COLD_ITEMS].all()
    assert not users[COLD_USER].any()


def test_no_array_is_as_large_as_the_graph_of_users() -> None:
    pairs = np.count_nonzero(R @ R.T)
    assert max(part.numel() for part in network(MARKET.content).buffers()) < pairs / 2


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
