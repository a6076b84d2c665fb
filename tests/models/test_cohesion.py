import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.cohesion import COHESION, COHESIONConfig, COHESIONNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER, N_ITEMS, N_USERS
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONTENTS,
    MISSING,
    A,
    R,
    assert_cold_items,
    assert_factors,
    assert_loss,
    length_one,
    mapped,
    mixed,
    parameters,
    penalty,
    scaled,
    user_graph,
)


class TestCOHESION(GradientContract):
    model = COHESION
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.627
    tolerance = 0.03


def network(content: Content, **params: float) -> COHESIONNetwork:
    config = COHESIONConfig(n_factors=6, n_hidden=5, n_user_neighbours=3, n_neighbours=4, **params)
    with seeded_region(5):
        return COHESIONNetwork(TrainingData(MARKET.train, content, 5), config)


def parts_by_hand(model: COHESIONNetwork, content: Content) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Users and items of each part, that of the learned table first, before the graphs among their like."""
    P, warm = parameters(model.encoder), R.any(axis=0)
    own = P["views.0.table"]
    tables = [(own, warm), *((scaled(f.matrix, f.present), f.present) for f in content.values())]
    users, items = [], []
    for m, (table, known) in enumerate(tables):
        seen = mapped(P, m, table) * known[:, None]
        mixed = np.sqrt((own**2 + seen**2) / 2 + 1e-8) * (known | warm)[:, None]
        start = length_one(np.concatenate([P["preferences"][:, 6 * m : 6 * m + 6], mixed]))
        layer, total = start, start
        for _ in range(model.encoder.n_layers):
            layer = A @ layer
            cosines = (length_one(layer) * start).sum(axis=1, keepdims=True)
            layer = cosines * layer
            total = total + layer
        users.append(total[:N_USERS])
        items.append(total[N_USERS:])
    return users, items


def by_hand(model: COHESIONNetwork, content: Content) -> tuple[list[np.ndarray], list[np.ndarray]]:
    users, items = parts_by_hand(model, content)
    among_users, among_items = np.eye(N_USERS) + user_graph(3), np.eye(N_ITEMS) + mixed(content)
    return [among_users @ part for part in users], [among_items @ part for part in items]


@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize("content", [{}, *CONTENTS.values()], ids=["none", *CONTENTS])
def test_factors_by_hand(content: Content, n_layers: int) -> None:
    model = network(content, n_layers=n_layers)
    assert_factors(model, [np.concatenate(parts, axis=1) for parts in by_hand(model, content)])


@pytest.mark.parametrize("content", [{}, MARKET.content], ids=["none", "two"])
def test_loss_by_hand(content: Content) -> None:
    model = network(content, preference_l2=0.3)
    users, items = by_hand(model, content)
    ranking = 0.0
    for u, p, n in zip(*BATCH, strict=True):
        margins = np.array([part[u] @ (item[p] - item[n]) for part, item in zip(users, items, strict=True)])
        shares = 1 - np.exp(margins) / np.exp(margins).sum() if len(margins) > 1 else np.ones(1)
        ranking += np.log2(1 + np.exp(-shares @ margins)) / 3
    assert_loss(model, ranking + 0.3 * penalty(model, len(users)))


def test_the_balance_of_parts_passes_no_gradient() -> None:
    model = network(MARKET.content, preference_l2=0.0)
    users, items = (table.detach().requires_grad_() for table in model.tables())
    model.user_graph = model.item_graph = None
    model.tables = lambda: (users, items)  # type: ignore[method-assign]
    model.loss((torch.tensor([0]), torch.tensor([4]), torch.tensor([6]))).backward()
    margins = (users[0] * (items[4] - items[6])).detach().unflatten(0, (3, 6)).sum(dim=1)
    shares = 1 - margins.softmax(dim=0)
    slope = -(-(shares * margins).sum()).sigmoid() / np.log(2)
    expected = slope * shares.repeat_interleave(6) * users[0].detach()
    torch.testing.assert_close(items.grad[4] if items.grad is not None else None, expected)


def test_the_part_of_learned_vectors_is_left_as_drawn_where_asked_for() -> None:
    model = network(MARKET.content, train_own_part=False, preference_l2=0.3)
    assert_factors(model, [np.concatenate(parts, axis=1) for parts in by_hand(model, MARKET.content)])
    model.loss(tuple(torch.tensor(part) for part in BATCH)).backward()
    gradients = {name: torch.as_tensor(parameter.grad) for name, parameter in model.encoder.named_parameters()}
    assert gradients["preferences"].any(dim=0).tolist() == 6 * [False] + 12 * [True]
    still = {name for name, gradient in gradients.items() if not gradient.any()}
    assert still == {f"views.0.mapping.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")}


def test_without_content_the_part_of_learned_vectors_learns_whatever_is_asked_for() -> None:
    model = network({}, train_own_part=False)
    model.loss(tuple(torch.tensor(part) for part in BATCH)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_cold_rows_are_what_their_content_says_and_nothing_else() -> None:
    users, items = network(MISSING).tables()  # before neighbours are added
    assert not users[COLD_USER].any()
    assert_cold_items(items, MISSING)
    assert not items[COLD_ITEMS, :6].any()
