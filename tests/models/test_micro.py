import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.lattice import LATTICE
from recsys.models.multimodal.micro import MICRO, MICROConfig, MICRONetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region
from tests.models.dense import CONSTANT, MISSING, ONE, THREE, assert_cold_items, length_one, parameters

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
BATCH = [0, 1, 8, 9], [4, 5, 16, 4], [6, 7, 9, 7]
K, SHARE = 4, 0.6


class TestMICRO(GradientContract):
    model = MICRO
    params = PARAMS
    reference = 0.685
    tolerance = 0.03


def network(content: Content, **params: float) -> MICRONetwork:
    config = MICROConfig(n_factors=6, n_neighbours=K, frozen_share=SHARE, **params)
    with seeded_region(5):
        return MICRONetwork(TrainingData(MARKET.train, content, 5), config)


def views_by_hand(model: MICRONetwork, content: Content) -> tuple[list[np.ndarray], np.ndarray]:
    """Items by each source over whole matrices, and by all."""
    P = parameters(model)
    views = []
    for m, features in enumerate(content.values()):
        name = f"item_graphs.{m}.sources.0"
        rows = P[f"{name}.table"] @ P[f"{name}.linear.weight"].T + P[f"{name}.linear.bias"]
        rows = length_one(rows * features.present[:, None])
        cosines = np.where(np.outer(features.present, features.present), rows @ rows.T, 0)
        kept = cosines >= np.sort(cosines, axis=1)[:, [-K]]
        learned = np.where(kept, cosines, 0).clip(min=0)
        sums = learned.sum(axis=1)
        scale = np.where(sums > 0, sums, 1) ** -0.5
        graph = (1 - SHARE) * scale[:, None] * learned * scale + SHARE * item_graph(features, K, "cosine").toarray()
        views.append(graph @ P["items"])
    if len(views) == 1:
        return views, views[0]
    fused = np.zeros_like(views[0])
    for item in range(N_ITEMS):
        shown = [m for m, features in enumerate(content.values()) if features.present[item]]
        query = [P[f"attention.query.{part}"] for part in ("0.weight", "0.bias", "2.weight")]
        shares = np.exp([query[2][0] @ np.tanh(query[0] @ views[m][item] + query[1]) for m in shown])
        fused[item] = sum(share / shares.sum() * views[m][item] for share, m in zip(shares, shown, strict=True))
    return views, fused


def factors_by_hand(model: MICRONetwork, fused: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    users, items = model.users.detach().numpy(), model.items.detach().numpy()
    walk, nodes = adjacency(MARKET.train, 1, 0, self_loops=True).toarray(), np.concatenate([users, items])
    nodes = (nodes + walk @ nodes + walk @ walk @ nodes) / 3
    return nodes[:N_USERS], nodes[N_USERS:] + length_one(fused)


@pytest.mark.parametrize(
    "content",
    [ONE, MISSING, THREE],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    _, fused = views_by_hand(model, content)
    for found, expected in zip(model.factors(), factors_by_hand(model, fused), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    content = MISSING
    model = network(content, l2=0.4, contrast_weight=0.7, temperature=0.3)
    views, fused = views_by_hand(model, content)
    users, items = factors_by_hand(model, fused)
    u, p, n = users[BATCH[0]], items[BATCH[1]], items[BATCH[2]]
    expected = np.log1p(np.exp(-(u * (p - n)).sum(axis=1))).mean()
    expected += 0.4 * ((u**2).sum() + (p**2).sum() + (n**2).sum()) / 2 / len(u)
    for view, features in zip(views, content.values(), strict=True):
        nodes = [item for item in sorted(set(BATCH[2])) if features.present[item]]
        own, other = length_one(view[nodes]), length_one(fused[nodes])
        within, across = np.exp(own @ own.T / 0.3), np.exp(own @ other.T / 0.3)
        total = within.sum(axis=1) + across.sum(axis=1) - np.exp(1 / 0.3)
        expected -= 0.7 * np.log(np.diag(across) / total).mean()
    np.testing.assert_allclose(model.loss(tuple(map(torch.tensor, BATCH))).item(), expected, rtol=1e-4)


def test_the_learned_graphs_have_gradients_in_the_first_batch_of_an_epoch_only() -> None:
    model = network(MARKET.content)
    reached = []
    for _ in range(2):
        model.start_epoch(np.random.default_rng(0))
        for _ in range(2):
            model.zero_grad()
            model.loss(tuple(map(torch.tensor, BATCH))).backward()
            names = {name for name, part in model.named_parameters() if part.grad is not None and part.grad.any()}
            reached.append({f"item_graphs.{m}.sources.0.table" for m in range(2)} <= names)
    assert reached == [True, False, True, False]


def test_a_single_source_is_neither_weighed_nor_contrasted() -> None:
    model, again = (network(ONE, contrast_weight=weight) for weight in (0.0, 0.9))
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"users", "items", "item_graphs"}
    batch = tuple(map(torch.tensor, BATCH))
    assert model.loss(batch).item() == again.loss(batch).item()


def test_a_cold_item_is_its_neighbours_alone() -> None:
    content = MISSING
    _, items = network(content).factors()
    assert_cold_items(items, content)


def test_without_content_it_is_lattice_without_content() -> None:
    models = MICRO.from_params(**PARAMS), LATTICE.from_params(**PARAMS)
    for model in models:
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(models[0].score(ALL_USERS), models[1].score(ALL_USERS), rtol=1e-4, atol=1e-5)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).item_graphs) == 1
