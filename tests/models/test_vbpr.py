import numpy as np
import pytest
import torch

from recsys.content.features import Features
from recsys.models.factorisation.bprmf import BPRMF
from recsys.models.multimodal.vbpr import VBPR, VBPRConfig, VBPRNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS
from recsys.training.content import scaled_features

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30, "norm_weight": 1.0}


class TestVBPR(GradientContract):
    model = VBPR
    params = PARAMS
    reference = 0.623
    tolerance = 0.05


def test_without_content_it_is_bprmf_to_the_last_digit() -> None:
    vbpr, bprmf = VBPR.from_params(**PARAMS), BPRMF.from_params(**PARAMS)
    for model in (vbpr, bprmf):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_array_equal(vbpr.score(ALL_USERS), bprmf.score(ALL_USERS))
    assert vbpr.item_factors.shape == (N_ITEMS, PARAMS["n_factors"])


def test_loss_by_hand() -> None:
    network = VBPRNetwork(TrainingData(MARKET.train, MARKET.content, 5), VBPRConfig(n_factors=4, norm_weight=0.5))
    batch = (torch.tensor([0, 1]), torch.tensor([4, 5]), torch.tensor([6, 7]))
    users, items = (table.detach().numpy() for table in network.factors())
    u, p, n = users[[0, 1]], items[[4, 5]], items[[6, 7]]
    norms = sum(np.linalg.norm(block) for block in (u, p, n)) / 2
    expected = np.log1p(np.exp(-(u * (p - n)).sum(axis=1))).mean() + 0.5 * norms
    np.testing.assert_allclose(network.loss(batch).item(), expected, rtol=1e-5)


def test_an_item_without_content_has_no_content_half_and_any_source_will_do() -> None:
    present = np.arange(N_ITEMS) != 3
    audio = Features(np.where(present[:, None], MARKET.content["text"].matrix, np.float32(0)), present)
    model = VBPR.from_params(**PARAMS)
    model.fit(TrainingData(MARKET.train, {"audio": audio}))
    assert not model.item_factors[3, 16:].any()
    assert model.item_factors[present][:, 16:].any(axis=1).all()
    assert model.content_used


def test_loudness_of_a_source_does_not_matter() -> None:
    text = MARKET.content["text"]
    loud = scaled_features(Features(text.matrix * 64, text.present))
    torch.testing.assert_close(loud, scaled_features(text))
    assert loud.norm(dim=1).mean().item() == pytest.approx(1, rel=1e-5)
