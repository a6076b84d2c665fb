from typing import Any

import numpy as np
import pytest
import torch

from recsys.content.arms import Arm
from recsys.content.features import Content
from recsys.models.graph.lightgcn import LightGCN
from recsys.models.multimodal.mmgcf import MMGCF, MMGCFConfig, MMGCFNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET, POPULARITY
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, N_USERS, with_missing
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
ONE = {"text": MARKET.content["text"]}
BATCH = [0, 1, 8], [4, 5, 16], [6, 7, 9]
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


def length_one(row: np.ndarray) -> np.ndarray:
    return row / np.linalg.norm(row) if row.any() else row


def by_hand(model: MMGCFNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Users, and one item after the other from the parts that it has."""
    P = {name: part.detach().numpy() for name, part in model.named_parameters()}
    config, A = model.config, adjacency(MARKET.train).toarray()
    nodes = np.concatenate([P["users"], P["items"]])
    nodes = (nodes + A @ nodes + A @ A @ nodes) / 3
    warm = MARKET.train.toarray().any(axis=0)
    items = np.zeros((N_ITEMS, 6))
    for item in range(N_ITEMS):
        told: list[np.ndarray | None] = []
        for m, features in enumerate(content.values()):
            row = features.matrix[item] / np.linalg.norm(features.matrix[features.present], axis=1).mean()
            mapped = P[f"sources.{m}.linear.weight"] @ row + P[f"sources.{m}.linear.bias"]
            told.append(mapped if features.present[item] else None)
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
        return np.asarray(P[f"{name}.weight"] @ wide + P[f"{name}.bias"])
    return np.asarray(sum(there) / (len(there) if fusion == "mean" else 1))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(
    "content",
    [ONE, with_missing(MARKET.content), MARKET.content | {"audio": MARKET.audio}],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content, weighting: str, fusion: str) -> None:
    model = network(content, weighting=weighting, fusion=fusion)
    for found, expected in zip(model.factors(), by_hand(model, content), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_loss_by_hand(weighting: str, fusion: str) -> None:
    content = with_missing(MARKET.content)
    model = network(content, weighting=weighting, fusion=fusion, l2=0.3)  # not thinned before an epoch
    users, items = by_hand(model, content)
    u, p, n = (np.array(part) for part in BATCH)
    loss = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    before = [model.users[u], model.items[p], model.items[n]]
    loss += 0.3 * sum(rows.square().sum().item() for rows in before) / 2 / 3
    batch = tuple(torch.tensor(part) for part in BATCH)
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-5)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    constant = Arm("constant", ("text",), "constant", ("text",)).show(ONE, 0, POPULARITY)
    assert not network(constant).content_used
    assert len(network(constant | {"image": MARKET.content["image"]}).sources) == 1


def test_features_are_not_trained() -> None:
    names = {name for name, _ in network(MARKET.content).named_parameters()}
    assert {name.split(".")[-1] for name in names if name.startswith("sources")} == {"weight", "bias"}


def test_without_content_and_dropping_it_is_lightgcn() -> None:
    mmgcf, lightgcn = MMGCF.from_params(**PARAMS, drop_rate=0.0), LightGCN.from_params(**PARAMS)
    for model in (mmgcf, lightgcn):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(mmgcf.score(ALL_USERS), lightgcn.score(ALL_USERS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_cold_item_is_its_content_alone_and_zero_without(fusion: str) -> None:
    content = with_missing(MARKET.content)
    _, items = network(content, fusion=fusion).factors()
    has_any = np.any([features.present for features in content.values()], axis=0)
    assert items[COLD_ITEMS].any(dim=1).tolist() == has_any[COLD_ITEMS].tolist()
