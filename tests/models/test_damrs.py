from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from recsys.content.features import Content, Features
from recsys.models.graph.lightgcn import LightGCNConfig, LightGCNNetwork
from recsys.models.multimodal._damrs_graphs import agreed_item_graphs, behaviour_graph
from recsys.models.multimodal.damrs import DAMRS, DAMRSConfig, DAMRSNetwork
from recsys.recommender import DataSize, TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region
from tests.models.dense import BATCH, CONSTANT, MISSING, ONE, THREE, assert_cold_items, assert_loss

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30, "n_pseudo_neighbours": 4}
SHOWN = {"none": {}, "one": ONE, "missing": MISSING, "three": THREE}
X = MARKET.train.toarray()


class TestDAMRS(GradientContract):
    model = DAMRS
    params = PARAMS
    reference = 0.634
    tolerance = 0.03


def network(content: Content, **params: Any) -> DAMRSNetwork:
    config = DAMRSConfig(**({"n_factors": 6, "n_neighbours": 5, "n_pseudo_neighbours": 4} | params))
    return DAMRSNetwork(TrainingData(MARKET.train, content, 5), config)


def unit(x: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def agreed_by_hand(content: Content, k: int) -> dict[str, np.ndarray]:
    cosines = {name: unit(features.matrix) @ unit(features.matrix).T for name, features in content.items()}
    means = {name: cosines[name][np.ix_(f.present, f.present)].mean() for name, f in content.items()}
    graphs = {name: np.zeros((N_ITEMS, N_ITEMS)) for name in content}
    for name, features in content.items():
        for i in np.flatnonzero(features.present):
            alike = [
                j
                for j in np.flatnonzero(features.present)
                if all(cosines[m][i, j] >= means[m] for m, f in content.items() if f.present[i] and f.present[j])
            ]
            nearest = sorted(alike, key=lambda j: -cosines[name][i, j] if j != i else -2)[:k]
            graphs[name][i, nearest] = 1
    return graphs


def behaviour_by_hand(k: int) -> np.ndarray:
    graph, together = np.eye(N_ITEMS), X.T @ X
    for i in range(N_ITEMS):
        others = sorted((j for j in range(N_ITEMS) if j != i and together[i, j] >= 2), key=lambda j: -together[i, j])
        graph[i, others[:k]] = 1
    return graph


def views_by_hand(model: DAMRSNetwork, content: Content) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Propagated users and items, the views, and which items have them."""
    E = {name: part.detach().numpy().astype(np.float64) for name, part in model.named_parameters()}
    A, nodes = adjacency(MARKET.train).toarray(), np.concatenate([E["users"], E["items"]])
    nodes = (nodes + A @ nodes + A @ A @ nodes) / 3
    views = []
    for graph in [*agreed_by_hand(content, 5).values(), behaviour_by_hand(2)]:
        view = np.zeros_like(E["items"])
        for i, j in product(range(N_ITEMS), repeat=2):
            if graph[i, j]:
                view[i] += E["items"][j] / np.sqrt(graph[i].sum() * graph[j].sum())
        views.append(view)
    known = np.stack([*(features.present for features in content.values()), X.any(axis=0)])
    return nodes[:N_USERS], nodes[N_USERS:], np.stack(views), known


def mean_by_hand(views: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.stack([views[known[:, i], i].mean(axis=0) if known[:, i].any() else np.zeros(6) for i in range(N_ITEMS)])


@pytest.mark.parametrize("content", SHOWN.values(), ids=SHOWN)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    users, items, views, known = views_by_hand(model, content)
    found = [table.detach().numpy() for table in model.factors()]
    np.testing.assert_allclose(found[0], users, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[1], items + mean_by_hand(views, known), rtol=1e-4, atol=1e-6)


def ranking_by_hand(users: np.ndarray, final: np.ndarray, views: np.ndarray, known: np.ndarray) -> float:
    pi = sigmoid(np.einsum("uf,mif->mui", users, unit(views)))
    usual = np.mean([pi[m, u, n] for u, _, n in zip(*BATCH, strict=True) for m in range(len(pi)) if known[m, n]])
    losses = []
    for u, p, n in zip(*BATCH, strict=True):
        told = pi[known[:, p], u, p]
        variance = told.var(ddof=1) if len(told) > 1 else 0
        sure = np.clip(told.mean() * np.exp(-variance) ** 2, 0, 1)
        doubtful = np.clip(told.max() - usual, 0, 1) * (told.mean() < usual)
        difference = users[u] @ (final[p] - final[n])
        losses.append(-sure * np.log(sigmoid(difference)) - doubtful * np.log(sigmoid(-difference)))
    return float(np.mean(losses))


def divergence_by_hand(users: np.ndarray, items: np.ndarray, fused: np.ndarray, anchors: list[int]) -> float:
    found = []
    for u, i in product(sorted(set(BATCH[0])), anchors):
        p, q = (sigmoid(users[u] @ unit(table)[i]) for table in (items, fused))
        for one, other in ((p, q), (q, p)):
            found.append(one * np.log(one / other) + (1 - one) * np.log((1 - one) / (1 - other)))
    return float(np.sum(found) / (len(found) / 2))


def neighbours_by_hand(views: np.ndarray, known: np.ndarray, anchors: list[int], k: int, t: float) -> float:
    means = []
    for m in range(len(views)):
        losses = []
        for i in anchors:
            cosines = [unit(view)[i] @ unit(view).T for view in views]
            shares = [np.exp(c) * has / (np.exp(c) * has).sum() for c, has in zip(cosines, known, strict=True)]
            others = sum(share for j, share in enumerate(shares) if j != m)
            total = (others + (len(views) - 1) * shares[m]) * known[m]
            agreed = np.argsort(-total, kind="stable")[:k]
            rest = shares[m].copy()
            rest[agreed] = 0
            single = np.argsort(-rest, kind="stable")[:k]
            near = np.exp(cosines[m] / t) * known[m]
            loss = -np.log(near[agreed].sum() / near.sum())
            losses.append(loss - np.log(near[single].sum() / (near.sum() - near[agreed].sum())))
        means.append(np.mean([loss for i, loss in zip(anchors, losses, strict=True) if known[m, i]]))
    return float(np.mean(means))


@pytest.mark.parametrize("content", SHOWN.values(), ids=SHOWN)
def test_loss_by_hand(content: Content) -> None:
    model = network(content, alignment_weight=0.7, neighbour_weight=0.3, temperature=0.5)
    with torch.no_grad():
        model.users.mul_(5)
        model.items.mul_(5)
    users, items, views, known = views_by_hand(model, content)
    fused, anchors = mean_by_hand(views, known), sorted({*BATCH[1], *BATCH[2]})
    loss = ranking_by_hand(users, items + fused, views, known) + 0.7 * divergence_by_hand(users, items, fused, anchors)
    if content:
        loss += 0.3 * neighbours_by_hand(views, known, anchors, 4, 0.5)
    assert_loss(model, loss, rtol=1e-4)


@pytest.mark.parametrize("content", SHOWN.values(), ids=SHOWN)
def test_agreed_graphs_against_dense_ones(content: Content) -> None:
    graphs, expected = agreed_item_graphs(content, 5), agreed_by_hand(content, 5)
    assert list(graphs) == list(content)
    for name, graph in graphs.items():
        np.testing.assert_array_equal(graph.toarray(), expected[name])


def test_sources_that_contradict_each_other_leave_an_item_to_itself() -> None:
    sides = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    content = {"a": Features(sides, np.ones(4, bool)), "b": Features(sides[[0, 2, 1, 3]], np.ones(4, bool))}
    for graph in agreed_item_graphs(content, 3).values():
        np.testing.assert_array_equal(graph.toarray(), np.eye(4))


def test_behaviour_graph_against_a_dense_one() -> None:
    np.testing.assert_array_equal(behaviour_graph(MARKET.train, 2).toarray() > 0, behaviour_by_hand(2) > 0)


def test_anchors_are_drawn_anew_and_their_mean_is_that_of_all() -> None:
    batch = tuple(torch.tensor(part) for part in ([*range(20)], [*range(20)], [*range(10, 30)]))
    few, all_of_them = (
        network(MARKET.content, n_anchors=6, neighbour_weight=1.0),
        network(MARKET.content, neighbour_weight=1.0),
    )
    with seeded_region(1):
        drawn = [few.loss(batch).item() for _ in range(200)]
    assert len(set(drawn)) > 1
    assert np.mean(drawn) == pytest.approx(all_of_them.loss(batch).item(), abs=4 * np.std(drawn) / np.sqrt(200))


def test_a_cold_item_is_its_content_alone_and_zero_without() -> None:
    _, items = network(MISSING).factors()
    assert_cold_items(items, MISSING)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).known) == 2


def test_without_content_the_view_by_behaviour_is_what_it_has_beyond_lightgcn() -> None:
    model = network({})
    lightgcn = LightGCNNetwork(TrainingData(MARKET.train, {}, 5), LightGCNConfig(n_factors=6))
    (users, items), found = lightgcn.factors(), model.factors()
    torch.testing.assert_close(found[0], users)
    torch.testing.assert_close(found[1] - model._mean(model._views()), items)


def test_memory_grows_with_the_anchors() -> None:
    size = DataSize(100, 10_000, 1000, width=10)
    few, many = (DAMRS.memory(DAMRSConfig(n_anchors=n), size) for n in (100, 200))
    assert many - few == 100 * 96 * size.n_items
