import numpy as np
import pytest
import torch

from recsys.models.graph.ultragcn import UltraGCN, UltraGCNConfig, UltraGCNNetwork, item_neighbours
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS

X = MARKET.train.toarray()


class TestUltraGCN(GradientContract):
    model = UltraGCN
    params = {
        "n_factors": 16,
        "n_negatives": 50,
        "negative_weight": 1.0,
        "learning_rate": 0.02,
        "batch_size": 256,
        "max_epochs": 50,
    }
    reference = 0.538
    tolerance = 0.05


def omega(i: int, j: int) -> float:
    """Closeness of item j to item i, written out."""
    shared = sum(X[u, i] * X[u, j] for u in range(len(X)))
    total = {item: sum(X[u, item] * X[u].sum() for u in range(len(X))) for item in (i, j)}
    own = X[:, i].sum()
    return shared / (total[i] - own) * np.sqrt(total[i] / total[j])


def test_neighbours_are_the_closest_items_and_no_item_is_its_own() -> None:
    neighbours, weights = item_neighbours(MARKET.train, 5)
    for item in (0, 7, 22):
        every = {other: omega(item, other) for other in range(X.shape[1] - len(COLD_ITEMS)) if other != item}
        largest = sorted(every.values(), reverse=True)[:5]
        np.testing.assert_allclose(sorted(weights[item], reverse=True), largest, rtol=1e-5)
        np.testing.assert_allclose(weights[item], [every[other] for other in neighbours[item]], rtol=1e-5)
    assert not weights[COLD_ITEMS].any()


def test_loss_by_hand() -> None:
    config = UltraGCNConfig(n_factors=4, degree_weight=0.7, item_weight=0.6, n_neighbours=3, negative_weight=9, l2=0.2)
    model = UltraGCNNetwork(TrainingData(MARKET.train, seed=5), config)
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.normal_(generator=torch.Generator().manual_seed(number))
    U, V = model.users.detach().numpy(), model.items.detach().numpy()
    users, positives, negatives = [0, 1, 8], [4, 5, 16], [3, 6, 9, 11]
    d_u, d_i = X.sum(axis=1), X.sum(axis=0)

    def weight(u: int, i: int) -> float:
        return 1 + 0.7 / d_u[u] * np.sqrt((d_u[u] + 1) / (d_i[i] + 1))

    loss = 0.2 * ((U**2).sum() + (V**2).sum()) / 2
    for u, i in zip(users, positives, strict=True):
        loss -= weight(u, i) * np.log(sigmoid(U[u] @ V[i]))
        loss -= 9 * np.mean([weight(u, j) * np.log(sigmoid(-U[u] @ V[j])) for j in negatives])
        for k in item_neighbours(MARKET.train, 3)[0][i]:
            loss -= 0.6 * omega(i, k) * np.log(sigmoid(U[u] @ V[k]))
    found = model.loss(tuple(torch.tensor(part) for part in (users, positives, negatives)))
    assert found.item() == pytest.approx(loss / 3, rel=1e-5)


def test_negatives_are_training_items() -> None:
    model = UltraGCNNetwork(TrainingData(MARKET.train, seed=5), UltraGCNConfig(n_negatives=400))
    _, _, negatives = next(model.batches(np.random.default_rng(0)))
    assert set(negatives.tolist()) == set(range(COLD_ITEMS[0]))


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))
