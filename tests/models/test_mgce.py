import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mgce import MGCE, MGCEConfig, MGCENetwork, whitened
from recsys.models.multimodal.mgcl import MGCL
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_USERS
from tests.models._dimensions import BATCH, graph, ranking, squares
from tests.models.dense import CONSTANT, MISSING, ONE, assert_cold_items, parameters

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}


class TestMGCE(GradientContract):
    model = MGCE
    params = PARAMS
    reference = 0.57
    tolerance = 0.03


def network(content: Content, **params: float) -> MGCENetwork:
    settings = {"n_factors": 6, "n_layers": 2, "column_power": 0.4, "interest_power": 0.3, **params}
    return MGCENetwork(TrainingData(MARKET.train, content, 5), MGCEConfig(**settings))


def white(x: np.ndarray, present: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(x.T @ x / present.sum())
    return x @ vectors @ np.diag((values.clip(0) + 1e-5) ** -0.5) @ vectors.T


def by_hand(model: MGCENetwork) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Users and items before and after propagation: interactions, then by source interest and conformity."""
    P = parameters(model)
    degrees = MARKET.train.toarray().sum(axis=0)
    thirds = np.floor(3 * (degrees - degrees.min()) / (degrees.max() - degrees.min())).clip(max=2).astype(int)
    own = np.concatenate([P["users"], P["items"]])
    before, after = [own], [graph(0.4) @ graph(0.4) @ own]
    for m, source in enumerate(model.sources):
        present = source.present.numpy()
        columns = slice(6 * m, 6 * m + 6)
        content = white(source.table.numpy().astype(np.float64) @ P[f"sources.{m}.linear.weight"].T, present)
        interest, conformity = (P[f"preferences.{kind}.users"][:, columns] for kind in (0, 1))
        before += [np.concatenate([users, content]) for users in (interest, conformity)]
        popular = np.concatenate([conformity, content + P["popularity"][thirds] * present])
        after += [graph(0.3) @ before[-2], graph(0.5) @ graph(0.5) @ popular]
    return {
        name: [(nodes[:N_USERS], nodes[N_USERS:]) for nodes in parts]
        for name, parts in (("before", before), ("after", after))
    }


@pytest.mark.parametrize(
    "content",
    [{}, ONE, MISSING, MARKET.content | {"audio": MARKET.audio}],
    ids=["none", "one", "missing", "three"],
)
def test_scores_are_the_sum_of_the_dimensions_and_images_count_by_their_weight(content: Content) -> None:
    model = network(content, image_weight=0.3)
    weights = [1.0]
    for source in content:
        weights += [0.3 if source == "image" else 1.0] * 2
    users, items = (part.detach().numpy() for part in model.factors())
    parts = zip(weights, by_hand(model)["after"], strict=True)
    np.testing.assert_allclose(users @ items.T, sum(w * u @ i.T for w, (u, i) in parts), rtol=1e-3, atol=1e-4)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3, content_l2=0.2, content_weight=0.7, separation=0.9)
    parts = by_hand(model)
    own, *content = parts["after"]
    loss = ranking(*own) + 0.7 * sum(ranking(*part) for part in content)
    own_square, *content_squares = [squares(*part) for part in parts["before"]]
    loss += 0.3 * (own_square + 0.2 * sum(content_squares))
    for side in (0, 1):  # users, positives
        for interest, conformity in (content[:2], content[2:]):
            one, other = (part[side][list(BATCH[side])].mean(axis=0) for part in (interest, conformity))
            loss += 0.9 / 4 * one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    np.testing.assert_allclose(model.loss(tuple(torch.tensor(part) for part in BATCH)).item(), loss, rtol=1e-4)


def test_whitened_content_has_no_covariance_and_keeps_its_directions() -> None:
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)) @ torch.diag(torch.tensor([1.0, 2, 5, 9]))
    present = torch.arange(50)[:, None] % 5 > 0
    rows = whitened(x * present, present)
    torch.testing.assert_close(rows.T @ rows / present.sum(), torch.eye(4), atol=1e-3, rtol=0)
    assert not rows[::5].any()
    assert ((rows * x).sum(dim=0) > 0).all()  # symmetric: nothing is turned around


def test_whitening_bears_content_of_fewer_directions_than_factors() -> None:
    x = torch.ones(20, 6) * torch.randn(20, 1, generator=torch.Generator().manual_seed(1))
    x.requires_grad_()
    whitened(x, torch.ones(20, 1, dtype=torch.bool)).square().sum().backward()
    assert x.grad is not None and x.grad.abs().max() < 1e3


def test_the_most_popular_item_is_in_the_highest_third() -> None:
    bucket = network(MARKET.content).bucket
    degrees = torch.from_numpy(MARKET.train.toarray().sum(axis=0))
    assert (bucket.min(), bucket.max(), bucket[degrees.argmax()]) == (0, 2, 2)
    assert not bucket[COLD_ITEMS].any()


def test_without_content_it_is_mgcl_without_content() -> None:
    scores = []
    for cls in (MGCE, MGCL):
        model = cls.from_params(**PARAMS)
        model.fit(TrainingData(MARKET.train, seed=4))
        scores.append(model.score(ALL_USERS))
    np.testing.assert_array_equal(*scores)


def test_a_cold_item_keeps_its_content_through_the_self_loop() -> None:
    content = MISSING
    items = network(content).factors()[1]
    assert_cold_items(items, content)


def test_content_that_tells_no_items_apart_is_left_out() -> None:
    assert not network(CONSTANT).content_used
