import numpy as np
import pytest
import torch

from recsys.models.neural.multvae import MultVAE, MultVAEConfig, MultVAENetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract


class TestMultVAE(GradientContract):
    model = MultVAE
    params = {
        "n_hidden": 64,
        "n_factors": 16,
        "annealing_steps": 200,
        "l2": 3e-3,
        "learning_rate": 0.005,
        "batch_size": 20,
        "max_epochs": 30,
    }
    reference = 0.606
    tolerance = 0.038


def network(**params: float) -> MultVAENetwork:
    return MultVAENetwork(TrainingData(MARKET.train, seed=5), MultVAEConfig(n_hidden=16, n_factors=6, **params))


def layers(model: MultVAENetwork) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Matrices by which a layer's input is multiplied from the left, and biases."""
    matrices = (model.items_in, model.to_code.T, model.from_code.T, model.items_out.T)
    return [matrix.detach().numpy() for matrix in matrices], [bias.detach().numpy() for bias in model.biases]


def test_loss_is_the_evidence_bound_by_hand() -> None:
    model = network(dropout=0.4, kl_weight=0.3, annealing_steps=10, l2=0.01, batch_size=2)
    with torch.no_grad():
        for number, parameter in enumerate(model.biases):
            parameter.normal_(generator=torch.Generator().manual_seed(number))
    W, b = layers(model)
    model.n_steps = 2
    batch = model.profiles(MARKET.train[[1, 8]])
    before = model.draws.get_state()
    kept = (torch.rand(len(batch[0]), generator=model.draws) >= 0.4).numpy()
    noise = torch.randn((2, 6), generator=model.draws).numpy()
    model.draws.set_state(before)
    loss, at = 0.0, 0
    for row, user in enumerate((1, 8)):
        profile = np.flatnonzero(MARKET.train.toarray()[user])
        shown = [item for place, item in enumerate(profile) if kept[at + place]]
        at += len(profile)
        hidden = np.tanh(sum(W[0][item] for item in shown) / np.sqrt(len(profile)) / 0.6 + b[0])
        mean, log_variance = np.split(hidden @ W[1] + b[1], 2)
        code = mean + noise[row] * np.exp(log_variance / 2)
        logits = np.tanh(code @ W[2] + b[2]) @ W[3] + b[3]
        log_softmax = logits - np.log(np.exp(logits).sum())
        divergence = sum(np.exp(v) + m**2 - 1 - v for m, v in zip(mean, log_variance, strict=True)) / 2
        loss += -sum(log_softmax[item] for item in profile) + 0.2 * divergence
    expected = loss / 2 + 0.01 * sum((matrix**2).sum() for matrix in W)
    assert model.loss(batch).item() == pytest.approx(expected, rel=1e-5)


def test_the_divergence_is_annealed_up_to_its_weight() -> None:
    model = network(dropout=0.0, kl_weight=0.2, annealing_steps=10, batch_size=30)
    batch = model.profiles(MARKET.train[[1, 8]])
    before = model.draws.get_state()
    losses = []
    for model.n_steps in (0, 1, 2, 3, 50):
        model.draws.set_state(before)
        losses.append(model.loss(batch).item())
    steps = np.diff(losses)
    assert steps[0] > 0
    np.testing.assert_allclose(steps, [steps[0], steps[0], 0, 0], rtol=1e-3, atol=1e-6)


def test_steps_are_counted_from_zero() -> None:
    model = network(batch_size=30)
    assert [model.n_steps for _ in model.batches(np.random.default_rng(0))] == [0, 1]
    assert model.n_steps == 2


def test_scores_are_the_logits_at_the_mean_of_the_whole_profile() -> None:
    model = network(dropout=0.5).eval()
    W, b = layers(model)
    rows = MARKET.train.toarray()
    unit = rows / np.maximum(np.sqrt(rows.sum(axis=1, keepdims=True)), 1e-9)
    mean = (np.tanh(unit @ W[0] + b[0]) @ W[1] + b[1])[:, :6]
    users, items = (table.detach().numpy() for table in model.factors())
    np.testing.assert_allclose(users @ items.T, np.tanh(mean @ W[2] + b[2]) @ W[3] + b[3], atol=1e-5)
