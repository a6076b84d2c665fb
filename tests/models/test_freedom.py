import numpy as np
import pytest
import torch

from recsys.content.arms import Arm
from recsys.content.features import Content, Features
from recsys.models.graph.lightgcn import LightGCN
from recsys.models.multimodal.freedom import FREEDOM, FREEDOMConfig, FREEDOMNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, POPULARITY
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph, mixed_item_graph

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
TEXT, IMAGE = MARKET.content["text"], MARKET.content["image"]


class TestFREEDOM(GradientContract):
    model = FREEDOM
    params = PARAMS
    reference = 0.670
    tolerance = 0.03


def network(content: Content, **params: float) -> FREEDOMNetwork:
    return FREEDOMNetwork(TrainingData(MARKET.train, content, 5), FREEDOMConfig(n_factors=8, **params))


def test_without_content_and_dropping_it_is_lightgcn() -> None:
    freedom, lightgcn = FREEDOM.from_params(**PARAMS, drop_rate=0.0), LightGCN.from_params(**PARAMS, l2=0.0)
    for model in (freedom, lightgcn):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(freedom.score(ALL_USERS), lightgcn.score(ALL_USERS), rtol=1e-4, atol=1e-5)


def test_without_content_nothing_that_served_it_is_left() -> None:
    bare = network({}, content_weight=1e-3)
    assert [name for name, _ in bare.named_parameters()] == ["users", "items"]
    assert bare.item_graph is None
    assert not bare.content_used


def test_factors_add_the_neighbours_to_the_items() -> None:
    model = network(MARKET.content)
    embeddings = torch.cat([model.users, model.items]).detach().numpy()
    graph = adjacency(MARKET.train).toarray()
    expected = (embeddings + graph @ embeddings + graph @ graph @ embeddings) / 3
    expected[N_USERS:] += mixed_item_graph(MARKET.content, 10, 0.1) @ embeddings[N_USERS:]
    users, items = model.factors()
    np.testing.assert_allclose(torch.cat([users, items]).detach().numpy(), expected, atol=1e-6)


def test_loss_by_hand() -> None:
    holes = Features(np.where(np.arange(N_ITEMS)[:, None] == 6, np.float32(0), TEXT.matrix), np.arange(N_ITEMS) != 6)
    model = network({"text": holes}, content_weight=0.5, drop_rate=0.0)
    u, p, n = np.array([0, 1]), np.array([4, 5]), np.array([6, 7])
    users, items = (table.detach().numpy() for table in model.factors())
    fused = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    projected = holes.matrix / np.linalg.norm(TEXT.matrix[holes.present], axis=1).mean()
    projected = projected @ model.rankings[0].projection.detach().numpy()
    margin = (users[u] * (projected[p] - projected[n])).sum(axis=1)
    content = np.log1p(np.exp(-margin))[1] / 2  # the first pair's negative lacks the source
    loss = model.loss(tuple(torch.from_numpy(part) for part in (u, p, n)))
    np.testing.assert_allclose(loss.item(), fused + 0.5 * content, rtol=1e-5)


@pytest.mark.parametrize(
    ("shown", "weights"),
    [
        ({"text": TEXT, "image": IMAGE}, {"text": 0.9, "image": 0.1}),
        ({"image": IMAGE}, {"image": 1.0}),
        ({"text": TEXT, "image": IMAGE, "audio": TEXT}, {"text": 1 / 3, "image": 1 / 3, "audio": 1 / 3}),
    ],
)
def test_weights_of_what_is_shown_sum_to_one(shown: Content, weights: dict[str, float]) -> None:
    expected = sum(weight * item_graph(shown[source], 10).toarray() for source, weight in weights.items())
    np.testing.assert_allclose(mixed_item_graph(shown, 10, 0.1).toarray(), expected, rtol=1e-6)


def test_each_epoch_trains_on_another_thinned_graph_and_scores_on_the_whole() -> None:
    model = network(MARKET.content, drop_rate=0.5)
    rng, probe = np.random.default_rng(0), torch.eye(N_USERS + N_ITEMS)
    graphs = []
    for _ in range(2):
        model.start_epoch(rng)
        graphs.append((model.thinned.operator @ probe).numpy())
    assert [np.count_nonzero(graph) // 2 for graph in graphs] == [MARKET.train.nnz // 2] * 2
    assert not np.array_equal(*graphs)
    np.testing.assert_allclose((model.adjacency @ probe).numpy(), adjacency(MARKET.train).toarray())


def test_content_is_used_by_its_graph_or_by_its_loss() -> None:
    constant = Arm("constant", ("text",), "constant", ("text",)).show({"text": TEXT}, 0, POPULARITY)
    assert not network(constant, content_weight=1e-3).content_used
    assert network({"text": TEXT}, content_weight=0.0).content_used


def test_an_item_that_lacks_a_source_has_all_its_neighbours_by_the_others() -> None:
    holes = Features(np.where(np.arange(N_ITEMS)[:, None] == 6, np.float32(0), TEXT.matrix), np.arange(N_ITEMS) != 6)
    graph = mixed_item_graph({"text": holes, "image": IMAGE}, 10, 0.1).toarray()
    np.testing.assert_allclose(graph[6], item_graph(IMAGE, 10).toarray()[6], rtol=1e-6)
    np.testing.assert_allclose(
        graph[7], 0.9 * item_graph(holes, 10).toarray()[7] + 0.1 * item_graph(IMAGE, 10).toarray()[7]
    )
