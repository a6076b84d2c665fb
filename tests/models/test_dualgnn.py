import numpy as np
import pytest

from recsys.content.features import Content
from recsys.models.multimodal.dualgnn import DualGNN, DualGNNConfig, DualGNNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER, N_ITEMS, N_USERS
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    CONTENTS,
    MISSING,
    ONE,
    THREE,
    assert_cold_items,
    assert_factors,
    assert_loss,
    encodings,
    length_one,
    parameters,
    penalty,
    propagated,
    ranking_loss,
    user_graph,
    weighted,
)


class TestDualGNN(GradientContract):
    model = DualGNN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.579
    tolerance = 0.05


def network(content: Content, **params: float) -> DualGNNNetwork:
    config = DualGNNConfig(n_factors=6, n_hidden=5, n_user_neighbours=3, **params)
    with seeded_region(5):
        return DualGNNNetwork(TrainingData(MARKET.train, content, 5), config)


def by_hand(model: DualGNNNetwork, content: Content, *, on_sum: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    parts = encodings(model.encoder, content)
    of_users = [part for part, _ in parts]
    if on_sum is not None:
        of_users[on_sum] = sum(of_users)
    users = sum(weighted(model, of_users))
    return users + user_graph(3) @ users, sum(part for _, part in parts)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    assert_factors(model, by_hand(model, content))


@pytest.mark.parametrize("content", [*CONTENTS.values(), {"tags": MARKET.audio} | ONE], ids=[*CONTENTS, "no images"])
def test_the_weight_of_images_acts_on_the_sum_where_asked_for(content: Content) -> None:
    model = network(content, image_weight_on_sum=True)
    assert_factors(model, by_hand(model, content, on_sum=list(content).index("image") if "image" in content else 0))


def test_loss_by_hand() -> None:
    model = network(MARKET.content, preference_l2=0.3)
    assert_loss(model, ranking_loss(*by_hand(model, MARKET.content)) + 0.3 * penalty(model, 2))


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
    nodes = propagated(length_one(np.concatenate([P["encoder.preferences"], P["encoder.views.0.table"]])))
    users, items = nodes[:N_USERS], nodes[N_USERS:]
    assert_factors(model, (users + user_graph(3) @ users, items))


def test_cold_rows_are_what_their_content_says_and_nothing_else() -> None:
    users, items = network(MISSING).factors()
    assert not users[COLD_USER].any()
    assert_cold_items(items, MISSING)
    assert not network({}).factors()[1][COLD_ITEMS].any()
