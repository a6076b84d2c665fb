import numpy as np
import pytest
import torch

from recsys.models.factorisation.funksvd import FunkSVD, FunkSVDNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS

PARAMS = {"n_factors": 16, "negative_share": 0.5, "learning_rate": 0.03, "batch_size": 128, "max_epochs": 100}


class TestFunkSVD(GradientContract):
    model = FunkSVD
    params = PARAMS | {"user_l2": 0.1, "item_l2": 0.1}
    reference = 0.547
    tolerance = 0.04


def network(negative_share: float = 0.5, use_bias: bool = True) -> FunkSVDNetwork:
    params = {"n_factors": 4, "user_l2": 0.004, "item_l2": 0.007}
    model = FunkSVD.from_params(negative_share=negative_share, use_bias=use_bias, **params)
    made = FunkSVDNetwork(TrainingData(MARKET.train, seed=5), model.config)
    with torch.no_grad():
        for number, parameter in enumerate(made.parameters()):
            parameter.normal_(generator=torch.Generator().manual_seed(number))
    return made


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(("negative_share", "n_negatives"), [(0.5, 6), (0.25, 2), (0.0, 0)])
def test_loss_by_hand(negative_share: float, n_negatives: int, use_bias: bool) -> None:
    made = network(negative_share=negative_share, use_bias=use_bias)
    P, Q, b_u, b_i = (table.detach().numpy() for table in (made.users, made.items, made.user_bias, made.item_bias))
    users, positives, negatives = [0, 1, 2, 0, 8, 1], [4, 5, 6, 8, 9, 1], [1, 2, 3, 5, 7, 6]
    examples = [(u, i, 1.0) for u, i in zip(users, positives, strict=True)]
    examples += [(u, i, 0.0) for u, i in zip(users[:n_negatives], negatives[:n_negatives], strict=True)]
    loss = 0.0
    for u, i, r in examples:
        predicted = P[u] @ Q[i] + ((1 - negative_share) + b_u[u] + b_i[i] if use_bias else 0)
        loss += (r - predicted) ** 2 / 2 + 0.004 * P[u] @ P[u] / 2 + 0.007 * Q[i] @ Q[i] / 2
    found = made.loss(tuple(torch.tensor(part) for part in (users, positives, negatives)))
    assert found.item() == pytest.approx(loss / len(examples), rel=1e-5)


@pytest.mark.parametrize("use_bias", [True, False])
def test_scores_are_the_predictions(use_bias: bool) -> None:
    made = network(use_bias=use_bias)
    P, Q, b_u, b_i = (table.detach().numpy() for table in (made.users, made.items, made.user_bias, made.item_bias))
    users, items = (table.detach().numpy() for table in made.factors())
    expected = P @ Q.T + (0.5 + b_u[:, None] + b_i if use_bias else 0)
    np.testing.assert_allclose(users @ items.T, expected, atol=1e-5)


def test_predicts_one_for_the_chosen_and_an_average_for_the_unknown() -> None:
    model = FunkSVD.from_params(**PARAMS | {"user_l2": 1e-5, "item_l2": 1e-5})
    model.fit(TrainingData(MARKET.train))
    scores, chosen = model.score(np.arange(len(model.user_factors))), MARKET.train.toarray() > 0
    assert scores[chosen].mean() > 0.9
    warm = ~np.isin(np.arange(scores.shape[1]), COLD_ITEMS)
    assert scores[:, warm][~chosen[:, warm]].mean() < 0.3
