import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.mgcn import MGCN
from recsys.models.multimodal.smore import SMORE, SMOREConfig, SMORENetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region
from tests.models.dense import CONSTANT, MISSING, ONE, THREE, assert_cold_items, parameters, sigmoid

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30, "n_image_neighbours": 10}
WIDTH, K, K_IMAGE = 6, 4, 7


class TestSMORE(GradientContract):
    model = SMORE
    params = PARAMS
    noiseless = {"dropout": 0.0}
    reference = 0.691
    tolerance = 0.03


def network(content: Content, **params: float) -> SMORENetwork:
    config = SMOREConfig(n_factors=WIDTH, n_layers=2, n_neighbours=K, n_image_neighbours=K_IMAGE, **params)
    with seeded_region(5):
        return SMORENetwork(TrainingData(MARKET.train, content, 5), config)


def circulant(weights: np.ndarray) -> np.ndarray:
    """The matrix that filters a row vector: what the inverse transform makes of each filtered unit vector."""
    rows = np.fft.rfft(np.eye(WIDTH), norm="ortho") * (weights[:, 0] + 1j * weights[:, 1])
    return np.fft.irfft(rows, n=WIDTH, norm="ortho")


def convolved(rows: list[np.ndarray]) -> np.ndarray:
    """Circular convolution, which the product of orthonormal spectra is but for a factor of the root of the width."""
    found = rows[0]
    for other in rows[1:]:
        shifted = np.stack([np.roll(other[::-1], t + 1) for t in range(WIDTH)])
        found = shifted @ found / np.sqrt(WIDTH)
    return found


def views_by_hand(model: SMORENetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Both views of all nodes, one item and one source after the other."""
    P = parameters(model)
    A = adjacency(MARKET.train).toarray()
    nodes = np.concatenate([P["users"], P["items"]])
    taken = (nodes + A @ nodes + A @ A @ nodes) / 3
    graphs, vectors, mapped = [], [], []
    for m, (source, features) in enumerate(content.items()):
        rows = P[f"sources.{m}.table"] @ P[f"sources.{m}.linear.weight"].T + P[f"sources.{m}.linear.bias"]
        mapped.append(rows * features.present[:, None])
        vectors.append(mapped[m] @ circulant(P[f"filters.{m}.weights"]))
        graphs.append(item_graph(features, K_IMAGE if source == "image" else K, "cosine").toarray())
    has = np.stack([features.present for features in content.values()])
    joint = np.zeros((N_ITEMS, WIDTH))
    for item in np.flatnonzero(has.any(axis=0)):
        joint[item] = convolved([rows[item] for rows, mask in zip(mapped, has, strict=True) if mask[item]])
    vectors.append(joint @ circulant(P[f"filters.{len(content)}.weights"]))
    graphs.append(np.max(graphs, axis=0))
    views = []
    for m, (graph, vector) in enumerate(zip(graphs, vectors, strict=True)):
        gate = f"gates.{m}" if m < len(content) else "joint_gate"
        items = graph @ (P["items"] * sigmoid(vector @ P[f"{gate}.weight"].T + P[f"{gate}.bias"]))
        views.append(np.concatenate([A[:N_USERS, N_USERS:] @ items, items]))
    content_view = np.zeros_like(taken)
    for m, view in enumerate(views):
        part = sigmoid(taken @ P[f"preferences.{m}.weight"].T + P[f"preferences.{m}.bias"]) * view
        if m < len(content):
            hidden = np.tanh(views[-1] @ P[f"queries.{m}.0.weight"].T + P[f"queries.{m}.0.bias"])
            shares = np.exp(hidden @ P[f"queries.{m}.2.weight"].T)
            part *= shares / shares.sum(axis=1, keepdims=True)
        content_view += part
    n_views = 1 + np.concatenate([np.full(N_USERS, len(content)), has.sum(axis=0)])
    return taken, content_view / n_views[:, None]


@pytest.mark.parametrize(
    "content",
    [ONE, MISSING, THREE],
    ids=["one", "missing", "three"],
)
def test_factors_by_hand(content: Content) -> None:
    model = network(content)
    taken, content_view = views_by_hand(model, content)
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, taken + content_view, rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3, contrast_weight=0.7, temperature=0.5)
    taken, content_view = views_by_hand(model, MARKET.content)
    final = taken + content_view
    batch = [0, 1, 8], [4, 5, 16], [6, 7, 9]
    u, p, n = np.array(batch[0]), N_USERS + np.array(batch[1]), N_USERS + np.array(batch[2])
    loss = np.log1p(np.exp(-(final[u] * (final[p] - final[n])).sum(axis=1))).mean()
    loss += 0.3 * sum(np.square(final[nodes]).sum() for nodes in (u, p, n)) / 2 / 3
    for nodes in (u, p):
        one, other = (part[nodes] / np.linalg.norm(part[nodes], axis=1)[:, None] for part in (content_view, taken))
        to = np.exp(one @ other.T / 0.5)
        loss -= 0.7 * np.log(np.diag(to) / to.sum(axis=1)).mean()
    np.testing.assert_allclose(model.loss(tuple(map(torch.tensor, batch))).item(), loss, rtol=1e-4)


def test_gates_are_dropped_in_training_only() -> None:
    model = network(MARKET.content, dropout=0.5)
    once, again = model.train().factors()[0], model.factors()[0]
    assert not torch.equal(once, again)
    torch.testing.assert_close(model.eval().factors()[0], network(MARKET.content).eval().factors()[0])


def test_an_item_without_any_source_has_no_content_view_and_a_cold_one_has_its_neighbours() -> None:
    content = MISSING
    _, items = network(content).factors()
    assert_cold_items(items, content)


def test_without_content_it_is_mgcn_without_content() -> None:
    shared = {name: value for name, value in PARAMS.items() if name != "n_image_neighbours"}
    models = SMORE.from_params(**PARAMS, n_layers=2), MGCN.from_params(**shared, n_layers=2)
    for model in models:
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_array_equal(models[0].score(ALL_USERS), models[1].score(ALL_USERS))


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1
