import numpy as np
from scipy import sparse

from recsys.models.baselines.random import Random
from recsys.models.baselines.toppop import TopPop
from recsys.recommender import TrainingData
from recsys.testing.contract import ModelContract


class TestRandom(ModelContract):
    model = Random
    personal = False
    reference = 0.0971


class TestTopPop(ModelContract):
    model = TopPop
    personal = False
    reference = 0.1771


def test_popularity_counts_users() -> None:
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0]], dtype=np.float32))
    model = TopPop()
    model.fit(TrainingData(train))
    np.testing.assert_array_equal(model.score(np.array([1, 0])), [[1, 2, 0], [1, 2, 0]])


def test_random_is_a_function_of_seed_and_user() -> None:
    model = Random()
    model.fit(TrainingData(sparse.csr_array((3, 5), dtype=np.float32), seed=9))
    one_by_one = np.concatenate([model.score(np.array([user])) for user in (2, 0, 1)])
    np.testing.assert_array_equal(model.score(np.array([2, 0, 1])), one_by_one)
    assert len(np.unique(one_by_one)) == 15
