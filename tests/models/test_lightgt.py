from typing import Any

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.graph.lightgcn import LightGCN
from recsys.models.multimodal._histories import Histories, Transformer
from recsys.models.multimodal.lightgt import LightGT, LightGTConfig, LightGTNetwork
from recsys.recommender import DataSize, TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_USER, N_ITEMS, N_USERS, with_missing
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region
from tests.models.dense import BATCH, CONSTANT, ONE, THREE, assert_cold_items, assert_loss

PARAMS = {"n_factors": 16, "n_layers": 2, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}


class TestLightGT(GradientContract):
    model = LightGT
    params = PARAMS
    noiseless = {"dropout": 0.0}
    reference = 0.648
    tolerance = 0.03


def network(content: Content, **params: Any) -> LightGTNetwork:
    with seeded_region(5):
        return LightGTNetwork(TrainingData(MARKET.train, content, 5), LightGTConfig(n_factors=6, **params)).eval()


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum()


def by_hand(model: LightGTNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Users and items, one user, source, layer and slot after the other."""
    P = {name: part.detach().numpy().astype(np.float64) for name, part in model.named_parameters()}
    config, A = model.config, adjacency(MARKET.train).toarray()
    layers = [np.concatenate([P["users"], P["items"]])]
    for _ in range(config.n_layers):
        layers.append(A @ layers[-1])
    means = [np.mean(layers[: depth + 1], axis=0) for depth in range(1, config.n_layers + 1)]
    final = means[-1]
    if config.positions == "same":
        means = [final] * config.n_layers
    w = config.interaction_weight
    users, items = [w * final[:N_USERS]], [final[N_USERS:]]
    for m, features in enumerate(content.values()):
        rows = features.matrix / np.where(features.present, np.linalg.norm(features.matrix, axis=1), 1)[:, None]
        mapped = rows @ P[f"sources.{m}.linear.weight"].T + P[f"sources.{m}.linear.bias"]
        mapped[~features.present] = 0
        items.append(mapped)
        users.append(
            (1 - w) * np.stack([heard(P, m, user, mapped, means, features.present) for user in range(N_USERS)])
        )
    return np.concatenate(users, axis=1), np.concatenate(items, axis=1)


def heard(
    P: dict[str, np.ndarray], m: int, user: int, mapped: np.ndarray, means: list[np.ndarray], present: np.ndarray
) -> np.ndarray:
    """A user's vector in one source."""
    taken = [item for item in MARKET.train[[user]].indices if present[item]]
    if not MARKET.train[[user]].nnz:
        return np.zeros(6)
    name, slots = f"transformers.{m}", np.stack([P["tokens"][user], *mapped[taken]])
    for layer, mean in enumerate(means):
        W = {part: P[f"{name}.layers.{layer}.{part}.weight"] for part in ("query", "key", "value", "out", "norm")}
        b = {part: P[f"{name}.layers.{layer}.{part}.bias"] for part in ("query", "value", "out", "norm")}
        place = mean[np.array([user, *(N_USERS + item for item in taken)])]
        place = 1 / (1 + np.exp(-(place @ P[f"{name}.position.weight"].T + P[f"{name}.position.bias"])))
        queries, keys = (slots + place) @ W["query"].T + b["query"], (slots + place) @ W["key"].T
        values = slots @ W["value"].T + b["value"]
        out = (
            np.stack([softmax(keys @ query / 100 / np.sqrt(6)) @ values for query in queries]) @ W["out"].T + b["out"]
        )
        out = (out - out.mean(axis=1, keepdims=True)) / np.sqrt(out.var(axis=1, keepdims=True) + 1e-5)
        slots = out * W["norm"] + b["norm"]
    y = P[f"{name}.dense.weight"] @ slots[0] + P[f"{name}.dense.bias"]
    return np.where(y > 0, y, 0.01 * y)


@pytest.mark.parametrize("positions", ["by_depth", "same"])
@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize(
    "content",
    [ONE, with_missing(MARKET.content), THREE],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content, n_layers: int, positions: str) -> None:
    model = network(content, n_layers=n_layers, positions=positions, interaction_weight=0.2)
    moved(model)
    for found, expected in zip(model.factors(), by_hand(model, content), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=2e-3, atol=2e-5)


def moved(model: LightGTNetwork) -> None:
    """Layers that differ, with attention sharp enough to be seen."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("transformers"):
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))))
                if "query" in name or "key" in name:
                    parameter.mul_(10)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, n_layers=2, l2=0.3, interaction_weight=0.2)
    users, items = by_hand(model, MARKET.content)
    u, p, n = (np.array(part) for part in BATCH)
    loss = np.log1p(np.exp(-(users[u] * (items[p] - items[n])).sum(axis=1))).mean()
    loss += 0.3 * (((users[:, :6] / 0.2) ** 2).mean() + (items[:, :6] ** 2).mean())
    assert_loss(model, loss, rtol=1e-4)


def test_layers_of_a_source_start_alike() -> None:
    layers = [layer.state_dict() for layer in Transformer(6, 3).layers]
    for layer in layers[1:]:
        assert all(torch.equal(layer[name], part) for name, part in layers[0].items())


def test_long_histories_are_samples_and_short_ones_whole() -> None:
    drawn = [Histories.draw(MARKET.train, 4, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0].items, drawn[1].items) and not torch.equal(drawn[0].items, drawn[2].items)
    for user in ALL_USERS:
        taken = MARKET.train[[user]].indices.tolist()
        start, length = (int(part[user]) for part in (drawn[2].starts, drawn[2].lengths))
        read = drawn[2].items[start : start + length].tolist()
        assert length == min(len(taken), 4)
        assert set(read) <= set(taken) and len(set(read)) == length


def test_training_reads_new_samples_and_scoring_the_same() -> None:
    model = network(ONE, n_history=3)
    before, sampled = model.factors()[0], model.sampled
    model.start_epoch(np.random.default_rng(1))
    assert not torch.equal(model.sampled.items, sampled.items)
    assert torch.equal(model.factors()[0], before)


def test_cold_users_and_items_without_content_stay_zero() -> None:
    content = with_missing(MARKET.content)
    users, items = network(content).factors()
    assert not users[COLD_USER].any()
    assert_cold_items(items, content)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1


def test_without_content_and_regulariser_is_lightgcn() -> None:
    params = PARAMS | {"l2": 0.0}
    lightgt, lightgcn = LightGT.from_params(**params), LightGCN.from_params(**params)
    for model in (lightgt, lightgcn):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(lightgt.score(ALL_USERS), lightgcn.score(ALL_USERS), rtol=1e-4, atol=1e-5)
    assert lightgt.score(ALL_USERS).shape == (N_USERS, N_ITEMS)


def test_memory_counts_what_is_read_where_there_is_content() -> None:
    size = DataSize(5000, 2000, 100_000, width=10)
    deep, flat = (LightGT.memory(LightGTConfig(n_layers=n), size) for n in (4, 2))
    assert deep > flat > LightGT.memory(LightGTConfig(), DataSize(5000, 2000, 100_000))
