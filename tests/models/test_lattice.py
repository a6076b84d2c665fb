from recsys.models.multimodal.lattice import LATTICE
from recsys.testing.gradient_contract import GradientContract


class TestLATTICE(GradientContract):
    model = LATTICE
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.6
    tolerance = 0.03
