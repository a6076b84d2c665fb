import numpy as np
import torch

from recsys.content.features import Features
from recsys.models.multimodal.bm3 import BM3, BM3Config, BM3Network
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region

TEXT, IMAGE = MARKET.content["text"], MARKET.content["image"]


class TestBM3(GradientContract):
    model = BM3
    params = {
        "n_factors": 16,
        "learning_rate": 0.01,
        "batch_size": 64,
        "max_epochs": 80,
        "norm_weight": 0.01,
        "dropout": 0.3,
    }
    reference = 0.59
    tolerance = 0.06
    noiseless = {"dropout": 0.0}


def test_loss_by_hand() -> None:
    holes = Features(np.where(np.arange(N_ITEMS)[:, None] == 5, np.float32(0), TEXT.matrix), np.arange(N_ITEMS) != 5)
    config = BM3Config(n_factors=4, dropout=0.0, norm_weight=0.3, content_weight=1.7)
    with seeded_region(5):
        network = BM3Network(TrainingData(MARKET.train, {"text": holes, "image": IMAGE}, 5), config)
    parts = {name: part.detach().numpy() for name, part in network.named_parameters()}
    W, b = parts["predictor.weight"], parts["predictor.bias"]
    nodes = np.concatenate([parts["users"], parts["items"]])
    nodes = (nodes + adjacency(MARKET.train).toarray() @ nodes) / 2
    U, V = nodes[:N_USERS], nodes[N_USERS:] + parts["items"]

    def distance(view: np.ndarray, target: np.ndarray) -> float:
        predicted = W @ view + b
        return 1 - predicted @ target / np.linalg.norm(predicted) / np.linalg.norm(target)

    users, positives = [0, 1, 8], [4, 5, 16]
    loss = 0.3 * (np.linalg.norm(U) + np.linalg.norm(V)) / N_ITEMS
    for u, p in zip(users, positives, strict=True):
        loss += (distance(U[u], V[p]) + distance(V[p], U[u])) / 3
        for number, table in enumerate((holes.matrix, IMAGE.matrix)):
            if number == 0 and p == 5:
                continue
            scaled = table[p] / np.linalg.norm(table[table.any(axis=1)], axis=1).mean()
            view = parts[f"sources.{number}.linear.weight"] @ scaled + parts[f"sources.{number}.linear.bias"]
            loss += 1.7 * (distance(view, V[p]) + distance(view, view)) / 3
    batch = tuple(torch.tensor(part) for part in (users, positives, [6, 7, 9]))
    np.testing.assert_allclose(network.loss(batch).item(), loss, rtol=1e-4)


def test_content_reaches_no_cold_item() -> None:
    assert not BM3.scores_cold_items
    network = BM3Network(TrainingData(MARKET.train, MARKET.content), BM3Config(n_factors=4))
    _, items = network.factors()
    cold = torch.from_numpy(MARKET.train.sum(axis=0) == 0)
    torch.testing.assert_close(items[cold], network.predictor.bias.expand(int(cold.sum()), -1))
