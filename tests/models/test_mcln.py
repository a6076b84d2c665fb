import numpy as np
import pytest
import torch
from torch import Tensor

from recsys.content.features import Content
from recsys.models.multimodal.mcln import MCLN, MCLNConfig, MCLNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.network import Network
from recsys.training.randomness import seeded_region
from tests.models._dimensions import BATCH, graph, ranking, squares
from tests.models.dense import CONSTANT, MISSING, ONE, assert_cold_items, parameters

INTERVENTIONS = [11, 3, 2]
Parameters = dict[str, np.ndarray]


class TestMCLN(GradientContract):
    model = MCLN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.7
    tolerance = 0.03

    def loss(self, network: Network, batch: tuple[Tensor, ...]) -> Tensor:
        """Triples of the contract get the negatives in reverse as interventions."""
        assert isinstance(network, MCLNNetwork)
        return super().loss(network, (*batch, batch[2].flip(0)) if len(batch) == 3 and network.content_used else batch)


def network(content: Content, **params: float) -> MCLNNetwork:
    settings = {"n_factors": 6, "n_layers": 2, "column_power": 0.3, **params}
    with seeded_region(5):
        model = MCLNNetwork(TrainingData(MARKET.train, content, 5), MCLNConfig(**settings))
        for name, parameter in model.named_parameters():
            if "norms" in name or "bias" in name:  # they start at one and zero
                parameter.data += 0.1 * torch.randn(parameter.shape)
        return model


def parts_by_hand(model: MCLNNetwork) -> tuple[np.ndarray, list[np.ndarray]]:
    """Users, and items by interactions and by source."""
    P, M = parameters(model), graph(0.3)
    nodes = np.concatenate([P["users"], P["items"]])
    nodes = (nodes + M @ nodes + M @ M @ nodes) / 3
    sources = [s.table.numpy() @ P[f"sources.{m}.linear.weight"].T for m, s in enumerate(model.sources)]
    return nodes[:N_USERS], [nodes[N_USERS:], *sources]


def normed(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * weight + bias


def attended(P: Parameters, items: np.ndarray, others: np.ndarray | None) -> np.ndarray:
    """Two layers, one item after the other."""
    for layer in range(2):
        W = {name.split(".", 2)[2]: part for name, part in P.items() if name.startswith(f"attention.{layer}.")}

        def mapped(name: str, x: np.ndarray, W: Parameters = W) -> np.ndarray:
            return W[f"maps.{name}.weight"] @ x

        new = []
        for i, item in enumerate(items):
            logits = np.array([mapped("query", item) @ mapped("key", key) for key in items])
            if others is not None:
                logits -= [
                    mapped("intervention_query", others[i]) @ mapped("intervention_key", other) for other in others
                ]
            shares = np.exp(logits / np.sqrt(items.shape[1]))
            value = sum(share * mapped("value", key) for share, key in zip(shares / shares.sum(), items, strict=True))
            new.append(item + mapped("out", value))
        items = normed(np.array(new), W["norms.0.weight"], W["norms.0.bias"])
        hidden = (items @ W["inner.weight"].T + W["inner.bias"]).clip(0)
        fed = (hidden @ W["outer.weight"].T + W["outer.bias"]).clip(0)
        items = normed(items + fed, W["norms.1.weight"], W["norms.1.bias"])
    return items


@pytest.mark.parametrize(
    "content",
    [{}, ONE, MISSING, MARKET.content | {"audio": MARKET.audio}],
    ids=["none", "one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content, image_weight=0.3)
    P = parameters(model)
    users, parts = parts_by_hand(model)
    weights = [1.0, *(0.3 if source == "image" else 1.0 for source in content)]
    items = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    if content:
        x = np.concatenate(parts, axis=1)
        known = x.any(axis=1)
        c = attended(P, x[known], x[known]) @ P["positive_map.weight"].T
        items[known] += c.clip(0)
    for found, expected in zip(model.factors(), (users, items), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3)
    P, (users, parts), (_, p, n) = parameters(model), parts_by_hand(model), BATCH
    loss = sum(ranking(users, part) for part in parts)
    x = np.concatenate(parts, axis=1)
    c = np.zeros((N_ITEMS, 6))
    c[p] = (attended(P, x[p], x[INTERVENTIONS]) @ P["positive_map.weight"].T).clip(0)
    c[n] = (attended(P, x[n], None) @ P["negative_map.weight"].T).clip(0)
    loss += ranking(users, c)
    nobody = np.zeros_like(users)
    loss += 0.3 * (squares(P["users"], P["items"]) + sum(squares(nobody, part) for part in (*parts[1:], c)))
    batch = tuple(torch.tensor(part) for part in (*BATCH, INTERVENTIONS))
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-5)


def test_groups_of_a_batch_attend_to_themselves_alone() -> None:
    rows = [torch.randn(4, 18, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    pairs = network(MARKET.content, n_attended=2)._attended(*rows)
    halves = [network(MARKET.content)._attended(*(part[at] for part in rows)) for at in (slice(2), slice(2, 4))]
    for found, expected in zip(pairs, zip(*halves, strict=True), strict=True):
        torch.testing.assert_close(found, torch.cat(expected))


def test_interventions_are_drawn_for_each_triple_where_there_is_content() -> None:
    rng = np.random.default_rng(1)
    users, positives, negatives, others = next(network(MARKET.content, batch_size=64).batches(rng))
    taken = MARKET.train.toarray() > 0
    assert taken[users, positives].all()
    assert not taken[users, negatives].any()
    assert not taken[users, others].any()
    assert (negatives != others).any()
    assert len(next(network({}).batches(rng))) == 3


def test_an_item_without_content_and_interactions_stays_zero() -> None:
    content = MISSING
    _, items = network(content).factors()
    assert_cold_items(items, content)


def test_content_that_tells_no_items_apart_is_left_out() -> None:
    assert not network(CONSTANT).content_used
