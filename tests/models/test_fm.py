import itertools

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.fm import FM, FMConfig, FMNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS, with_missing
from recsys.training.content import scaled_features

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30, "l2": 0.01}


class TestFM(GradientContract):
    model = FM
    params = PARAMS
    reference = 0.633
    tolerance = 0.03


def drawn(content: Content, seed: int = 2) -> FMNetwork:
    """A network whose parameters are all drawn, weights too."""
    network = FMNetwork(TrainingData(MARKET.train, content, seed), FMConfig(n_factors=3, l2=0.2))
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws))
    return network


def by_equation_1(network: FMNetwork, user: int, item: int) -> float:
    """w.x and all pairs <v_i, v_j> x_i x_j, for x = user and item one-hot with the content behind, user's w zero."""
    users, items, columns = (
        table.detach().double().numpy() for table in (network.users, network.items, network.columns)
    )
    vectors = np.concatenate([users, items[:, :-1], columns[:, :-1]])
    weights = np.concatenate([np.zeros(N_USERS), items[:, -1], columns[:, -1]])
    x = np.concatenate([np.arange(N_USERS) == user, np.arange(N_ITEMS) == item, network.features[item].numpy()])
    pairs = (vectors[i] @ vectors[j] * x[i] * x[j] for i, j in itertools.combinations(np.flatnonzero(x), 2))
    return float(weights @ x + sum(pairs))


@pytest.mark.parametrize("content", [MARKET.content, with_missing(MARKET.content), {}], ids=["full", "holes", "none"])
def test_scores_by_the_slow_formula(content: Content) -> None:
    network = drawn(content)
    users, items = (table.detach().numpy() for table in network.factors())
    for user, item in ((0, 0), (3, 4), (17, 12), (59, 39)):
        assert users[user] @ items[item] == pytest.approx(by_equation_1(network, user, item), rel=1e-4, abs=1e-4)


def test_loss_by_the_slow_formula() -> None:
    network = drawn(MARKET.content)
    users, positives, negatives = (0, 1), (4, 5), (6, 7)
    differences = [
        by_equation_1(network, u, p) - by_equation_1(network, u, n)
        for u, p, n in zip(users, positives, negatives, strict=True)
    ]
    touched = [network.users[list(users)], network.items[list(positives)], network.items[list(negatives)]]
    norms = sum(rows.square().sum().item() for rows in touched) / 2 / 2 + network.columns.square().sum().item() / 2
    expected = np.log1p(np.exp(-np.array(differences))).mean() + 0.2 * norms
    batch = tuple(torch.tensor(part) for part in (users, positives, negatives))
    assert network.loss(batch).item() == pytest.approx(expected, rel=1e-4)


def test_without_content_it_is_matrix_factorisation_with_item_biases() -> None:
    model = FM.from_params(**PARAMS)
    model.fit(TrainingData(MARKET.train, {}, 4))
    assert not model.content_used
    assert model.item_factors.shape == (N_ITEMS, PARAMS["n_factors"] + 1)
    assert (model.user_factors[:, -1] == 1).all()
    assert np.abs(model.item_factors[: COLD_ITEMS[0], -1]).min() > 0
    assert not model.item_factors[COLD_ITEMS].any()


def test_columns_of_ones_and_zeros_are_attributes_as_in_the_paper() -> None:
    """Two keywords that an item has pair with each other, with the item and with the user."""
    network = drawn(MARKET.content)
    network.features = torch.zeros_like(network.features)
    network.features[5, [1, 3]] = 1.0
    _, items = network.factors()
    v, w = network.columns[:, :-1], network.columns[:, -1]
    own, bias = network.items[5, :-1], network.items[5, -1]
    expected = bias + w[1] + w[3] + v[1] @ v[3] + own @ (v[1] + v[3])
    assert items[5, -1].item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(items[5, :-1], own + v[1] + v[3])


def test_loudness_of_a_source_does_not_matter() -> None:
    network = FMNetwork(TrainingData(MARKET.train, MARKET.content), FMConfig())
    torch.testing.assert_close(network.features[:, :8], scaled_features(MARKET.content["text"]))
    assert network.features[:, :8].norm(dim=1).mean().item() == pytest.approx(1)
