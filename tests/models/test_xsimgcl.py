import numpy as np
import pytest
import torch

from recsys.models.graph.xsimgcl import XSimGCL, XSimGCLConfig, XSimGCLNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_USERS
from recsys.training.graph import adjacency


class TestXSimGCL(GradientContract):
    model = XSimGCL
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30, "contrast_weight": 0.02}
    reference = 0.597
    tolerance = 0.039


def network(**params: float) -> XSimGCLNetwork:
    return XSimGCLNetwork(TrainingData(MARKET.train, seed=5), XSimGCLConfig(n_factors=8, **params))


def test_factors_are_the_mean_of_the_layers_after_the_first() -> None:
    model = network(n_layers=2)
    embeddings = model.embeddings.detach().numpy()
    graph = adjacency(MARKET.train).toarray()
    expected = (graph @ embeddings + graph @ graph @ embeddings) / 2
    users, items = model.factors()
    np.testing.assert_allclose(torch.cat([users, items]).detach().numpy(), expected, atol=1e-6)


def test_noise_has_its_length_and_stays_in_the_orthant() -> None:
    model = network(n_layers=2)
    with torch.no_grad():
        one, two = model.layers(noise=0.3)
        clean = model.adjacency @ model.embeddings
        noises = (one - clean, two - model.adjacency @ one)
    warm = clean.abs().sum(dim=1) > 0
    for noise, layer in zip(noises, (clean, model.adjacency @ one), strict=True):
        torch.testing.assert_close(noise[warm].norm(dim=1), torch.full((int(warm.sum()),), 0.3))
        assert (noise * layer >= 0).all()
        assert not noise[~warm].any()


def test_loss_by_hand() -> None:
    model = network(n_layers=2, noise=0.2, contrast_weight=0.5, temperature=0.3, l2=0.1)
    before = model.draws.get_state()
    one, two = (layer.detach().numpy() for layer in model.layers(noise=0.2))
    model.draws.set_state(before)
    final, ego = (one + two) / 2, model.embeddings.detach().numpy()
    users, positives, negatives = np.array([0, 1, 0]), np.array([4, 5, 5]), np.array([6, 7, 9])
    loss = 0.0
    for u, i, j in zip(users, positives + N_USERS, negatives + N_USERS, strict=True):
        loss += np.log1p(np.exp(-final[u] @ (final[i] - final[j]))) / 3
        loss += 0.1 * (ego[u] @ ego[u] + ego[i] @ ego[i] + ego[j] @ ego[j]) / 2 / 3
    for nodes in ({0, 1}, {4 + N_USERS, 5 + N_USERS}):
        for node in nodes:
            to = {other: np.exp(cosine(final[node], one[other]) / 0.3) for other in nodes}
            loss -= 0.5 * np.log(to[node] / sum(to.values())) / len(nodes)
    found = model.loss(tuple(torch.from_numpy(part) for part in (users, positives, negatives)))
    assert found.item() == pytest.approx(loss, rel=1e-4)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
