import numpy as np
import pytest
from implicit.cpu import als as implicit_als
from scipy import sparse

from recsys.models.factorisation import ials
from recsys.models.factorisation.ials import IALS, IALSConfig, penalties, solve
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET, ModelContract
from recsys.testing.market import COLD_ITEMS, COLD_USER


class TestIALS(ModelContract):
    model = IALS
    params = {"n_factors": 4, "l2": 0.05}
    reference = 0.5028


TRAIN = MARKET.train
X = TRAIN.toarray().astype(np.float64)


def vectors(n: int, n_factors: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, n_factors)).astype(np.float32)


@pytest.mark.parametrize("n_factors", [2, 5, 30], ids=["below", "among", "above"])
def test_each_vector_is_the_least_squares_solution(n_factors: int) -> None:
    """Whether its interactions are more than its factors or fewer."""
    Y, penalty = vectors(X.shape[1], n_factors), np.linspace(0.1, 2, len(X))
    for user, vector in enumerate(solve(TRAIN, Y, 0.3, penalty)):
        system = Y.T @ np.diag(X[user] + 0.3) @ Y + penalty[user] * np.eye(n_factors)
        np.testing.assert_allclose(vector, np.linalg.solve(system, Y.T @ X[user]), atol=1e-4)


def test_half_an_iteration_is_that_of_a_peer() -> None:
    # Divided by alpha_0, an interaction weighs 1 + 1 / alpha_0; the peer also wants it to score 1 under that weight.
    unobserved, penalty, Y = 0.2, 0.7, vectors(X.shape[1], 6)
    theirs = np.zeros((len(X), 6), dtype=np.float32)
    confidence = sparse.csr_matrix(TRAIN * (1 + 1 / unobserved), dtype=np.float32)
    implicit_als.least_squares(confidence, theirs, Y, penalty / unobserved, num_threads=1)
    ours = solve(TRAIN, Y, unobserved, np.full(len(X), penalty))
    np.testing.assert_allclose(ours * (1 + unobserved), theirs, atol=1e-4)


def loss(model: IALS) -> float:
    """Summed over each pair as the paper writes it."""
    scores = model.user_factors.astype(np.float64) @ model.item_factors.T
    user_penalty, item_penalty = penalties(TRAIN, model.config)
    squared = user_penalty @ (model.user_factors**2).sum(axis=1) + item_penalty @ (model.item_factors**2).sum(axis=1)
    return float((X * (scores - 1) ** 2 + model.config.unobserved_weight * scores**2).sum() + squared)


def test_no_iteration_raises_the_loss_and_many_find_its_floor() -> None:
    losses = []
    for n_iterations in (1, 2, 3, 5, 8, 100, 101):
        model = IALS.from_params(n_factors=6, n_iterations=n_iterations, unobserved_weight=0.5, frequency_power=0.5)
        model.fit(TrainingData(TRAIN))
        losses.append(loss(model))
    assert (np.diff(losses) <= 1e-3).all()
    assert losses[-2] == pytest.approx(losses[-1], rel=1e-5)
    users, items = penalties(TRAIN, model.config)
    scores = model.user_factors @ model.item_factors.T
    errors = X * (scores - 1) + model.config.unobserved_weight * scores
    np.testing.assert_allclose(errors @ model.item_factors + users[:, None] * model.user_factors, 0, atol=1e-2)
    np.testing.assert_allclose(errors.T @ model.user_factors + items[:, None] * model.item_factors, 0, atol=1e-2)


def test_regularisation_follows_frequency_and_keeps_its_sum() -> None:
    alike, in_proportion = (penalties(TRAIN, IALSConfig(frequency_power=power)) for power in (0.0, 1.0))
    n_users, n_items = TRAIN.shape
    np.testing.assert_allclose(in_proportion[0], 0.003 * (X.sum(axis=1) + 0.1 * n_items))
    np.testing.assert_allclose(in_proportion[1], 0.003 * (X.sum(axis=0) + 0.1 * n_users))
    assert len(np.unique(np.concatenate(alike))) == 1
    assert sum(part.sum() for part in alike) == pytest.approx(sum(part.sum() for part in in_proportion))


def test_what_nobody_took_stays_at_zero() -> None:
    model = IALS.from_params(n_factors=4)
    model.fit(TrainingData(TRAIN))
    assert not model.item_factors[COLD_ITEMS].any()
    assert not model.user_factors[COLD_USER].any()


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Y, penalty = vectors(X.shape[1], 5), np.ones(len(X))
    whole = solve(TRAIN, Y, 0.3, penalty)
    monkeypatch.setattr(ials, "BLOCK_ENTRIES", 60)
    np.testing.assert_allclose(solve(TRAIN, Y, 0.3, penalty), whole, rtol=1e-5, atol=1e-6)
