import numpy as np

from recsys.models.factorisation.bprmf import BPRMF
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER


class TestBPRMF(GradientContract):
    model = BPRMF
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 60, "norm_weight": 1.0}
    reference = 0.480
    tolerance = 0.1


def test_what_no_pair_touches_stays_at_zero() -> None:
    model = BPRMF.from_params(n_factors=4, max_epochs=2)
    model.fit(TrainingData(MARKET.train))
    assert not model.item_factors[COLD_ITEMS].any()
    assert not model.user_factors[COLD_USER].any()
    assert np.abs(model.item_factors[: COLD_ITEMS[0]]).min() > 0
