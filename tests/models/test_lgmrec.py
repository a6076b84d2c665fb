from itertools import combinations

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.graph.lightgcn import LightGCN
from recsys.models.multimodal.lgmrec import LGMRec, LGMRecConfig, LGMRecNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import ALL_USERS, MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, COLD_USER, N_USERS
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region
from tests.models.dense import CONSTANT, MISSING, ONE, THREE, R, length_one, parameters

PARAMS = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
BATCH = [0, 1, 8, 0, 8], [4, 5, 16, 16, 4], [6, 7, 9, 6, 7]


class TestLGMRec(GradientContract):
    model = LGMRec
    params = PARAMS
    noiseless = {"noise": 0.0, "dropout": 0.0}
    reference = 0.688
    tolerance = 0.03


def network(content: Content, **params: float) -> LGMRecNetwork:
    with seeded_region(5):
        config = LGMRecConfig(n_factors=6, n_attributes=3, n_hyper_layers=2, **params)
        return LGMRecNetwork(TrainingData(MARKET.train, content, 5), config)


def softmax(x: np.ndarray) -> np.ndarray:
    shares = np.exp(x - x.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def by_hand(model: LGMRecNetwork, content: Content) -> tuple[np.ndarray, list[np.ndarray]]:
    """Final vectors of all nodes and each source's hypergraph, without noise."""
    P = parameters(model)
    A = adjacency(MARKET.train).toarray().astype(np.float64)
    nodes = np.concatenate([P["users"], P["items"]])
    final = taken = (nodes + A @ nodes + A @ A @ nodes) / 3
    hypergraphs = []
    for m, features in enumerate(content.values()):
        rows = features.matrix / np.linalg.norm(features.matrix[features.present], axis=1).mean()
        mapped, logits = np.split(rows @ P[f"views.{m}.mapping.weight"].T, [6], axis=1)
        users = R @ mapped / R.sum(axis=1, keepdims=True).clip(min=1)
        final = final + length_one(A @ A @ np.concatenate([users, mapped]))
        item_ties = softmax(logits / 0.2) * features.present[:, None]
        user_ties = softmax(R @ logits / 0.2) * (R @ features.present > 0)[:, None]
        edges = item_ties.T @ (item_ties @ item_ties.T @ taken[N_USERS:])
        hypergraphs.append(np.concatenate([user_ties @ edges, item_ties @ edges]))
    return final + 0.3 * length_one(sum(hypergraphs)), hypergraphs


@pytest.mark.parametrize("content", [ONE, MISSING, THREE], ids=["one", "missing", "three"])
def test_factors_by_hand(content: Content) -> None:
    model = network(content).eval()
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, by_hand(model, content)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("content", [ONE, MARKET.content, THREE], ids=["one", "two", "three"])
def test_loss_by_hand(content: Content) -> None:
    model = network(content, noise=0.0, dropout=0.0, contrast_weight=0.7, norm_weight=0.1)
    final, hypergraphs = by_hand(model, content)
    users, positives, negatives = (np.array(part) for part in BATCH)
    u, p, n = final[users], final[N_USERS + positives], final[N_USERS + negatives]
    loss = np.log1p(np.exp(-(u * (p - n)).sum(axis=1))).mean()
    loss += 0.1 * sum(np.linalg.norm(part) for part in (u, p, n)) / 5
    for one, other in combinations(map(length_one, hypergraphs), 2):
        for rows, everyone in ((users, slice(0, N_USERS)), (N_USERS + positives, slice(N_USERS, None))):
            for row in rows:
                to = np.exp(other[everyone] @ one[row] / 0.2)
                loss -= 0.7 * (one[row] @ other[row] / 0.2 - np.log(to.sum()))
    found = model.loss(tuple(torch.tensor(part) for part in BATCH))
    np.testing.assert_allclose(found.item(), loss, rtol=1e-4)


def test_ties_are_noisy_in_training_alone() -> None:
    for params in ({"noise": 1.0, "dropout": 0.0}, {"noise": 0.0, "dropout": 0.5}):
        model = network(MARKET.content, **params)
        assert not torch.equal(model.factors()[1], model.factors()[1])
        model.eval()
        assert torch.equal(model.factors()[1], model.factors()[1])


def test_without_content_it_is_lightgcn() -> None:
    lgmrec = LGMRec.from_params(**PARAMS, norm_weight=0.0)
    lightgcn = LightGCN.from_params(**PARAMS, l2=0.0)
    for model in (lgmrec, lightgcn):
        model.fit(TrainingData(MARKET.train, seed=4))
    np.testing.assert_allclose(lgmrec.score(ALL_USERS), lightgcn.score(ALL_USERS), rtol=1e-4, atol=1e-5)


def test_a_cold_item_is_its_attributes_alone_and_a_cold_user_is_nothing() -> None:
    content = MISSING
    users, items = network(content).eval().factors()
    has_any = np.any([features.present for features in content.values()], axis=0)
    norms = items[COLD_ITEMS].norm(dim=1).detach().numpy()
    np.testing.assert_allclose(norms, 0.3 * has_any[COLD_ITEMS], rtol=1e-5)
    assert not has_any[COLD_ITEMS].all()
    assert not users[COLD_USER].any()


def test_the_embeddings_of_cold_items_get_no_gradient() -> None:
    model = network(MARKET.content, contrast_weight=1.0)
    model.loss(tuple(torch.tensor(part) for part in BATCH)).backward()
    assert model.items.grad is not None
    assert not model.items.grad[COLD_ITEMS].any()


def test_ties_of_which_dropout_leaves_next_to_none_have_finite_gradients() -> None:
    for seed in range(40):
        with seeded_region(seed):
            config = LGMRecConfig(n_factors=16, contrast_weight=1.0)
            model = LGMRecNetwork(TrainingData(MARKET.train, MARKET.content, seed), config).train()
            with torch.no_grad():
                for view in model.views:
                    view.mapping.weight[16:] *= 100
            model.loss(next(model.batches(np.random.default_rng(seed)))).backward()
        for part in model.parameters():
            assert part.grad is not None
            assert part.grad.abs().max() < 1e6  # not NaN either


def test_ties_that_are_next_to_nothing_learn_where_dropout_hides_the_others() -> None:
    """As in the published code, whose vectors are divided by 1e-12 or by their length, whichever is larger."""
    model = network(ONE).eval()
    local, content, ties, edges = (part.detach() for part in model._parts())
    small = (1e-14 * ties).requires_grad_()
    vectors = model._final(local, content, small, edges)
    torch.testing.assert_close(vectors, model._final(local, content, 0 * ties, edges) + 0.3 * 1e-2 * ties @ edges)
    (gradient,) = torch.autograd.grad(vectors[0].sum(), small)
    torch.testing.assert_close(gradient[0], 0.3e12 * edges.sum(dim=1))


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).views) == 1
