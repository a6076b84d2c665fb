import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import ElasticNet

from recsys.models.linear import admmslim
from recsys.models.linear.admmslim import ADMMSLIM
from recsys.models.linear.ease import EASE
from recsys.recommender import TrainingData
from recsys.testing import market
from recsys.testing.contract import ModelContract

TRAIN = market.planted_market().train


class TestADMMSLIM(ModelContract):
    model = ADMMSLIM
    params = {"l1": 0.5, "l2": 10.0}
    reference = 0.5586


def weights(**params: float | bool) -> np.ndarray:
    model = ADMMSLIM.from_params(**params)
    model.fit(TrainingData(TRAIN))
    assert isinstance(model.weights, sparse.csr_array)
    return model.weights.toarray()


@pytest.mark.parametrize("non_negative", [True, False])
@pytest.mark.parametrize(("l1", "l2"), [(0.1, 5.0), (0.5, 3.0), (2.0, 50.0)])
def test_solves_each_item_s_elastic_net_on_the_others(l1: float, l2: float, non_negative: bool) -> None:
    found = weights(l1=l1, l2=l2, non_negative=non_negative)
    X = TRAIN.toarray().astype(np.float64)
    alpha, l1_ratio = (l1 + l2) / len(X), l1 / (l1 + l2)
    net = ElasticNet(
        alpha=alpha, l1_ratio=l1_ratio, positive=non_negative, fit_intercept=False, max_iter=10_000, tol=1e-10
    )
    for item in range(X.shape[1]):
        others = np.delete(np.arange(X.shape[1]), item)
        expected = net.fit(X[:, others], X[:, item]).coef_
        np.testing.assert_allclose(found[others, item], expected, atol=1e-3)
        assert found[item, item] == 0
    assert (found < 0).any() == (not non_negative and l1 < 2)


def test_without_the_absolute_penalty_it_is_ease() -> None:
    ease = EASE.from_params(l2=20.0)
    ease.fit(TrainingData(TRAIN))
    np.testing.assert_allclose(weights(l1=0.0, l2=20.0, non_negative=False), ease.weights, atol=1e-3)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = weights(l1=0.5, l2=10.0)
    monkeypatch.setattr(admmslim, "BLOCK", 7)
    np.testing.assert_allclose(weights(l1=0.5, l2=10.0), at_once, atol=1e-3)
