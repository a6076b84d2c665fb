import numpy as np
import pytest
from scipy import sparse

from recsys.models.factorisation.puresvd import PureSVD
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, ModelContract


class TestPureSVD(ModelContract):
    model = PureSVD
    params = {"n_factors": 4}
    reference = 0.6293


@pytest.mark.parametrize("n_factors", [3, 15, 30, 100])
def test_is_the_nearest_matrix_of_its_rank(n_factors: int) -> None:
    model = PureSVD.from_params(n_factors=n_factors)
    model.fit(TrainingData(MARKET.train))
    U, S, Vt = np.linalg.svd(MARKET.train.toarray().astype(np.float64), full_matrices=False)
    expected = U[:, :n_factors] * S[:n_factors] @ Vt[:n_factors]
    np.testing.assert_allclose(model.score(ALL_USERS), expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(model.user_factors, axis=0), S[:n_factors], atol=1e-4)


@pytest.mark.parametrize("shape", [(500, 60), (60, 500)])
def test_large_sparse_markets_are_decomposed_to_rounding(shape: tuple[int, int]) -> None:
    train = sparse.csr_array((np.random.default_rng(0).random(shape) < 0.05).astype(np.float32))
    model = PureSVD.from_params(n_factors=8)
    model.fit(TrainingData(train))
    U, S, Vt = np.linalg.svd(train.toarray().astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(model.score(np.arange(shape[0])), U[:, :8] * S[:8] @ Vt[:8], atol=1e-4)
