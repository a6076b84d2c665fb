import numpy as np
import torch

from recsys.models.graph.lightgcn import LightGCN, LightGCNConfig, LightGCNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_USERS
from recsys.training.graph import adjacency


class TestLightGCN(GradientContract):
    model = LightGCN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 40, "l2": 0.01}
    reference = 0.600
    tolerance = 0.04


def network(**params: float) -> LightGCNNetwork:
    return LightGCNNetwork(TrainingData(MARKET.train, seed=5), LightGCNConfig(n_factors=8, **params))


def test_factors_are_the_mean_of_the_layers() -> None:
    model = network(n_layers=2)
    embeddings = model.embeddings.detach().numpy()
    graph = adjacency(MARKET.train).toarray()
    expected = (embeddings + graph @ embeddings + graph @ graph @ embeddings) / 3
    users, items = model.factors()
    np.testing.assert_allclose(torch.cat([users, items]).detach().numpy(), expected, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(n_layers=1, l2=0.5)
    batch = (torch.tensor([0, 1]), torch.tensor([4, 5]), torch.tensor([6, 7]))
    users, items = (table.detach().numpy() for table in model.factors())
    margin = (users[[0, 1]] * (items[[4, 5]] - items[[6, 7]])).sum(axis=1)
    rows = model.embeddings.detach().numpy()[[0, 1, *(N_USERS + np.array([4, 5, 6, 7]))]]
    expected = np.log1p(np.exp(-margin)).mean() + 0.5 * (rows**2).sum() / 2 / 2
    np.testing.assert_allclose(model.loss(batch).item(), expected, rtol=1e-5)
