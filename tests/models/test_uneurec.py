import numpy as np
import pytest
import torch

from recsys.models.neural.uneurec import UNeuRec, UNeuRecConfig, UNeuRecNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract


class TestUNeuRec(GradientContract):
    model = UNeuRec
    params = {"n_neurons": 16, "n_factors": 8, "learning_rate": 0.02, "batch_size": 20, "max_epochs": 100, "l2": 1e-3}
    reference = 0.508
    tolerance = 0.066


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_loss_visits_every_cell_by_hand() -> None:
    model = UNeuRecNetwork(
        TrainingData(MARKET.train, seed=5), UNeuRecConfig(n_neurons=7, n_factors=3, dropout=0, l2=0.3)
    )
    with torch.no_grad():
        for number, parameter in enumerate([*model.biases, model.items]):
            parameter.normal_(generator=torch.Generator().manual_seed(number))
    W, b = ([part.detach().numpy() for part in parts] for parts in (model.matrices, model.biases))
    Q, users = model.items.detach().numpy(), [1, 8, 9]
    assert len(W) == 5
    loss = 0.3 / 2 * (sum((matrix**2).sum() for matrix in W) + (Q**2).sum())
    for row in MARKET.train.toarray()[users]:
        vector = row
        for matrix, bias in zip(W, b, strict=True):
            vector = sigmoid(vector @ matrix + bias)
        loss += sum((cell - vector @ q) ** 2 for cell, q in zip(row, Q, strict=True))
    assert model.loss(model.profiles(MARKET.train[users])).item() == pytest.approx(loss / 3, rel=1e-5)


def test_signals_reach_through_the_layers_at_the_start() -> None:
    model = UNeuRecNetwork(TrainingData(MARKET.train, seed=5), UNeuRecConfig())
    spread = model.factors()[0].detach().std(dim=0)
    assert spread.mean() > 1e-2  # a hundredth of that with the usual range
