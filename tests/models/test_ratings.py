"""Models of ratings against their formulas, entry by entry."""

import numpy as np
import pytest
from scipy import sparse

from recsys.models.ratings.coclustering import Clusters, CoClustering, CoClusteringConfig
from recsys.models.ratings.globaleffects import GlobalEffects
from recsys.models.ratings.slopeone import SlopeOne
from recsys.recommender import Recommender, TrainingData
from recsys.testing.contract import ModelContract

NAN = np.nan


class TestGlobalEffects(ModelContract):
    model = GlobalEffects
    personal = False
    reference = 0.1627


# In the contract's market the pattern is in what is taken, of which the next two take no notice.
class TestSlopeOne(ModelContract):
    model = SlopeOne
    personal = False
    reference = 0.0949


class TestCoClustering(ModelContract):
    model = CoClustering
    params = {"n_user_clusters": 4, "n_item_clusters": 4}
    personal = False
    reference = 0.2022


def random_ratings(seed: int, n_users: int = 14, n_items: int = 11) -> np.ndarray:
    """Ratings with NaN where there is none; the last user and the last item have none at all."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (n_users, n_items)).astype(float)
    values[rng.random(values.shape) < 0.55] = NAN
    values[-1], values[:, -1] = NAN, NAN
    return values


def fitted(model: Recommender, values: np.ndarray) -> np.ndarray:
    users, items = np.nonzero(~np.isnan(values))
    given = sparse.csr_array((values[users, items].astype(np.float32), (users, items)), shape=values.shape)
    taken = sparse.csr_array((np.ones(given.nnz, np.float32), (users, items)), shape=values.shape)
    model.fit(TrainingData(taken, ratings=given))
    return model.score(np.arange(len(values)))


@pytest.mark.parametrize("seed", [0, 1])
def test_global_effects_are_shrunk_deviations(seed: int) -> None:
    values = random_ratings(seed)
    scores = fitted(GlobalEffects.from_params(shrinkage=3.0), values)
    overall = np.nanmean(values)
    expected = [
        sum(value - overall for value in column if not np.isnan(value)) / (np.sum(~np.isnan(column)) + 3)
        for column in values.T
    ]
    np.testing.assert_allclose(scores, np.tile(expected, (len(values), 1)), atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_slope_one_by_its_formula(seed: int) -> None:
    values = random_ratings(seed)
    scores = fitted(SlopeOne(), values)
    for u, row in enumerate(values):
        own = np.flatnonzero(~np.isnan(row))
        mean = row[own].mean() if len(own) else np.nanmean(values)
        for j in range(values.shape[1]):
            differences = []
            for i in own[own != j]:
                both = ~np.isnan(values[:, i]) & ~np.isnan(values[:, j])
                if both.any():
                    differences.append((values[both, j] - values[both, i]).mean())
            expected = mean + (np.mean(differences) if differences else 0)
            assert scores[u, j] == pytest.approx(expected, abs=1e-5)


def test_slope_one_as_in_the_paper() -> None:
    """User A gave 1 to I and 1.5 to J, user B 2 to I: J is half a point better (figure 1)."""
    scores = fitted(SlopeOne(), np.array([[1.0, 1.5], [2.0, NAN]]))
    assert scores[1, 1] == pytest.approx(2.5)


def predictions(values: np.ndarray, of_user: np.ndarray, of_item: np.ndarray) -> np.ndarray:
    """Co-clustering's prediction for every pair, from the clusters alone."""

    def mean(part: np.ndarray) -> float:
        return float(np.nanmean(part)) if part.size and not np.isnan(part).all() else float(np.nanmean(values))

    expected = np.empty(values.shape)
    for u, i in np.ndindex(values.shape):
        user, item = of_user == of_user[u], of_item == of_item[i]
        offset_u, offset_i = mean(values[u]) - mean(values[user]), mean(values[:, i]) - mean(values[:, item])
        expected[u, i] = mean(values[np.ix_(user, item)]) + offset_u + offset_i
        if np.isnan(values[u]).all():
            expected[u, i] = mean(values[:, i])
        elif np.isnan(values[:, i]).all():
            expected[u, i] = mean(values[u])
    return expected


def clusters_of(values: np.ndarray, n_user_clusters: int, n_item_clusters: int, seed: int = 0) -> Clusters:
    users, items = np.nonzero(~np.isnan(values))
    given = sparse.coo_array((values[users, items], (users, items)), shape=values.shape)
    config = CoClusteringConfig(n_user_clusters=n_user_clusters, n_item_clusters=n_item_clusters)
    return Clusters(given, config, np.random.default_rng(seed))


@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (20, 4)])
def test_coclustering_predicts_by_its_formula(shape: tuple[int, int]) -> None:
    values = random_ratings(5)
    clusters = clusters_of(values, *shape)
    clusters.move_users()
    clusters.move_items()
    users, items = clusters.factors()
    np.testing.assert_allclose(users @ items.T, predictions(values, clusters.of_user, clusters.of_item), atol=1e-5)


def test_users_and_items_move_to_the_cluster_of_least_error() -> None:
    values = random_ratings(6)
    clusters = clusters_of(values, 3, 4)
    joint, by_user, by_item = clusters.joint.copy(), clusters.by_user.copy(), clusters.by_item.copy()
    of_item = clusters.of_item.copy()
    clusters.move_users()
    for u in range(len(values) - 1):
        own = np.flatnonzero(~np.isnan(values[u]))
        errors = []
        for g in range(3):
            offsets = np.array([np.nanmean(values[:, i]) - by_item[of_item[i]] for i in own])
            guess = joint[g, of_item[own]] + np.nanmean(values[u]) - by_user[g] + offsets
            errors.append(((values[u, own] - guess) ** 2).sum())
        assert errors[clusters.of_user[u]] == pytest.approx(min(errors))
    joint, by_item, of_user = clusters.joint.copy(), clusters.by_item.copy(), clusters.of_user.copy()
    offsets_of_users = np.array([np.nanmean(row) for row in values[:-1]]) - clusters.by_user[of_user[:-1]]
    clusters.move_items()
    for i in range(values.shape[1] - 1):
        own = np.flatnonzero(~np.isnan(values[:, i]))
        errors = []
        for h in range(4):
            guess = joint[of_user[own], h] + np.nanmean(values[:, i]) - by_item[h] + offsets_of_users[own]
            errors.append(((values[own, i] - guess) ** 2).sum())
        assert errors[clusters.of_item[i]] == pytest.approx(min(errors))


def test_coclustering_learns_who_likes_what_from_ratings_alone() -> None:
    rng = np.random.default_rng(3)
    likes = (np.arange(60) % 2)[:, None] == (np.arange(40) % 2)
    values = np.where(likes, 4.0, 2.0) + rng.normal(0, 0.5, likes.shape)
    missing = rng.random(likes.shape) < 0.5
    scores = fitted(CoClustering(), np.where(missing, NAN, values))
    assert scores[missing & likes].min() > scores[missing & ~likes].max()


def test_who_rated_nothing_gets_the_items_means() -> None:
    values = random_ratings(7)
    scores = fitted(CoClustering(), values)
    np.testing.assert_allclose(scores[-1, :-1], np.nanmean(values[:-1, :-1], axis=0), atol=1e-5)
    np.testing.assert_allclose(scores[:-1, -1], np.nanmean(values[:-1, :-1], axis=1), atol=1e-5)
    assert scores[-1, -1] == pytest.approx(np.nanmean(values), abs=1e-5)
