import numpy as np
import pytest
import torch

from recsys.content.arms import Arm
from recsys.content.features import Content
from recsys.models.multimodal.dragon import DRAGON, DRAGONConfig, DRAGONNetwork
from recsys.models.multimodal.dualgnn import DualGNN
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, POPULARITY
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_USERS, with_missing
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region
from tests.models._preferences import BATCH, encodings, parameters, penalty, ranking_loss, user_graph

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
ONE = {"text": MARKET.content["text"]}


class TestDRAGON(GradientContract):
    model = DRAGON
    params = PARAMS
    reference = 0.611
    tolerance = 0.05


def network(content: Content, **params: float) -> DRAGONNetwork:
    config = DRAGONConfig(n_factors=6, n_hidden=5, n_user_neighbours=3, n_neighbours=4, image_weight=0.1, **params)
    with seeded_region(5):
        return DRAGONNetwork(TrainingData(MARKET.train, content, 5), config)


def by_hand(model: DRAGONNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    parts = encodings(model.encoder, content)
    weights = parameters(model).get("weights", np.ones((N_USERS, 1)))
    users = np.concatenate([weights[:, [m]] * part for m, (part, _) in enumerate(parts)], axis=1)
    items = np.concatenate([part for _, part in parts], axis=1)
    shares = {"text": 0.9, "image": 0.1} if len(content) == 2 else dict.fromkeys(content, 1 / len(content))
    graph = sum(share * item_graph(content[source], 4).toarray() for source, share in shares.items())
    return users + user_graph(3) @ users, items + graph @ items


@pytest.mark.parametrize(
    "content",
    [ONE, with_missing(MARKET.content), MARKET.content | {"audio": MARKET.audio}],
    ids=["one", "missing", "three"],
)
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


def test_without_content_it_is_dualgnn_without_content() -> None:
    dragon, dualgnn = DRAGON.from_params(**PARAMS), DualGNN.from_params(**PARAMS)
    for model in (dragon, dualgnn):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(dragon.score(ALL_USERS), dualgnn.score(ALL_USERS), rtol=1e-5, atol=1e-6)


def test_content_that_tells_no_items_apart_has_no_item_graph() -> None:
    constant = Arm("constant", ("text",), "constant", ("text",)).show(ONE, 0, POPULARITY)
    assert network(constant).item_graph is None
