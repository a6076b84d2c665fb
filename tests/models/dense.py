"""What graph models compute, by dense matrices, one source and one layer after the other, and how it is compared."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recsys.content.arms import Arm
from recsys.content.features import Content
from recsys.recommender import Recommender, TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, POPULARITY
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS, with_missing
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph
from recsys.training.preference_encoder import PreferenceEncoder

A = adjacency(MARKET.train).toarray().astype(np.float64)
R = MARKET.train.toarray().astype(np.float64)
BATCH = [0, 1, 8], [4, 5, 16], [6, 7, 9]
ONE: Content = {"text": MARKET.content["text"]}
MISSING: Content = with_missing(MARKET.content)
THREE: Content = MARKET.content | {"audio": MARKET.audio}
CONTENTS = {"one": ONE, "missing": MISSING, "three": THREE}
CONSTANT = Arm("constant", ("text",), "constant", ("text",)).show(ONE, 0, POPULARITY)
"""A source in which all items are alike."""


def parameters(module: Any) -> dict[str, np.ndarray]:
    return {name: part.detach().numpy().astype(np.float64) for name, part in module.named_parameters()}


def length_one(x: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def linear(P: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """What a linear layer makes of rows."""
    return np.asarray(x @ P[f"{name}.weight"].T + P[f"{name}.bias"])


def mapped(P: dict[str, np.ndarray], view: int, table: np.ndarray) -> np.ndarray:
    """What two layers make of a table."""
    name = f"views.{view}.mapping"
    return linear(P, f"{name}.2", leaky(linear(P, f"{name}.0", table)))


def propagated(x: np.ndarray) -> np.ndarray:
    """Nodes and their two layers, summed."""
    return x + A @ x + A @ A @ x


def mixed(content: Content) -> np.ndarray:
    """The mixed graph of 4 neighbours: 0.9 of the text and 0.1 of the image where these are all, else equal shares.

    An item that lacks sources has the shares of those that it has, scaled to one.
    """
    shares = {"text": 0.9, "image": 0.1} if len(content) == 2 else dict.fromkeys(content, 1 / max(len(content), 1))
    graphs = [share * item_graph(content[source], 4).toarray() for source, share in shares.items()]
    total = sum(graphs, np.zeros((N_ITEMS, N_ITEMS)))
    row_sums = total.sum(axis=1, keepdims=True)
    return total / np.where(row_sums > 0, row_sums, 1)


def scaled(matrix: np.ndarray, present: np.ndarray) -> np.ndarray:
    return matrix.astype(np.float64) / np.linalg.norm(matrix[present], axis=1).mean()


def starts(encoder: PreferenceEncoder, content: Content) -> list[np.ndarray]:
    """Nodes before propagation by source."""
    P, width = parameters(encoder), encoder.n_factors
    nodes = []
    for m, features in enumerate(content.values()):
        items = mapped(P, m, scaled(features.matrix, features.present)) * features.present[:, None]
        preferences = P["preferences"][:, m * width : (m + 1) * width]
        nodes.append(length_one(np.concatenate([preferences, items])))
    return nodes


def encodings(encoder: PreferenceEncoder, content: Content) -> list[tuple[np.ndarray, np.ndarray]]:
    """Users and items by source, two layers summed."""
    return [(x[:N_USERS], x[N_USERS:]) for x in map(propagated, starts(encoder, content))]


def weighted(model: torch.nn.Module, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Users by source, times their weights of it where there are any."""
    weights = parameters(model).get("weights", np.ones((N_USERS, 1)))
    return [weights[:, [m]] * part for m, part in enumerate(parts)]


def user_graph(k: int) -> np.ndarray:
    """Softmax of the counts of shared items over the k users with the most, the lower number first among equals."""
    shared = R @ R.T
    graph = np.zeros_like(shared)
    for user in range(N_USERS):
        others = [other for other in range(N_USERS) if other != user and shared[user, other] > 0]
        nearest = sorted(others, key=lambda other: (-shared[user, other], other))[:k]
        if nearest:
            weights = np.exp(shared[user, nearest])
            graph[user, nearest] = weights / weights.sum()
    return graph


def bpr(users: np.ndarray, items: np.ndarray) -> float:
    """Mean of -ln sigmoid over the batch."""
    u, p, n = BATCH
    return float(np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean())


def ranking_loss(users: np.ndarray, items: np.ndarray) -> float:
    """Mean of -log2 sigmoid over the batch."""
    return bpr(users, items) / float(np.log(2))


def penalty(model: Any, n_sources: int) -> float:
    """Mean squares of the batch users' preferences, summed over sources, and of the weights of sources if any."""
    rows = parameters(model.encoder)["preferences"][BATCH[0]]
    weights = parameters(model).get("weights", np.zeros(1))
    return sum(float(np.square(part).mean()) for part in (*np.split(rows, n_sources, axis=1), weights))


def info_nce(one: np.ndarray, other: np.ndarray, temperature: float) -> float:
    """Mean of -ln softmax of each row's cosine with its own counterpart, among those with all."""
    to = np.exp(length_one(one) @ length_one(other).T / temperature)
    return -float(np.log(np.diag(to) / to.sum(axis=1)).mean())


def assert_factors(model: Any, expected: Sequence[np.ndarray]) -> None:
    """Users and items are those computed by hand."""
    for found, by_hand in zip(model.factors(), expected, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), by_hand, rtol=1e-4, atol=1e-6)


def assert_loss(model: Any, expected: float, rtol: float = 1e-5) -> None:
    """The loss of the batch is the one computed by hand."""
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), expected, rtol=rtol)


def assert_cold_items(items: Tensor, content: Content) -> None:
    """Of the cold items, those have a vector that have content."""
    has_any = np.any([features.present for features in content.values()], axis=0)
    assert items[COLD_ITEMS].any(dim=1).tolist() == has_any[COLD_ITEMS].tolist()


def assert_same_without_content(
    model: Recommender, other: Recommender, rtol: float = 1e-4, atol: float = 1e-5
) -> None:
    """Two models that are fitted without content give the same scores."""
    for each in (model, other):
        each.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(model.score(ALL_USERS), other.score(ALL_USERS), rtol=rtol, atol=atol)
