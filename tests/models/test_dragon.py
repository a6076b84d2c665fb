import numpy as np
import pytest

from recsys.content.features import Content
from recsys.models.multimodal.dragon import DRAGON, DRAGONConfig, DRAGONNetwork
from recsys.models.multimodal.dualgnn import DualGNN
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    CONSTANT,
    CONTENTS,
    assert_factors,
    assert_loss,
    assert_same_without_content,
    encodings,
    mixed,
    penalty,
    ranking_loss,
    user_graph,
    weighted,
)

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}


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
    users = np.concatenate(weighted(model, [part for part, _ in parts]), axis=1)
    items = np.concatenate([part for _, part in parts], axis=1)
    return users + user_graph(3) @ users, items + mixed(content) @ items


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    assert_factors(model, by_hand(model, content))


def test_loss_by_hand() -> None:
    model = network(MARKET.content, preference_l2=0.3)
    assert_loss(model, ranking_loss(*by_hand(model, MARKET.content)) + 0.3 * penalty(model, 2))


def test_without_content_it_is_dualgnn_without_content() -> None:
    assert_same_without_content(DRAGON.from_params(**PARAMS), DualGNN.from_params(**PARAMS), rtol=1e-5, atol=1e-6)


def test_content_that_tells_no_items_apart_has_no_item_graph() -> None:
    assert network(CONSTANT).item_graph is None
