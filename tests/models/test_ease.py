import numpy as np
import pytest
from scipy import sparse

from recsys.models.linear.ease import EASE
from recsys.recommender import TrainingData
from recsys.testing import market
from recsys.testing.contract import ModelContract


class TestEASE(ModelContract):
    model = EASE
    params = {"l2": 10.0}
    reference = 0.5407


def test_solves_each_item_s_ridge_regression_on_the_others() -> None:
    train, l2 = market.planted_market().train, 3.0
    model = EASE.from_params(l2=l2)
    model.fit(TrainingData(train))
    X = train.toarray().astype(np.float64)
    for item in (0, 7, 38):
        others = np.delete(np.arange(X.shape[1]), item)
        A = X[:, others]
        expected = np.linalg.solve(A.T @ A + l2 * np.eye(len(others)), A.T @ X[:, item])
        np.testing.assert_allclose(model.weights[others, item], expected, atol=1e-6)
        assert model.weights[item, item] == 0


def test_weak_regularisation_of_popular_items_keeps_its_digits() -> None:
    rng = np.random.default_rng(0)
    train = sparse.csr_array((rng.random((3000, 30)) < 0.9).astype(np.float32))
    model = EASE.from_params(l2=1.0)
    model.fit(TrainingData(train))
    X = train.toarray().astype(np.float64)
    P = np.linalg.inv(X.T @ X + np.eye(30))
    expected = -P / np.diag(P)
    np.fill_diagonal(expected, 0)
    assert model.weights == pytest.approx(expected, abs=1e-6)
