import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.freedom import FREEDOM
from recsys.models.multimodal.pgl import PGL, PGLConfig, PGLNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONTENTS,
    MISSING,
    assert_cold_items,
    assert_factors,
    assert_loss,
    assert_same_without_content,
    bpr,
    info_nce,
    length_one,
    linear,
    mixed,
    parameters,
    propagated,
)

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}


class TestPGL(GradientContract):
    model = PGL
    params = PARAMS
    reference = 0.697
    tolerance = 0.03


def network(content: Content, **params: float) -> PGLNetwork:
    with seeded_region(5):
        return PGLNetwork(TrainingData(MARKET.train, content, 5), PGLConfig(n_factors=6, n_neighbours=4, **params))


def by_hand(model: PGLNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Final users and items over the whole graph, one source after the other."""
    P, graph = parameters(model), mixed(content)
    users, items = [], []
    for m, features in enumerate(content.values()):
        seen = length_one(linear(P, f"sources.{m}.linear", P[f"sources.{m}.table"])) * features.present[:, None]
        nodes = propagated(np.concatenate([P["users"][:, 6 * m : 6 * m + 6], seen])) / 3
        users.append(nodes[:N_USERS])
        items.append(nodes[N_USERS:] + graph @ seen)
    return np.concatenate(users, axis=1), np.concatenate(items, axis=1)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    assert_factors(model, by_hand(model, content))


def test_loss_by_hand() -> None:
    model = network(MARKET.content, contrast_weight=0.7, temperature=0.5, dropout=0.0)  # not thinned before an epoch
    users, items = by_hand(model, MARKET.content)
    contrast = sum(info_nce(rows, rows, 0.5) for rows in (users[BATCH[0]], items[BATCH[1]]))
    assert_loss(model, bpr(users, items) + 0.7 * contrast / 2)


def test_the_two_copies_hide_different_entries() -> None:
    model = network(MARKET.content, contrast_weight=0.7, dropout=0.5)
    rows = torch.randn(8, 12)
    with seeded_region(1):
        hidden = model._contrast(rows).item()
    assert hidden > network(MARKET.content, contrast_weight=0.7, dropout=0.0)._contrast(rows).item()


def test_an_epoch_sees_three_of_ten_edges_and_scoring_all() -> None:
    model = network(MARKET.content)
    model.start_epoch(np.random.default_rng(0))
    probe = torch.eye(N_USERS + N_ITEMS)
    assert np.count_nonzero((model.thinned.operator @ probe).numpy()) // 2 == int(0.3 * MARKET.train.nnz)
    np.testing.assert_allclose((model.adjacency @ probe).numpy(), adjacency(MARKET.train).toarray())


def test_without_content_it_is_freedom_without_content() -> None:
    pgl = PGL.from_params(**PARAMS, drop_rate=0.5, learning_rate_decay=1.0)
    assert_same_without_content(pgl, FREEDOM.from_params(**PARAMS, drop_rate=0.5))


def test_a_cold_item_is_its_content_and_its_neighbours_alone() -> None:
    assert_cold_items(network(MISSING).factors()[1], MISSING)
