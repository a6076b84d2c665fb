import numpy as np
import torch

from recsys.content.arms import Arm
from recsys.content.features import Content, Features
from recsys.models.multimodal.lattice import LATTICE, LATTICEConfig, LATTICENetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET, POPULARITY
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS, with_missing
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph
from recsys.training.learned_graph import LearnedItemGraph
from recsys.training.randomness import seeded_region

TEXT, IMAGE = MARKET.content["text"], MARKET.content["image"]
K = 4


class TestLATTICE(GradientContract):
    model = LATTICE
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.68
    tolerance = 0.03


def network(content: Content, **params: float) -> LATTICENetwork:
    with seeded_region(5):
        return LATTICENetwork(
            TrainingData(MARKET.train, content, 5), LATTICEConfig(n_factors=6, n_neighbours=K, **params)
        )


def dense(graph: LearnedItemGraph) -> torch.Tensor:
    operator, values = graph()
    return operator.product(values, torch.eye(N_ITEMS))


def dense_by_hand(graph: LearnedItemGraph, content: Content, share: float) -> torch.Tensor:
    """The published way: whole matrices, in which all but the K largest of a row are set to zero."""
    assert graph.weights is not None
    learned, frozen = torch.zeros(N_ITEMS, N_ITEMS), torch.zeros(N_ITEMS, N_ITEMS)
    for weight, source, features in zip(graph.weights.softmax(dim=0), graph.sources, content.values(), strict=True):
        rows = source()
        cosines = torch.nn.functional.cosine_similarity(rows[:, None], rows[None], dim=2)
        cosines = cosines * torch.from_numpy(np.outer(features.present, features.present))
        kept = torch.zeros_like(cosines).scatter(1, cosines.topk(K, dim=1).indices, 1.0)
        learned = learned + weight * (cosines * kept).clamp(min=0)
        frozen = frozen + weight * torch.from_numpy(item_graph(features, K, "cosine").toarray())
    scale = learned.sum(dim=1).clamp(min=1e-6).rsqrt()
    return (1 - share) * scale[:, None] * learned * scale + share * frozen


def test_the_sparse_graph_and_its_gradients_are_those_of_the_dense_one() -> None:
    content = with_missing(MARKET.content)
    graph = network(content, frozen_share=0.6).item_graph
    assert graph is not None
    weight = torch.randn(N_ITEMS, N_ITEMS, generator=torch.Generator().manual_seed(2))
    built = dense(graph), dense_by_hand(graph, content, 0.6)
    torch.testing.assert_close(*built, rtol=1e-4, atol=1e-6)
    gradients = (torch.autograd.grad((matrix * weight).sum(), list(graph.parameters())) for matrix in built)
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-3, atol=1e-5)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.4)
    users, items = model.users.detach().numpy(), model.items.detach().numpy()
    walk, nodes = adjacency(MARKET.train, 1, 0, self_loops=True).toarray(), np.concatenate([users, items])
    nodes = (nodes + walk @ nodes + walk @ walk @ nodes) / 3
    assert model.item_graph is not None
    moved = dense(model.item_graph).detach().numpy() @ items
    final = nodes[N_USERS:] + moved / np.linalg.norm(moved, axis=1, keepdims=True)
    u, p, n = nodes[[0, 1]], final[[4, 5]], final[[6, 7]]
    expected = np.log1p(np.exp(-(u * (p - n)).sum(axis=1))).mean()
    expected += 0.4 * ((u**2).sum() + (p**2).sum() + (n**2).sum()) / 2 / 2
    batch = (torch.tensor([0, 1]), torch.tensor([4, 5]), torch.tensor([6, 7]))
    np.testing.assert_allclose(model.loss(batch).item(), expected, rtol=1e-4)


def test_the_learned_graph_has_gradients_in_the_first_batch_of_an_epoch_only() -> None:
    model = network(MARKET.content)
    batch = (torch.tensor([0, 1]), torch.tensor([4, 5]), torch.tensor([6, 7]))
    reached = []
    for _ in range(2):
        model.start_epoch(np.random.default_rng(0))
        for _ in range(2):
            model.zero_grad()
            model.loss(batch).backward()
            assert model.item_graph is not None
            reached.append(model.item_graph.sources[0].table.grad is not None)
    assert reached == [True, False, True, False]


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    constant = Arm("constant", ("text",), "constant", ("text",)).show({"text": TEXT}, 0, POPULARITY)
    assert not network(constant).content_used
    both = network(constant | {"image": IMAGE})
    assert both.item_graph is not None
    assert len(both.item_graph.sources) == 1
    assert both.item_graph.weights is None


def test_an_item_without_a_source_has_no_edges_in_its_graph() -> None:
    present = np.arange(N_ITEMS) != 3
    graph = network({"text": Features(TEXT.matrix * present[:, None], present)}).item_graph
    assert graph is not None
    built = dense(graph)
    assert not built[3].any()
    assert not built[:, 3].any()
