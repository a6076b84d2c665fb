import numpy as np
import torch

from recsys.content.arms import Arm
from recsys.content.features import Content
from recsys.models.multimodal.mgcn import MGCN, MGCNConfig, MGCNNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET, POPULARITY
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import N_ITEMS, N_USERS, with_missing
from recsys.training.graph import adjacency
from recsys.training.item_graph import item_graph
from recsys.training.randomness import seeded_region


class TestMGCN(GradientContract):
    model = MGCN
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.694
    tolerance = 0.03


def network(content: Content, **params: float) -> MGCNNetwork:
    with seeded_region(5):
        return MGCNNetwork(TrainingData(MARKET.train, content, 5), MGCNConfig(n_factors=6, n_neighbours=4, **params))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def views_by_hand(model: MGCNNetwork, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """Both views of all nodes, one node and one source after the other."""
    P = {name: part.detach().numpy() for name, part in model.named_parameters()}
    A = adjacency(MARKET.train).toarray()
    nodes = np.concatenate([P["users"], P["items"]])
    taken = (nodes + A @ nodes + A @ A @ nodes) / 3
    views = []
    for m, features in enumerate(content.values()):
        mapped = P[f"sources.{m}.table"] @ P[f"sources.{m}.linear.weight"].T + P[f"sources.{m}.linear.bias"]
        mapped = mapped * features.present[:, None]
        gated = P["items"] * sigmoid(mapped @ P[f"gates.{m}.weight"].T + P[f"gates.{m}.bias"])
        items = item_graph(features, 4, "cosine").toarray() @ gated
        views.append(np.concatenate([A[:N_USERS, N_USERS:] @ items, items]))
    told = np.zeros_like(taken)
    for node in range(N_USERS + N_ITEMS):
        has = [m for m, f in enumerate(content.values()) if node < N_USERS or f.present[node - N_USERS]]
        if not has:
            continue
        query = [P[f"fusion.attention.query.{part}"] for part in ("0.weight", "0.bias", "2.weight")]
        logits = [query[2][0] @ np.tanh(query[0] @ views[m][node] + query[1]) for m in has]
        shares = np.exp(logits) / np.exp(logits).sum()
        common = sum(share * views[m][node] for share, m in zip(shares, has, strict=True))
        told[node] = common
        for m in has:
            gate = sigmoid(P[f"fusion.preferences.{m}.weight"] @ taken[node] + P[f"fusion.preferences.{m}.bias"])
            told[node] += gate * (views[m][node] - common)
        told[node] /= len(has) + 1
    return taken, told


def test_factors_are_the_sum_of_both_views_and_items_without_a_source_have_no_part_of_it() -> None:
    content = with_missing(MARKET.content)
    model = network(content)
    taken, told = views_by_hand(model, content)
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, taken + told, rtol=1e-4, atol=1e-6)


def test_loss_by_hand() -> None:
    model = network(MARKET.content, l2=0.3, contrast_weight=0.7, temperature=0.5)
    taken, told = views_by_hand(model, MARKET.content)
    final = taken + told
    users, positives, negatives = [0, 1, 8], [4, 5, 16], [6, 7, 9]
    loss = 0.0
    for u, p, n in zip(users, positives, negatives, strict=True):
        rows = final[u], final[N_USERS + p], final[N_USERS + n]
        loss += np.log1p(np.exp(-rows[0] @ (rows[1] - rows[2]))) / 3 + 0.3 * sum(row @ row for row in rows) / 2 / 3
    for nodes in (np.array(users), N_USERS + np.array(positives)):
        for node in nodes:
            to = np.exp([cosine(told[node], taken[other]) / 0.5 for other in nodes])
            loss -= 0.7 * np.log(to[list(nodes).index(node)] / to.sum()) / len(nodes)
    batch = tuple(torch.tensor(part) for part in (users, positives, negatives))
    np.testing.assert_allclose(model.loss(batch).item(), loss, rtol=1e-4)


def test_one_source_is_all_common_and_half_of_it_counts() -> None:
    model = network({"text": MARKET.content["text"]})
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names == {"users", "items", "sources", "gates"}
    _, told = model.two_views(torch.arange(N_USERS + N_ITEMS))
    view = model.graphs[0](model.items * model.gates[0](next(iter(model.sources))()).sigmoid())
    torch.testing.assert_close(told[N_USERS:], view / 2)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    text = {"text": MARKET.content["text"]}
    constant = Arm("constant", ("text",), "constant", ("text",)).show(text, 0, POPULARITY)
    assert not network(constant).content_used
    assert len(network(constant | {"image": MARKET.content["image"]}).sources) == 1


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
