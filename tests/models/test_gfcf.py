import numpy as np
import pytest

from recsys.models.graph.gfcf import GFCF
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, ModelContract
from recsys.testing.market import COLD_ITEMS


class TestGFCF(ModelContract):
    model = GFCF
    params = {"n_factors": 4}
    reference = 0.6388


@pytest.mark.parametrize(("n_factors", "weight"), [(4, 0.3), (12, 1.0), (30, 0.5)])
def test_scores_are_those_of_both_filters(n_factors: int, weight: float) -> None:
    model = GFCF.from_params(n_factors=n_factors, low_pass_weight=weight)
    model.fit(TrainingData(MARKET.train))
    X = MARKET.train.toarray().astype(np.float64)
    users, items = np.maximum(X.sum(axis=1), 1) ** -0.5, np.maximum(X.sum(axis=0), 1) ** -0.5
    R = users[:, None] * X * items
    _, frequencies = np.linalg.eigh(np.eye(len(items)) - R.T @ R)  # lowest first
    smooth = frequencies[:, :n_factors]
    low_pass = np.diag(items) @ smooth @ smooth.T @ np.diag(np.sqrt(X.sum(axis=0)))
    expected = X @ (R.T @ R + weight * low_pass)
    np.testing.assert_allclose(model.score(ALL_USERS), expected, atol=1e-4)


def test_items_without_interactions_score_zero() -> None:
    model = GFCF()
    model.fit(TrainingData(MARKET.train))
    assert not model.score(ALL_USERS)[:, COLD_ITEMS].any()
