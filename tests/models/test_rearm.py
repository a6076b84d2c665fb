from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from recsys.content.features import Content, Features
from recsys.models.multimodal import _rearm_layers
from recsys.models.multimodal._rearm_graphs import user_interests
from recsys.models.multimodal._rearm_layers import EntryAttention, MetaNetwork, random_bytes
from recsys.models.multimodal.rearm import REARM, REARMConfig, REARMNetwork
from recsys.recommender import DataSize, TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_USER, N_ITEMS, N_USERS, with_missing
from recsys.training.cooccurrence import cooccurrence
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONSTANT,
    ONE,
    THREE,
    A,
    R,
    assert_cold_items,
    assert_loss,
    length_one,
    parameters,
    scaled,
    user_graph,
)


class TestREARM(GradientContract):
    model = REARM
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.72
    tolerance = 0.05
    noiseless = {"dropout": 0.0, "cross_dropout": 0.0}


def network(content: Content, **params: Any) -> REARMNetwork:
    # 15: any fewer users are cut off between two with the same items
    sizes = {"n_cooccurring_users": 3, "n_cooccurring_items": 4, "n_similar_users": 15, "n_similar_items": 6}
    shares = {"user_cooccurrence": 0.4, "item_cooccurrence": 0.2, "user_image_weight": 0.3, "image_weight": 0.1}
    config = REARMConfig(n_factors=6, n_layers=2, rank=2, **(sizes | shares | params))
    with seeded_region(5):
        model = REARMNetwork(TrainingData(MARKET.train, content, 5), config)
        for parameter in model.parameters():  # those that start at zero or one are to count
            if parameter.ndim == 1:
                parameter.data += 0.3 * torch.randn(parameter.shape)
    return model.eval()


def mean_content(features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Users' mean over their items that have the source, and who has such items."""
    rows, known = np.zeros((N_USERS, features.dim)), np.zeros(N_USERS, dtype=bool)
    for user in range(N_USERS):
        items = [item for item in range(N_ITEMS) if R[user, item] and features.present[item]]
        if items:
            rows[user], known[user] = features.matrix[items].mean(axis=0, dtype=np.float64), True
    return rows, known


def similar(rows: np.ndarray, known: np.ndarray, k: int) -> np.ndarray:
    """Cosines of the k nearest rows, each divided by k."""
    graph = np.zeros((len(rows), len(rows)))
    cosines = np.where(known[:, None] & known, length_one(rows) @ length_one(rows).T, -np.inf)
    for row in np.flatnonzero(known):
        nearest = np.argsort(-cosines[row])[:k]
        graph[row, nearest] = np.maximum(cosines[row, nearest], 0) / k
    return graph


def graphs(content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Of users and of items, at the sizes and shares of `network`."""
    items = cooccurrence(MARKET.train, "items", 4).toarray()
    if not content:
        return user_graph(3), items
    mixed: list[Any] = [0, 0]
    having: list[Any] = [0, 0]  # an item that lacks a source has the shares of the others, scaled to one
    for name, features in content.items():
        two = set(content) == {"text", "image"}
        weights = ({"image": 0.3, "text": 0.7}, {"image": 0.1, "text": 0.9}) if two else ({}, {})
        shares = [weight.get(name, 1 / len(content)) for weight in weights]
        sides = mean_content(features), (features.matrix.astype(np.float64), features.present)
        for side, (rows, known) in enumerate(sides):
            mixed[side] = mixed[side] + shares[side] * similar(rows, known, (15, 6)[side])
            having[side] = having[side] + shares[side] * known
    mixed = [graph / np.where(share > 0, share, 1)[:, None] for graph, share in zip(mixed, having, strict=True)]
    return 0.4 * user_graph(3) + 0.6 * mixed[0], 0.2 * items + 0.8 * mixed[1]


def prelu(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def attended(P: dict[str, np.ndarray], name: str, asking: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """One item's entries, one after the other."""

    def through(layer: str, x: np.ndarray) -> np.ndarray:
        return P[f"attention.{name}.{layer}.weight"][0, 0] * x + P.get(f"attention.{name}.{layer}.bias", np.zeros(1))

    query, key, value = through("query", asking), through("key", asked), through("value", asked)
    answers = np.array([softmax(entry * key, 0) @ value for entry in query])
    rows = asked + through("output", answers)
    normed = (rows - rows.mean()) / np.sqrt(rows.var() + 1e-5)
    return prelu(normed * P["attention.norm.weight"] + P["attention.norm.bias"], P["activation.weight"])


def views_of_items(P: dict[str, np.ndarray], parts: list[np.ndarray], reached: np.ndarray) -> list[np.ndarray]:
    views = [np.zeros_like(part) for part in parts]
    for item in range(N_ITEMS):
        own = [attended(P, f"own.{m}", part[item], part[item]) for m, part in enumerate(parts)]
        for m in range(len(parts)):
            others = [view for k, view in enumerate(own) if k != m]
            view = attended(P, f"cross.{m}", np.mean(others, axis=0), own[m]) if others else own[m]
            views[m][item] = view * reached[item, m]
    return views


def own_maps(P: dict[str, np.ndarray], side: int, embeddings: np.ndarray, content: np.ndarray) -> np.ndarray:
    def through(layer: str, x: np.ndarray) -> np.ndarray:
        return x @ P[f"maps.{side}.{layer}.weight"].T + P[f"maps.{side}.{layer}.bias"]

    known = through("compress", content)
    sides = []
    for name, shape in (("down", (6, 2)), ("up", (2, 6))):
        hidden = prelu(through(f"{name}.0", known), P[f"maps.{side}.{name}.1.weight"])
        made = length_one(through(f"{name}.2", hidden)).reshape(-1, *shape)
        sides.append(softmax(made + made.mean(axis=0), 1))
    return np.array([row @ down @ up for row, down, up in zip(embeddings, *sides, strict=True)])


def by_hand(model: REARMNetwork, content: Content) -> tuple[np.ndarray, list[np.ndarray]]:
    """Final vectors of all nodes, and the sources' views."""
    P, of_both, starts = parameters(model), graphs(content), []
    for table, sources in (("users", "interests"), ("items", "sources")):
        parts = [P[table]]
        for m, features in enumerate(content.values()):
            rows, known = (
                mean_content(features) if table == "users" else (features.matrix.astype(np.float64), features.present)
            )
            mapped = scaled(rows, known) @ P[f"{sources}.{m}.linear.weight"].T + P[f"{sources}.{m}.linear.bias"]
            parts.append(mapped * known[:, None])
        starts.append(np.concatenate(parts, axis=1))
    users, items = (length_one(graph @ start) for graph, start in zip(of_both, starts, strict=True))

    def layers(x: np.ndarray) -> np.ndarray:
        return (x + A @ x + A @ A @ x) / 3

    own = layers(np.concatenate([users[:, :6], items[:, :6]]))
    if not content:
        return own, []
    present = np.stack([features.present for features in content.values()], axis=1)
    parts = [items[:, 6 * m : 6 * m + 6] for m in range(1, len(content) + 1)]
    of_items = views_of_items(P, parts, of_both[1] @ present > 0)
    of_users = [prelu(users[:, 6 * m : 6 * m + 6], P["activation.weight"]) for m in range(1, len(content) + 1)]
    views = [layers(np.concatenate(pair)) for pair in zip(of_users, of_items, strict=True)]
    said = np.concatenate(views, axis=1)
    mapped = [own_maps(P, 0, own[:N_USERS], said[:N_USERS]), own_maps(P, 1, own[N_USERS:], said[N_USERS:])]
    parts = [*views, np.concatenate(mapped)]
    return np.concatenate([prelu(part, P["activation.weight"]) + own for part in parts], axis=1), views


@pytest.mark.parametrize(
    "content", [{}, ONE, with_missing(MARKET.content), THREE], ids=["none", "one", "missing", "three"]
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, by_hand(model, content)[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("content", [ONE, MARKET.content, THREE], ids=["one", "two", "three"])
def test_loss_by_hand(content: Content) -> None:
    model = network(content, contrast_weight=0.7, temperature=0.5, difference_weight=0.4)
    final, views = by_hand(model, content)
    u, p, n = (np.array(part) for part in BATCH)
    margins = (final[u] * (final[N_USERS + p] - final[N_USERS + n])).sum(axis=1)
    loss = np.log1p(np.exp(-margins)).mean()
    for one, other in combinations(views, 2):
        for nodes in (u, N_USERS + np.unique([p, n])):
            to = np.exp(length_one(one[nodes]) @ length_one(other[nodes]).T / 0.5)
            loss -= 0.7 * np.log(to.diagonal() / to.sum(axis=1)).mean()
        for nodes in (u, N_USERS + p):
            a, b = (length_one(view[nodes] - view[nodes].mean(axis=0)) for view in (one, other))
            loss += 0.4 * np.square(a.T @ b).mean()
    assert_loss(model, loss, rtol=1e-4)


def test_content_learns_nothing_from_the_maps_and_their_layer_learns() -> None:
    own_map = MetaNetwork(1, 6, 3)
    embeddings, content = torch.randn(7, 6), torch.randn(7, 6, requires_grad=True)
    own_map(embeddings, content).square().sum().backward()
    assert content.grad is None
    gradient = own_map.compress.weight.grad
    assert gradient is not None
    assert gradient.any()


def test_compression_is_left_as_drawn_where_asked_for() -> None:
    model = network(MARKET.content, train_compression=False)
    model.loss(tuple(torch.tensor(part) for part in BATCH)).backward()
    still = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert still == {f"maps.{side}.compress.{part}" for side in (0, 1) for part in ("weight", "bias")}


def test_attention_by_blocks_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parted = network(MARKET.content), network(MARKET.content)
    batch = tuple(torch.tensor(part) for part in BATCH)
    whole.loss(batch).backward()
    monkeypatch.setattr(_rearm_layers, "BLOCK", 7)
    parted.loss(batch).backward()
    for (name, one), other in zip(whole.named_parameters(), parted.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_scoring_attends_by_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = network(MARKET.content).eval()
    sizes: list[int] = []
    trained.attention.own[0].register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    with torch.no_grad():
        whole = trained.factors()
        monkeypatch.setattr(_rearm_layers, "BLOCK", 7)
        sizes.clear()
        torch.testing.assert_close(trained.factors(), whole)
    assert max(sizes) == 7 and sum(sizes) == len(whole[1])


@pytest.mark.parametrize(("rate", "kept"), [(0.0, 1.0), (0.4, 0.6), (1.0, 0.0)])
def test_hidden_attention_is_made_up_for_by_the_rest(rate: float, kept: float) -> None:
    attention = EntryAttention(rate)
    for parameter in attention.parameters():
        parameter.data.fill_(1.0)
    rows = torch.full((400, 5), 0.5)
    answers = attention(rows, rows) - rows
    assert answers.mean().item() == pytest.approx(0.5 if kept else 0.0, rel=0.05)
    assert (answers == 0).all().item() == (kept == 0)
    torch.testing.assert_close(attention.eval()(rows, rows), 2 * rows)


def test_random_bytes_are_uniform() -> None:
    with seeded_region(5):
        counts = torch.bincount(random_bytes(torch.empty(1001, 999)).flatten(), minlength=256)
    assert len(counts) == 256
    assert abs(counts / counts.float().mean() - 1).max() < 0.1


def test_a_users_content_is_the_mean_of_items_that_have_it() -> None:
    features = with_missing(MARKET.content)["text"]
    rows, known = mean_content(features)
    found = user_interests(sparse.csr_array(R.astype(np.float32)), {"text": features})["text"]
    np.testing.assert_allclose(found.matrix, rows, rtol=1e-5, atol=1e-6)
    assert found.present.tolist() == known.tolist()


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used


def test_cold_rows_are_what_their_content_says_and_nothing_else() -> None:
    content = with_missing(MARKET.content)
    users, items = network(content).factors()
    assert not users[COLD_USER].any()
    assert_cold_items(items, content)


def test_weights_decay_in_the_optimiser() -> None:
    (step,) = network({}, weight_decay=0.05).steps()
    assert (step.optimiser, step.weight_decay) == (torch.optim.AdamW, 0.05)


def test_memory_counts_the_maps_of_all_nodes_where_there_is_content() -> None:
    size, alone = DataSize(5000, 2000, 100_000, width=10), DataSize(5000, 2000, 100_000)
    flat, deep = (REARM.memory(REARMConfig(rank=rank), size) for rank in (3, 7))
    assert deep - flat == 4 * 40 * 64 * 7000
    assert REARM.memory(REARMConfig(rank=3), alone) == REARM.memory(REARMConfig(rank=7), alone) < flat
