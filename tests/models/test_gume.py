from itertools import combinations

import numpy as np
import pytest
import torch

from recsys.content.features import Content, Features
from recsys.models.multimodal.gume import GUME, GUMEConfig, GUMENetwork
from recsys.models.multimodal.mgcn import MGCN
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region
from tests.models.dense import BATCH, CONSTANT, MISSING, ONE, THREE, info_nce, parameters, sigmoid

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
K, N_LAYERS = 8, 3


class TestGUME(GradientContract):
    model = GUME
    params = PARAMS
    noiseless = {"noise": 0.0}
    reference = 0.703
    tolerance = 0.04


def network(content: Content, **params: float | str) -> GUMENetwork:
    config = GUMEConfig(n_factors=6, n_neighbours=K, n_item_layers=2, **params)
    with seeded_region(5):
        return GUMENetwork(TrainingData(MARKET.train, content, 5), config)


def graph_by_hand(content: Content) -> np.ndarray:
    """The user-item graph with an edge between items wherever all sources of the first agree."""
    A = np.zeros((N_USERS + N_ITEMS, N_USERS + N_ITEMS))
    A[:N_USERS, N_USERS:] = MARKET.train.toarray()
    A[N_USERS:, :N_USERS] = MARKET.train.toarray().T
    lists = {source: item_graph(features, K).toarray() > 0 for source, features in content.items()}
    for i in range(N_ITEMS):
        has = [source for source, features in content.items() if features.present[i]]
        for j in range(N_ITEMS):
            A[N_USERS + i, N_USERS + j] = bool(has) and i != j and all(lists[source][i, j] for source in has)
    degrees = A.sum(axis=1).clip(min=1)
    return A / np.sqrt(degrees[:, None] * degrees[None, :])


def propagated(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    layers = [x]
    for _ in range(N_LAYERS):
        layers.append(A @ layers[-1])
    return np.mean(layers, axis=0)


def by_hand(model: GUMENetwork, content: Content) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.ndarray]:
    """Collaborative view, content view, each source's view, and nodes propagated with the extended interests."""
    P = parameters(model)
    A = graph_by_hand(content)
    taken = propagated(A, np.concatenate([P["users"], P["items"]]))
    views = []
    for m, features in enumerate(content.values()):
        mapped = P[f"sources.{m}.table"] @ P[f"sources.{m}.linear.weight"].T + P[f"sources.{m}.linear.bias"]
        mapped = mapped * features.present[:, None]
        gated = P["items"] * sigmoid(mapped @ P[f"gates.{m}.weight"].T + P[f"gates.{m}.bias"])
        G = item_graph(features, K, "cosine").toarray()
        items = G @ G @ gated
        views.append(np.concatenate([A[:N_USERS, N_USERS:] @ items, items]))
    has = [np.concatenate([np.ones(N_USERS, bool), features.present]) for features in content.values()]
    content_view = np.zeros_like(taken)
    for node in range(N_USERS + N_ITEMS):
        shown = [m for m in range(len(views)) if has[m][node]]
        if len(views) == 1:
            content_view[node] = views[0][node] / 2
        elif shown:
            query = [P[f"fusion.attention.query.{part}"] for part in ("0.weight", "0.bias", "2.weight")]
            shares = np.exp([query[2][0] @ np.tanh(query[0] @ views[m][node] + query[1]) for m in shown])
            common = sum(share * views[m][node] for share, m in zip(shares / shares.sum(), shown, strict=True))
            parts = [common]
            for m in shown:
                gate = sigmoid(P[f"fusion.preferences.{m}.weight"] @ taken[node] + P[f"fusion.preferences.{m}.bias"])
                parts.append(gate * (views[m][node] - common))
            content_view[node] = sum(parts) / (len(shown) + 1)
    items = np.sum(views, axis=0)[N_USERS:] / np.sum(has, axis=0)[N_USERS:, None].clip(min=1)
    return taken, content_view, views, propagated(A, np.concatenate([P["interests"], items]))


@pytest.mark.parametrize(
    "content",
    [ONE, MISSING, THREE],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    taken, content_view, *_ = by_hand(model, content)
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, taken + content_view, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("content", [MISSING, ONE], ids=["missing", "one"])
def test_loss_by_hand(content: Content) -> None:
    weights = {"l2": 0.3, "contrast_weight": 0.7, "alignment_weight": 0.9, "user_contrast_weight": 0.6, "noise": 0.0}
    model = network(content, **weights, extended_l2=0.4, temperature=0.5, user_temperature=0.3)
    taken, content_view, views, met = by_hand(model, content)
    final = taken + content_view
    u, p, n = np.array(BATCH[0]), N_USERS + np.array(BATCH[1]), N_USERS + np.array(BATCH[2])
    loss = np.log1p(np.exp(-(final[u] * (final[p] - final[n])).sum(axis=1))).mean()
    loss += 0.3 * sum(np.square(final[nodes]).sum() for nodes in (u, p, n)) / 2 / 3
    loss += 0.7 * sum(info_nce(content_view[nodes], taken[nodes], 0.5) for nodes in (u, p))
    loss += 0.6 * info_nce(met[u], content_view[u], 0.3)
    loss += 0.6 * (info_nce(content_view[u], content_view[u], 0.3) + info_nce(met[u], met[u], 0.3))
    loss += 0.4 * np.square(met[p]).sum() / 2 / 3
    has = [np.concatenate([np.ones(N_USERS, bool), features.present]) for features in content.values()]
    kinds = [(view[mask].var(ddof=1), view[mask].mean()) for view, mask in zip(views, has, strict=True)]
    loss += 0.9 * sum(np.abs(np.subtract(*pair)).sum() for pair in combinations(kinds, 2))
    np.testing.assert_allclose(model.loss(tuple(map(torch.tensor, BATCH))).item(), loss, rtol=1e-4)


def test_one_table_of_interests_is_the_mean_of_one_for_each_source() -> None:
    model = network(MARKET.content)
    A, (*_, views, met) = graph_by_hand(MARKET.content), by_hand(model, MARKET.content)
    interests = model.interests.detach().numpy()
    tables = [interests + 1, interests - 1]
    apart = [propagated(A, np.concatenate([table, view[N_USERS:]])) for table, view in zip(tables, views, strict=True)]
    np.testing.assert_allclose(np.mean(apart, axis=0), met, atol=1e-6)


def test_a_cold_item_has_its_neighbours_in_both_views() -> None:
    content = MISSING
    model = network(content)
    taken = model.collaborative_view(N_USERS + torch.from_numpy(COLD_ITEMS))
    _, items = model.factors()
    has_any = np.any([features.present for features in content.values()], axis=0)[COLD_ITEMS]
    assert items[COLD_ITEMS].any(dim=1).tolist() == has_any.tolist()
    assert taken.any(dim=1).any()
    assert not taken[~has_any].any()


def test_an_item_whose_features_are_zeros_counts_as_one_that_lacks_the_source() -> None:
    image = MARKET.content["image"]
    matrix, without = image.matrix.copy(), image.present.copy()
    matrix[3], without[3] = 0, False
    shown = [MARKET.content | {"image": Features(matrix, present)} for present in (image.present, without)]
    one, other = (torch.cat(network(content, feature_scaling="raw").factors()) for content in shown)
    torch.testing.assert_close(one, other)


def test_without_content_it_is_mgcn_without_content() -> None:
    models = GUME.from_params(**PARAMS), MGCN.from_params(**PARAMS, n_layers=N_LAYERS, l2=1e-5)
    for model in models:
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_array_equal(models[0].score(ALL_USERS), models[1].score(ALL_USERS))


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1
