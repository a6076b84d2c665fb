from typing import Any

import numpy as np
import pytest

from recsys.content.features import Content
from recsys.models.graph.lightgcn import LightGCN
from recsys.models.multimodal.mmgcf import MMGCF, MMGCFConfig, MMGCFNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONSTANT,
    CONTENTS,
    MISSING,
    R,
    assert_cold_items,
    assert_factors,
    assert_loss,
    assert_same_without_content,
    bpr,
    length_one,
    linear,
    parameters,
    propagated,
    scaled,
)

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
WEIGHTINGS, FUSIONS = ["equal", "alpha", "normalised"], ["mean", "sum", "concat"]


class TestMMGCF(GradientContract):
    model = MMGCF
    params = PARAMS
    reference = 0.702
    tolerance = 0.03


class TestConcatenatedInTurn(GradientContract):
    model = MMGCF
    params = PARAMS | {"fusion": "concat", "weighting": "equal"}
    reference = 0.712
    tolerance = 0.03


def network(content: Content, **params: Any) -> MMGCFNetwork:
    with seeded_region(5):
        return MMGCFNetwork(TrainingData(MARKET.train, content, 5), MMGCFConfig(n_factors=6, **params))


def by_hand(model: MMGCFNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Users, and one item after the other from the parts that it has."""
    P, config, warm = parameters(model), model.config, R.any(axis=0)
    nodes = propagated(np.concatenate([P["users"], P["items"]])) / 3
    items = np.zeros((N_ITEMS, 6))
    for item in range(N_ITEMS):
        told: list[np.ndarray | None] = []
        for m, features in enumerate(content.values()):
            row = scaled(features.matrix, features.present)[item]
            told.append(linear(P, f"sources.{m}.linear", row) if features.present[item] else None)
        parts = [nodes[N_USERS + item] if warm[item] else None, *told]
        if config.weighting == "alpha":
            share = 1 / (1 + np.exp(-P["alpha"]))
            scales = [share] + [1 - share] * len(told)
            parts = [None if part is None else scale * part for scale, part in zip(scales, parts, strict=True)]
        elif config.weighting == "normalised":
            parts = [None if part is None else length_one(part) for part in parts]
            parts[0] = None if parts[0] is None else len(told) * parts[0]
        elif len(told) > 1:
            parts = [parts[0], joined(told, config.fusion, P, "content_map")]
        joint = joined(parts, config.fusion, P, "map")
        items[item] = 0 if joint is None else joint
    return nodes[:N_USERS], items


def joined(parts: list[np.ndarray | None], fusion: str, P: dict[str, np.ndarray], name: str) -> np.ndarray | None:
    there = [part for part in parts if part is not None]
    if not there:
        return None
    if fusion == "concat":
        wide = np.concatenate([np.zeros(6) if part is None else part for part in parts])
        return linear(P, name, wide)
    return np.asarray(sum(there) / (len(there) if fusion == "mean" else 1))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_factors_by_hand(content: Content, weighting: str, fusion: str) -> None:
    model = network(content, weighting=weighting, fusion=fusion)
    assert_factors(model, by_hand(model, content))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_loss_by_hand(weighting: str, fusion: str) -> None:
    model = network(MISSING, weighting=weighting, fusion=fusion, l2=0.3)  # not thinned before an epoch
    u, p, n = BATCH
    before = [model.users[u], model.items[p], model.items[n]]
    squares = sum(rows.square().sum().item() for rows in before) / 2 / 3
    assert_loss(model, bpr(*by_hand(model, MISSING)) + 0.3 * squares)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1


def test_features_are_not_trained() -> None:
    names = {name for name, _ in network(MARKET.content).named_parameters()}
    assert {name.split(".")[-1] for name in names if name.startswith("sources")} == {"weight", "bias"}


def test_without_content_and_dropping_it_is_lightgcn() -> None:
    assert_same_without_content(MMGCF.from_params(**PARAMS, drop_rate=0.0), LightGCN.from_params(**PARAMS))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_cold_item_is_its_content_alone_and_zero_without(fusion: str) -> None:
    assert_cold_items(network(MISSING, fusion=fusion).factors()[1], MISSING)
