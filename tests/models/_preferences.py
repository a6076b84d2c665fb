"""The encodings of DualGNN's family computed with dense matrices, one source and one layer after the other."""

from typing import Any

import numpy as np

from recsys.content.features import Content
from recsys.testing.contract import MARKET
from recsys.testing.market import N_USERS
from recsys.training.graph import adjacency
from recsys.training.preference_encoder import PreferenceEncoder

A = adjacency(MARKET.train).toarray().astype(np.float64)
R = MARKET.train.toarray().astype(np.float64)
BATCH = [0, 1, 8], [4, 5, 16], [6, 7, 9]


def parameters(module: Any) -> dict[str, np.ndarray]:
    return {name: part.detach().numpy().astype(np.float64) for name, part in module.named_parameters()}


def length_one(x: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def mapped(P: dict[str, np.ndarray], view: int, table: np.ndarray) -> np.ndarray:
    """What two layers make of a table."""
    name = f"views.{view}.mapping"
    hidden = leaky(table @ P[f"{name}.0.weight"].T + P[f"{name}.0.bias"])
    return hidden @ P[f"{name}.2.weight"].T + P[f"{name}.2.bias"]


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
    sums = [x + A @ x + A @ A @ x for x in starts(encoder, content)]
    return [(x[:N_USERS], x[N_USERS:]) for x in sums]


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


def ranking_loss(users: np.ndarray, items: np.ndarray) -> float:
    """Mean of -log2 sigmoid over the batch."""
    u, p, n = BATCH
    margins = (users[u] * (items[p] - items[n])).sum(axis=1)
    return float(np.log2(1 + np.exp(-margins)).mean())


def penalty(encoder: PreferenceEncoder, n_sources: int) -> float:
    """Mean squares of the batch users' preferences, summed over sources."""
    rows = parameters(encoder)["preferences"][BATCH[0]]
    return sum(float(np.square(part).mean()) for part in np.split(rows, n_sources, axis=1))
