import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.dualgnn import DualGNN, DualGNNConfig, DualGNNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER, N_ITEMS, N_USERS, with_missing
from recsys.training.randomness import seeded_region
from tests.models._preferences import BATCH, A, encodings, parameters, penalty, ranking_loss, user_graph

ONE = {"text": MARKET.content["text"]}
THREE = MARKET.content | {"audio": MARKET.audio}


class TestDualGNN(GradientContract):
    model = DualGNN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.579
    tolerance = 0.05


def network(content: Content, **params: float) -> DualGNNNetwork:
    config = DualGNNConfig(n_factors=6, n_hidden=5, n_user_neighbours=3, **params)
    with seeded_region(5):
        return DualGNNNetwork(TrainingData(MARKET.train, content, 5), config)


def by_hand(model: DualGNNNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    parts = encodings(model.encoder, content)
    weights = parameters(model).get("weights", np.ones((N_USERS, 1)))
    users = sum(weights[:, [m]] * part for m, (part, _) in enumerate(parts))
    return users + user_graph(3) @ users, sum(part for _, part in parts)


@pytest.mark.parametrize("content", [ONE, with_missing(MARKET.content), THREE], ids=["one", "missing", "three"])
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    for found, expected in zip(model.factors(), by_hand(model, content), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, preference_l2=0.3)
    loss = ranking_loss(*by_hand(model, MARKET.content))
    loss += 0.3 * (penalty(model.encoder, 2) + np.square(parameters(model)["weights"]).mean())
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-5)


def test_users_start_with_nearly_equal_weights_and_one_source_has_none() -> None:
    assert network(ONE).weights is None
    weights = parameters(network(THREE))["weights"]
    np.testing.assert_allclose(weights, 1 / 3, atol=0.2)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)


def test_without_content_a_learned_table_stands_in_the_place_of_features() -> None:
    model = network({})
    P = parameters(model)
    assert {name: part.shape for name, part in P.items()} == {
        "encoder.views.0.table": (N_ITEMS, 6),
        "encoder.preferences": (N_USERS, 6),
    }
    nodes = np.concatenate([P["encoder.preferences"], P["encoder.views.0.table"]])
    nodes /= np.maximum(np.linalg.norm(nodes, axis=1, keepdims=True), 1e-9)
    nodes = nodes + A @ nodes + A @ A @ nodes
    users, items = (table.detach().numpy() for table in model.factors())
    np.testing.assert_allclose(items, nodes[N_USERS:], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(users, nodes[:N_USERS] + user_graph(3) @ nodes[:N_USERS], rtol=1e-4, atol=1e-6)


def test_cold_rows_are_what_their_content_says_and_nothing_else() -> None:
    content = with_missing(MARKET.content)
    users, items = network(content).factors()
    assert not users[COLD_USER].any()
    has_any = np.any([features.present for features in content.values()], axis=0)
    assert items[COLD_ITEMS].any(dim=1).tolist() == has_any[COLD_ITEMS].tolist()
    assert not network({}).factors()[1][COLD_ITEMS].any()
