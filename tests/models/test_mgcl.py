import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mgcl import MGCL, MGCLConfig, MGCLNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_USERS
from tests.models._dimensions import BATCH, graph, ranking, squares
from tests.models.dense import CONSTANT, MISSING, ONE, assert_cold_items, parameters


class TestMGCL(GradientContract):
    model = MGCL
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.57
    tolerance = 0.03


def network(content: Content, **params: float) -> MGCLNetwork:
    settings = {"n_factors": 6, "n_layers": 2, "column_power": 0.3, **params}
    return MGCLNetwork(TrainingData(MARKET.train, content, 5), MGCLConfig(**settings))


def dimensions(model: MGCLNetwork) -> list[tuple[np.ndarray, np.ndarray]]:
    """Users and items of each dimension before propagation, that of interactions first."""
    P = parameters(model)
    parts = [(P["users"], P["items"])]
    for m, source in enumerate(model.sources):
        users = P["preferences.0.users"][:, 6 * m : 6 * m + 6]
        parts.append((users, source.table.numpy() @ P[f"sources.{m}.linear.weight"].T))
    return parts


def propagated(model: MGCLNetwork) -> list[tuple[np.ndarray, np.ndarray]]:
    M = graph(0.3)
    nodes = [np.concatenate(part) for part in dimensions(model)]
    nodes = [M @ M @ nodes[0], *(M @ part for part in nodes[1:])]
    return [(part[:N_USERS], part[N_USERS:]) for part in nodes]


@pytest.mark.parametrize(
    "content",
    [{}, ONE, MISSING, MARKET.content | {"audio": MARKET.audio}],
    ids=["none", "one", "missing", "three"],
)
def test_scores_are_the_sum_of_the_dimensions_and_images_count_by_their_weight(content: Content) -> None:
    model = network(content, image_weight=0.3)
    weights = [1.0, *(0.3 if source == "image" else 1.0 for source in content)]
    users, items = (part.detach().numpy() for part in model.factors())
    parts = zip(weights, propagated(model), strict=True)
    np.testing.assert_allclose(users @ items.T, sum(w * u @ i.T for w, (u, i) in parts), rtol=1e-4, atol=1e-6)


def test_ranking_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3, content_l2=0.2, image_weight=0.3)
    loss = sum(ranking(*part) for part in propagated(model))
    own, *content = [squares(*part) for part in dimensions(model)]
    loss += 0.3 * (own + 0.2 * sum(content))
    np.testing.assert_allclose(model.loss(tuple(torch.tensor(part) for part in BATCH)).item(), loss, rtol=1e-5)


def test_contrast_by_hand_is_among_distinct_nodes_that_have_both_dimensions() -> None:
    content = MISSING
    model = network(content, temperature=0.5)
    users, items = [0, 1, 8, 1], [4, 5, 13, 5]  # item 4 lacks its image
    parts = dimensions(model)
    known = [np.ones(len(features.present), dtype=bool) for features in ONE.values()]
    known += [features.present for features in content.values()]
    loss = 0.0
    for a in range(3):
        for b in range(3):
            if a != b:
                both = [item for item in {4, 5, 13} if known[a][item] and known[b][item]]
                loss += info_nce(parts[a][0][[0, 1, 8]], parts[b][0][[0, 1, 8]])
                loss += info_nce(parts[a][1][both], parts[b][1][both])
    found = model.contrast((torch.tensor(users), torch.tensor(items), torch.tensor([6, 7, 9, 9]))).item()
    np.testing.assert_allclose(found, loss, rtol=1e-5)


def info_nce(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)
    to = np.exp(one @ other.T / lengths / 0.5)
    return float(-np.log(np.diag(to) / to.sum(axis=1)).mean())


def test_contrast_has_an_optimiser_of_its_own_unless_its_rate_is_zero() -> None:
    ranking_step, contrast_step = network(MARKET.content, contrast_rate=1e-5).steps()
    assert (ranking_step.learning_rate, contrast_step.learning_rate) == (None, 1e-5)
    assert len(network(MARKET.content, contrast_rate=0.0).steps()) == len(network({}).steps()) == 1


def test_a_batch_whose_items_lack_a_source_has_no_contrast_of_it() -> None:
    content = MISSING
    model = network({"text": content["text"]})
    model.contrast((torch.tensor([0, 1]), torch.tensor([0, 3]), torch.tensor([1, 2]))).backward()
    assert model.items.grad is None or not model.items.grad.any()
    assert model.users.grad is not None and model.users.grad.isfinite().all()


def test_a_cold_item_keeps_its_content_through_the_self_loop() -> None:
    content = MISSING
    items = network(content).factors()[1]
    assert_cold_items(items, content)


def test_content_that_tells_no_items_apart_is_left_out() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1
