import numpy as np
from scipy import sparse

from recsys.models.neighbours.itemknn import ItemKNN
from recsys.models.neighbours.userknn import UserKNN
from recsys.recommender import TrainingData
from recsys.testing.contract import ModelContract


class TestItemKNN(ModelContract):
    model = ItemKNN
    params = {"n_neighbours": 10, "shrink": 1.0}
    reference = 0.5970


class TestUserKNN(ModelContract):
    model = UserKNN
    params = {"n_neighbours": 15, "shrink": 1.0}
    reference = 0.6019


# Users by items; items 0 and 1 share two users, items 1 and 2 one.
TRAIN = sparse.csr_array(np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]], dtype=np.float32))


def test_item_scores_by_hand() -> None:
    model = ItemKNN.from_params(n_neighbours=1, shrink=0)
    model.fit(TrainingData(TRAIN))
    # Nearest to 0 is 1 (2/sqrt 6), to 1 is 0, to 2 is 1 (1/sqrt 2): user 2, who has item 0, gets item 1 by it.
    to_one, to_two = 2 / np.sqrt(6), 1 / np.sqrt(2)
    np.testing.assert_allclose(model.score(np.array([2, 0])), [[0, to_one, 0], [to_one, to_one, to_two]], rtol=1e-5)


def test_user_scores_by_hand() -> None:
    model = UserKNN.from_params(n_neighbours=1, shrink=0)
    model.fit(TrainingData(TRAIN))
    # User 0 = {0, 1} is nearest to user 1 = {0, 1, 2} and to user 2 = {0}, and hears from both; nobody's is user 2.
    to_one, to_two = 2 / np.sqrt(6), 1 / np.sqrt(2)
    np.testing.assert_allclose(
        model.score(np.array([2, 0])), [[0, 0, 0], [to_one + to_two, to_one, to_one]], rtol=1e-5
    )
