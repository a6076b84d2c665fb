import numpy as np
import pytest
import torch

from recsys.models.factorisation.asysvd import AsySVD, AsySVDNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_USER


class TestAsySVD(GradientContract):
    model = AsySVD
    params = {
        "n_factors": 8,
        "negative_share": 0.5,
        "user_l2": 0.01,
        "item_l2": 0.03,
        "learning_rate": 0.03,
        "batch_size": 128,
        "max_epochs": 60,
    }
    reference = 0.478
    tolerance = 0.034


def network() -> AsySVDNetwork:
    model = AsySVD.from_params(n_factors=4, negative_share=0.5, user_l2=0.004, item_l2=0.007)
    made = AsySVDNetwork(TrainingData(MARKET.train, seed=5), model.config)
    with torch.no_grad():
        for number, parameter in enumerate(made.parameters()):
            parameter.normal_(generator=torch.Generator().manual_seed(number))
    return made


def test_loss_by_hand() -> None:
    made = network()
    tables = (made.profile, made.items, made.user_bias, made.item_bias)
    Y, Q, b_u, b_i = (table.detach().numpy() for table in tables)
    users, positives, negatives = [0, 1, 2, 0], [4, 5, 6, 8], [1, 2, 3, 5]
    loss = 0.0
    for items, r in ((positives, 1.0), (negatives, 0.0)):
        for u, i in zip(users, items, strict=True):
            profile = np.flatnonzero(MARKET.train.toarray()[u])
            vector = sum(Y[j] for j in profile) / np.sqrt(len(profile))
            loss += (r - (0.5 + b_u[u] + b_i[i] + Q[i] @ vector)) ** 2 / 2
            loss += 0.004 * sum(Y[j] @ Y[j] for j in profile) / 2 + 0.007 * Q[i] @ Q[i] / 2
    found = made.loss(tuple(torch.tensor(part) for part in (users, positives, negatives)))
    assert found.item() == pytest.approx(loss / 8, rel=1e-5)
    found.backward()
    assert made.profile.grad is not None
    profiles = MARKET.train.toarray()[users].any(axis=0)
    np.testing.assert_array_equal(made.profile.grad.numpy().any(axis=1), profiles)


def test_a_user_without_a_profile_gets_the_items_biases() -> None:
    made = network()
    users, items = (table.detach().numpy() for table in made.factors())
    expected = 0.5 + made.user_bias[COLD_USER].item() + made.item_bias.detach().numpy()
    np.testing.assert_allclose(users[COLD_USER] @ items.T, expected, atol=1e-6)
