from recsys.models.multimodal.bm3 import BM3
from recsys.testing.gradient_contract import GradientContract


class TestBM3(GradientContract):
    model = BM3
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.6
    tolerance = 0.03
