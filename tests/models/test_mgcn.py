import numpy as np
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mgcn import MGCN, MGCNConfig, MGCNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONSTANT,
    MISSING,
    ONE,
    A,
    assert_factors,
    assert_loss,
    bpr,
    info_nce,
    linear,
    parameters,
    propagated,
)


class TestMGCN(GradientContract):
    model = MGCN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.694
    tolerance = 0.03


def network(content: Content, **params: float) -> MGCNNetwork:
    with seeded_region(5):
        return MGCNNetwork(TrainingData(MARKET.train, content, 5), MGCNConfig(n_factors=6, n_neighbours=4, **params))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def views_by_hand(model: MGCNNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Both views of all nodes, one node and one source after the other."""
    P = parameters(model)
    taken = propagated(np.concatenate([P["users"], P["items"]])) / 3
    views = []
    for m, features in enumerate(content.values()):
        seen = linear(P, f"sources.{m}.linear", P[f"sources.{m}.table"]) * features.present[:, None]
        gated = P["items"] * sigmoid(linear(P, f"gates.{m}", seen))
        items = item_graph(features, 4, "cosine").toarray() @ gated
        views.append(np.concatenate([A[:N_USERS, N_USERS:] @ items, items]))
    told = np.zeros_like(taken)
    for node in range(N_USERS + N_ITEMS):
        has = [m for m, f in enumerate(content.values()) if node < N_USERS or f.present[node - N_USERS]]
        if not has:
            continue
        logits = [
            P["fusion.attention.query.2.weight"][0] @ np.tanh(linear(P, "fusion.attention.query.0", views[m][node]))
            for m in has
        ]
        shares = np.exp(logits) / np.exp(logits).sum()
        common = sum(share * views[m][node] for share, m in zip(shares, has, strict=True))
        told[node] = common
        for m in has:
            told[node] += sigmoid(linear(P, f"fusion.preferences.{m}", taken[node])) * (views[m][node] - common)
        told[node] /= len(has) + 1
    return taken, told


def test_factors_are_the_sum_of_both_views_and_items_without_a_source_have_no_part_of_it() -> None:
    model = network(MISSING)
    final = sum(views_by_hand(model, MISSING))
    assert_factors(model, (final[:N_USERS], final[N_USERS:]))


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3, contrast_weight=0.7, temperature=0.5)
    taken, told = views_by_hand(model, MARKET.content)
    final = taken + told
    users, positives, negatives = BATCH[0], N_USERS + np.array(BATCH[1]), N_USERS + np.array(BATCH[2])
    loss = bpr(final[:N_USERS], final[N_USERS:])
    loss += 0.3 * sum(np.square(final[nodes]).sum() for nodes in (users, positives, negatives)) / 2 / 3
    loss += 0.7 * sum(info_nce(told[nodes], taken[nodes], 0.5) for nodes in (users, positives))
    assert_loss(model, loss, rtol=1e-4)


def test_one_source_is_all_common_and_half_of_it_counts() -> None:
    model = network(ONE)
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names == {"users", "items", "sources", "gates"}
    _, told = model.two_views(torch.arange(N_USERS + N_ITEMS))
    view = model.graphs[0](model.items * model.gates[0](next(iter(model.sources))()).sigmoid())
    torch.testing.assert_close(told[N_USERS:], view / 2)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1
