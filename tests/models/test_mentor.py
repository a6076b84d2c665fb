from itertools import combinations

import numpy as np
import pytest

from recsys.content.features import Content
from recsys.models.multimodal.mentor import MENTOR, MENTORConfig, MENTORNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS
from recsys.training.preference_encoder import PreferenceEncoder
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONTENTS,
    ONE,
    THREE,
    R,
    assert_factors,
    assert_loss,
    encodings,
    info_nce,
    length_one,
    mapped,
    mixed,
    parameters,
    penalty,
    propagated,
    ranking_loss,
    starts,
    weighted,
)


class TestMENTOR(GradientContract):
    model = MENTOR
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.626
    tolerance = 0.03


def network(content: Content, **params: float) -> MENTORNetwork:
    defaults = {"n_factors": 6, "n_hidden": 5, "n_neighbours": 4, "alignment_weight": 0.0, "contrast_weight": 0.0}
    with seeded_region(5):
        return MENTORNetwork(TrainingData(MARKET.train, content, 5), MENTORConfig(**(defaults | params)))


def learned_by_hand(encoder: PreferenceEncoder) -> np.ndarray:
    """All nodes where a learned table stands in the place of features."""
    P = parameters(encoder)
    items = mapped(P, 0, P["views.0.table"]) * R.any(axis=0)[:, None]
    return propagated(length_one(np.concatenate([P["preferences"], items])))


def parts_by_hand(
    model: MENTORNetwork, content: Content, encoder: PreferenceEncoder | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Users and items by source, without weights; of the model's own encoder, or another."""
    among_items = np.eye(N_ITEMS) + mixed(content)
    return [(users, among_items @ items) for users, items in encodings(encoder or model.encoder, content)]


def by_hand(
    model: MENTORNetwork, content: Content, encoder: PreferenceEncoder | None = None
) -> tuple[np.ndarray, np.ndarray]:
    users, items = zip(*parts_by_hand(model, content, encoder), strict=True)
    return np.concatenate(weighted(model, users), axis=1), np.concatenate(items, axis=1)


def ranking(model: MENTORNetwork, content: Content) -> float:
    assert ("weights" in parameters(model)) == (len(content) > 1)
    return ranking_loss(*by_hand(model, content)) + 0.3 * penalty(model, len(content))


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_factors_by_hand(content: Content) -> None:
    model = network(content, contrast_weight=1e-3, alignment_weight=0.1)
    assert_factors(model, by_hand(model, content))


@pytest.mark.parametrize("content", [ONE, MARKET.content, THREE], ids=["one", "two", "three"])
def test_alignment_by_hand(content: Content) -> None:
    model = network(content, preference_l2=0.3, alignment_weight=0.7)
    assert model.guide is not None
    guide = learned_by_hand(model.guide)
    guide[N_USERS:] += mixed(content) @ guide[N_USERS:]
    kinds = [np.concatenate(by_hand(model, content)), guide]
    kinds += [np.concatenate(part) for part in parts_by_hand(model, content)]
    assert len(kinds) == len(content) + 2
    loss = ranking(model, content)
    for one, other in combinations(kinds, 2):
        loss += 0.7 * (abs(one.var(ddof=1) - other.var(ddof=1)) + abs(one.mean() - other.mean()))
    assert_loss(model, loss)


def test_contrast_by_hand_where_the_noise_is_small() -> None:
    content = MARKET.content
    model = network(content, preference_l2=0.3, contrast_weight=0.7, temperature=0.5, noise=1e-7)
    views = [by_hand(model, content, encoder) for encoder in model.noisy]
    loss = ranking(model, content)
    for kind, nodes in enumerate((BATCH[0], BATCH[1] + BATCH[2])):
        loss += 0.7 * info_nce(*(view[kind][nodes] for view in views), 0.5)
    assert_loss(model, loss)


def test_noisy_encoders_see_the_same_features_through_layers_of_their_own() -> None:
    model = network(MARKET.content, contrast_weight=1e-3, noise=0.3)
    encoder = model.noisy[0]
    assert encoder.views[0].table is model.encoder.views[0].table
    clean = starts(encoder, MARKET.content)[0]
    with seeded_region(1):
        noisy = encoder(model.adjacency)[:, 0].detach().numpy()
    assert not np.allclose(clean, starts(model.encoder, MARKET.content)[0])
    distance = np.linalg.norm(noisy - propagated(clean), axis=1)
    assert 0.3 < np.median(distance) < 0.9  # two layers' noise, and that of the first carried on by the second
    assert (distance[~np.concatenate([R.any(axis=1), R.any(axis=0)])] < 1e-6).all()


def test_without_content_the_learned_vectors_score_and_the_contrast_stays() -> None:
    model = network({}, alignment_weight=0.1, contrast_weight=1e-3)
    assert model.guide is None
    assert len(model.noisy) == 2
    nodes = learned_by_hand(model.encoder)
    assert_factors(model, (nodes[:N_USERS], nodes[N_USERS:]))
    assert not model.factors()[1][COLD_ITEMS].any()
