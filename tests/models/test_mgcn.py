from recsys.models.multimodal.mgcn import MGCN
from recsys.testing.gradient_contract import GradientContract


class TestMGCN(GradientContract):
    model = MGCN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.6
    tolerance = 0.03
