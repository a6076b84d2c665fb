import numpy as np
import pytest

from recsys.models.factorisation.nmf import NMF
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, ModelContract
from recsys.testing.market import COLD_ITEMS, COLD_USER


class TestNMF(ModelContract):
    model = NMF
    params = {"n_factors": 4}
    reference = 0.6487


class TestNMFByDivergence(ModelContract):
    model = NMF
    params = {"n_factors": 4, "loss": "kullback-leibler", "start": "nndsvda"}
    reference = 0.6423


X = MARKET.train.toarray().astype(np.float64)


def updated(loss: str, n_factors: int, seed: int) -> float:
    """The loss after 500 of Lee and Seung's updates as they write them, from a random start."""
    rng = np.random.default_rng(seed)
    W, H = rng.random((len(X), n_factors)), rng.random((n_factors, X.shape[1]))
    for _ in range(500):
        if loss == "frobenius":
            W *= (X @ H.T) / (W @ H @ H.T + 1e-12)
            H *= (W.T @ X) / (W.T @ W @ H + 1e-12)
        else:
            W *= (X / (W @ H + 1e-12)) @ H.T / (H.sum(axis=1) + 1e-12)
            H *= W.T @ (X / (W @ H + 1e-12)) / (W.sum(axis=0)[:, None] + 1e-12)
    return divergence(loss, W @ H)


def divergence(loss: str, scores: np.ndarray) -> float:
    if loss == "frobenius":
        return float(((X - scores) ** 2).sum())
    return float((-np.log(scores[X > 0])).sum() - X.sum() + scores.sum())


@pytest.mark.parametrize("loss", ["frobenius", "kullback-leibler"])
@pytest.mark.parametrize("start", ["random", "nndsvda"])
def test_reaches_the_loss_of_the_published_updates(loss: str, start: str) -> None:
    model = NMF.from_params(n_factors=4, loss=loss, start=start)
    model.fit(TrainingData(MARKET.train))
    assert model.user_factors.min() >= 0 and model.item_factors.min() >= 0
    found = divergence(loss, model.score(ALL_USERS).astype(np.float64))
    assert found <= 1.001 * min(updated(loss, 4, seed) for seed in range(5))


def test_what_nobody_took_stays_at_zero() -> None:
    model = NMF.from_params(n_factors=4)
    model.fit(TrainingData(MARKET.train))
    np.testing.assert_allclose(model.score(ALL_USERS)[:, COLD_ITEMS], 0, atol=1e-6)
    np.testing.assert_allclose(model.score(np.array([COLD_USER])), 0, atol=1e-6)
