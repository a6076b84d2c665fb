from recsys.models.neighbours.itemknn import ItemKNN
from recsys.models.neighbours.userknn import UserKNN
from tests.models.contract import ModelContract


class TestItemKNN(ModelContract):
    model = ItemKNN
    params = {"n_neighbours": 10, "shrink": 1.0}
    reference = 0.597


class TestUserKNN(ModelContract):
    model = UserKNN
    params = {"n_neighbours": 15, "shrink": 1.0}
    reference = 0.6019
