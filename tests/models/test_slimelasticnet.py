import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import ElasticNet

from recsys.models.linear.slimelasticnet import SLIMElasticNet
from recsys.recommender import TrainingData
from recsys.testing import market
from recsys.testing.contract import ModelContract


class TestSLIMElasticNet(ModelContract):
    model = SLIMElasticNet
    params = {"alpha": 0.05, "l1_ratio": 0.1}
    reference = 0.5122


def weights(train: sparse.csr_array, **params: float) -> np.ndarray:
    model = SLIMElasticNet.from_params(**params)
    model.fit(TrainingData(train))
    assert isinstance(model.weights, sparse.csr_array)
    return model.weights.toarray()


@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.01, 0.001), (0.02, 0.9), (0.1, 0.3)])
def test_solves_each_item_s_elastic_net_on_the_others(alpha: float, l1_ratio: float) -> None:
    train = market.planted_market().train
    found = weights(train, alpha=alpha, l1_ratio=l1_ratio)
    X = train.toarray().astype(np.float64)
    net = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, positive=True, fit_intercept=False, max_iter=10_000, tol=1e-10)
    for item in range(X.shape[1]):
        others = np.delete(np.arange(X.shape[1]), item)
        expected = net.fit(X[:, others], X[:, item]).coef_
        np.testing.assert_allclose(found[others, item], expected, atol=1e-4)
        assert found[item, item] == 0
    assert (found > 0).any()


def test_keeps_the_largest_weights_and_a_single_one_too() -> None:
    every = weights(market.planted_market().train, alpha=0.01, l1_ratio=0.001)
    for column in (0, 13):
        kept = weights(market.planted_market().train, alpha=0.01, l1_ratio=0.001, n_neighbours=3)[:, column]
        best = np.sort(np.argsort(-every[:, column])[:3])
        np.testing.assert_array_equal(np.flatnonzero(kept), best)
        np.testing.assert_array_equal(kept[best], every[best, column])
    # One user has items 0 and 1: minimise (1 - w)^2 / 2 + 2 * 0.1 * (0.5 w + 0.5 w^2 / 2).
    pair = sparse.csr_array(np.array([[1, 1, 0], [0, 0, 1]], dtype=np.float32))
    np.testing.assert_allclose(weights(pair, alpha=0.1, l1_ratio=0.5)[:, :2], [[0, 9 / 11], [9 / 11, 0], [0, 0]])
