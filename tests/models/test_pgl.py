import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.freedom import FREEDOM
from recsys.models.multimodal.pgl import PGL, PGLConfig, PGLNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS, with_missing
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
ONE = {"text": MARKET.content["text"]}
BATCH = [0, 1, 8], [4, 5, 16], [6, 7, 9]


class TestPGL(GradientContract):
    model = PGL
    params = PARAMS
    reference = 0.697
    tolerance = 0.03


def network(content: Content, **params: float) -> PGLNetwork:
    with seeded_region(5):
        return PGLNetwork(TrainingData(MARKET.train, content, 5), PGLConfig(n_factors=6, n_neighbours=4, **params))


def by_hand(model: PGLNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Final users and items over the whole graph, one source after the other."""
    A = adjacency(MARKET.train).toarray()
    P = {name: part.detach().numpy() for name, part in model.named_parameters()}
    shares = {"text": 0.9, "image": 0.1} if len(content) == 2 else dict.fromkeys(content, 1 / len(content))
    graph = sum(share * item_graph(content[source], 4).toarray() for source, share in shares.items())
    users, items = [], []
    for m, features in enumerate(content.values()):
        mapped = P[f"sources.{m}.table"] @ P[f"sources.{m}.linear.weight"].T + P[f"sources.{m}.linear.bias"]
        mapped = mapped / np.linalg.norm(mapped, axis=1, keepdims=True) * features.present[:, None]
        nodes = np.concatenate([P["users"][:, 6 * m : 6 * m + 6], mapped])
        nodes = (nodes + A @ nodes + A @ A @ nodes) / 3
        users.append(nodes[:N_USERS])
        items.append(nodes[N_USERS:] + graph @ mapped)
    return np.concatenate(users, axis=1), np.concatenate(items, axis=1)


@pytest.mark.parametrize(
    "content",
    [ONE, with_missing(MARKET.content), MARKET.content | {"audio": MARKET.audio}],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    for found, expected in zip(model.factors(), by_hand(model, content), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, contrast_weight=0.7, temperature=0.5, dropout=0.0)  # not thinned before an epoch
    users, items = by_hand(model, MARKET.content)
    u, p, n = (np.array(part) for part in BATCH)
    loss = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    for rows in (users[u], items[p]):
        one = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        to = np.exp(one @ one.T / 0.5)
        loss -= 0.7 * np.log(np.diag(to) / to.sum(axis=1)).mean() / 2
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-5)


def test_the_two_copies_hide_different_entries() -> None:
    model = network(MARKET.content, contrast_weight=0.7, dropout=0.5)
    rows = torch.randn(8, 12)
    with seeded_region(1):
        hidden = model._contrast(rows).item()
    assert hidden > network(MARKET.content, contrast_weight=0.7, dropout=0.0)._contrast(rows).item()


def test_an_epoch_sees_three_of_ten_edges_and_scoring_all() -> None:
    model = network(MARKET.content)
    model.start_epoch(np.random.default_rng(0))
    probe = torch.eye(N_USERS + N_ITEMS)
    assert np.count_nonzero((model.thinned @ probe).numpy()) // 2 == int(0.3 * MARKET.train.nnz)
    np.testing.assert_allclose((model.adjacency @ probe).numpy(), adjacency(MARKET.train).toarray())


def test_without_content_it_is_freedom_without_content() -> None:
    pgl = PGL.from_params(**PARAMS, drop_rate=0.5, learning_rate_decay=1.0)
    freedom = FREEDOM.from_params(**PARAMS, drop_rate=0.5)
    for model in (pgl, freedom):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(pgl.score(ALL_USERS), freedom.score(ALL_USERS), rtol=1e-4, atol=1e-5)


def test_a_cold_item_is_its_content_and_its_neighbours_alone() -> None:
    content = with_missing(MARKET.content)
    _, items = network(content).factors()
    has_any = np.any([features.present for features in content.values()], axis=0)
    assert items[COLD_ITEMS].any(dim=1).tolist() == has_any[COLD_ITEMS].tolist()
