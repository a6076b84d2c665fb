from itertools import combinations

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mentor import MENTOR, MENTORConfig, MENTORNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_USERS, with_missing
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region
from tests.models._preferences import (
    BATCH,
    A,
    R,
    encodings,
    length_one,
    mapped,
    parameters,
    penalty,
    ranking_loss,
    starts,
)

ONE = {"text": MARKET.content["text"]}
THREE = MARKET.content | {"audio": MARKET.audio}


class TestMENTOR(GradientContract):
    model = MENTOR
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.626
    tolerance = 0.03


def network(content: Content, **params: float) -> MENTORNetwork:
    defaults = {"n_factors": 6, "n_hidden": 5, "n_neighbours": 4, "alignment_weight": 0.0, "contrast_weight": 0.0}
    with seeded_region(5):
        return MENTORNetwork(TrainingData(MARKET.train, content, 5), MENTORConfig(**(defaults | params)))


def among_items(content: Content) -> np.ndarray:
    shares = {"text": 0.9, "image": 0.1} if len(content) == 2 else dict.fromkeys(content, 1 / len(content))
    graphs = [share * item_graph(content[source], 4).toarray() for source, share in shares.items()]
    return np.eye(R.shape[1]) + sum(graphs)


def parts_by_hand(model: MENTORNetwork, content: Content) -> list[tuple[np.ndarray, np.ndarray]]:
    """Users and items by source, without weights."""
    return [(users, among_items(content) @ items) for users, items in encodings(model.encoder, content)]


def by_hand(model: MENTORNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    parts = parts_by_hand(model, content)
    weights = parameters(model).get("weights", np.ones((N_USERS, 1)))
    users = [weights[:, [m]] * part for m, (part, _) in enumerate(parts)]
    return np.concatenate(users, axis=1), np.concatenate([part for _, part in parts], axis=1)


def ranking(model: MENTORNetwork, content: Content) -> float:
    square = np.square(parameters(model)["weights"]).mean() if len(content) > 1 else 0.0
    regulariser = penalty(model.encoder, max(len(content), 1)) + square
    return ranking_loss(*by_hand(model, content)) + 0.3 * regulariser


@pytest.mark.parametrize("content", [ONE, with_missing(MARKET.content), THREE], ids=["one", "missing", "three"])
def test_factors_by_hand(content: Content) -> None:
    model = network(content, contrast_weight=1e-3, alignment_weight=0.1)
    for found, expected in zip(model.factors(), by_hand(model, content), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("content", [ONE, MARKET.content, THREE], ids=["one", "two", "three"])
def test_alignment_by_hand(content: Content) -> None:
    model = network(content, preference_l2=0.3, alignment_weight=0.7)
    assert model.guide is not None
    P = parameters(model.guide)
    learned = mapped(P, 0, P["views.0.table"]) * R.any(axis=0)[:, None]
    guide = length_one(np.concatenate([P["preferences"], learned]))
    guide = guide + A @ guide + A @ A @ guide
    guide[N_USERS:] = among_items(content) @ guide[N_USERS:]
    kinds = [np.concatenate(by_hand(model, content)), guide]
    kinds += [np.concatenate(part) for part in parts_by_hand(model, content)]
    assert len(kinds) == len(content) + 2
    loss = ranking(model, content)
    for one, other in combinations(kinds, 2):
        loss += 0.7 * (abs(one.var(ddof=1) - other.var(ddof=1)) + abs(one.mean() - other.mean()))
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-5)


def test_contrast_by_hand_where_the_noise_is_small() -> None:
    content = MARKET.content
    model = network(content, preference_l2=0.3, contrast_weight=0.7, temperature=0.5, noise=1e-7)
    views = []
    for encoder in model.noisy:
        users, items = zip(*encodings(encoder, content), strict=True)
        weighed = [parameters(model)["weights"][:, [m]] * part for m, part in enumerate(users)]
        moved = [among_items(content) @ part for part in items]
        views.append((np.concatenate(weighed, axis=1), np.concatenate(moved, axis=1)))
    loss = ranking(model, content)
    for kind, nodes in enumerate((BATCH[0], BATCH[1] + BATCH[2])):
        one, other = (length_one(view[kind][nodes]) for view in views)
        to = np.exp(one @ other.T / 0.5)
        loss -= 0.7 * np.log(np.diag(to) / to.sum(axis=1)).mean()
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-5)


def test_noisy_encoders_see_the_same_features_through_layers_of_their_own() -> None:
    model = network(MARKET.content, contrast_weight=1e-3, noise=0.3)
    encoder = model.noisy[0]
    assert encoder.views[0].table is model.encoder.views[0].table
    clean = starts(encoder, MARKET.content)[0]
    with seeded_region(1):
        noisy = encoder(model.adjacency)[:, 0].detach().numpy()
    assert not np.allclose(clean, starts(model.encoder, MARKET.content)[0])
    distance = np.linalg.norm(noisy - (clean + A @ clean + A @ A @ clean), axis=1)
    assert 0.3 < np.median(distance) < 0.9  # two layers' noise, and that of the first carried on by the second
    assert (distance[~np.concatenate([R.any(axis=1), R.any(axis=0)])] < 1e-6).all()


def test_without_content_the_learned_vectors_score_and_the_contrast_stays() -> None:
    model = network({}, alignment_weight=0.1, contrast_weight=1e-3)
    assert model.guide is None
    assert len(model.noisy) == 2
    P = parameters(model.encoder)
    learned = mapped(P, 0, P["views.0.table"]) * R.any(axis=0)[:, None]
    nodes = length_one(np.concatenate([P["preferences"], learned]))
    nodes = nodes + A @ nodes + A @ A @ nodes
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, nodes, rtol=1e-4, atol=1e-6)
    assert not found[N_USERS + COLD_ITEMS].any()
