from recsys.models.linear.ease import EASE
from tests.models.contract import ModelContract


class TestEASE(ModelContract):
    model = EASE
    params = {"l2": 10.0}
    reference = 0.5407
