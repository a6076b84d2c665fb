import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal.slmrec import SLMRec, SLMRecConfig, SLMRecNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_ITEMS, N_USERS
from recsys.training.graph import adjacency
from recsys.training.randomness import seeded_region
from tests.models.dense import CONSTANT, MISSING, ONE, THREE, length_one, linear, parameters

BATCH = [0, 1, 8, 0, 8], [4, 5, 16, 16, 4], [6, 7, 9, 6, 7]


class TestSLMRec(GradientContract):
    model = SLMRec
    params = {"n_factors": 16, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.514
    tolerance = 0.03


def network(content: Content, **params: float) -> SLMRecNetwork:
    with seeded_region(5):
        return SLMRecNetwork(TrainingData(MARKET.train, content, 5), SLMRecConfig(n_factors=6, **params))


def views_by_hand(model: SLMRecNetwork, content: Content) -> list[np.ndarray]:
    """Three layers of each view, one after the other."""
    P, A = parameters(model), adjacency(MARKET.train).toarray().astype(np.float64)
    tables = [P["items"]]
    for m, features in enumerate(content.values()):
        norms = np.linalg.norm(features.matrix, axis=1, keepdims=True)
        rows = features.matrix / np.where(norms > 0, norms, 1)
        tables.append(linear(P, f"sources.{m}.linear", rows) * features.present[:, None])
    starts = [np.concatenate([P["users"], table]) for table in tables]
    return [(x + A @ x + A @ A @ x + A @ A @ A @ x) / 4 for x in starts]


def in_batch(one: np.ndarray, other: np.ndarray) -> float:
    """Mean of -log softmax of the products at each row's counterpart, repeats included."""
    logits = one @ other.T
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)))


@pytest.mark.parametrize("content", [{}, ONE, MARKET.content, THREE], ids=["none", "one", "two", "three"])
def test_loss_by_hand(content: Content) -> None:
    model = network(content, temperature=0.5, alignment_weight=0.7, alignment_temperature=0.4)
    P, views = parameters(model), views_by_hand(model, content)
    users, items = BATCH[0], N_USERS + np.array(BATCH[1])
    fused = np.concatenate(views, axis=1)
    loss = in_batch(
        length_one(linear(P, "user_map", fused[users])) / 0.5, length_one(linear(P, "item_map", fused[items]))
    )
    anchor = views[0][items]
    for m in range(len(content)):
        anchor = linear(P, f"anchors.{m}.0", anchor)
        if m == 1 and len(content) == 2:
            anchor = linear(P, "anchors.1.1", anchor)
        loss += 0.7 * in_batch(anchor / 0.4, linear(P, f"targets.{m}", views[1 + m][items]))
    found = model.loss(tuple(torch.tensor(part) for part in BATCH))
    np.testing.assert_allclose(found.item(), loss, rtol=1e-5)


def test_the_last_of_several_sources_is_aligned_at_half_the_width() -> None:
    widths = {n: [part.out_features for part in network(content).targets] for n, content in enumerate((ONE, THREE))}
    assert widths == {0: [6], 1: [6, 6, 3]}


def test_factors_by_hand_and_what_nothing_is_known_of_is_zero() -> None:
    content = MISSING
    model = network(content)
    P, fused = parameters(model), np.concatenate(views_by_hand(model, content), axis=1)
    users, items = (part.detach().numpy() for part in model.factors())
    np.testing.assert_allclose(users, linear(P, "user_map", fused[:N_USERS]), rtol=1e-4, atol=1e-6)
    has_any = np.any([features.present for features in content.values()], axis=0)
    unknown = COLD_ITEMS[~has_any[COLD_ITEMS]]
    expected = linear(P, "item_map", fused[N_USERS:])
    expected[unknown] = 0
    assert len(unknown)
    np.testing.assert_allclose(items, expected, rtol=1e-4, atol=1e-6)


def test_without_content_one_view_two_maps_and_the_ranking_are_left() -> None:
    names = {name for name, _ in network({}).named_parameters()}
    maps = {f"{side}_map.{part}" for side in ("user", "item") for part in ("weight", "bias")}
    assert names == {"users", "items"} | maps
    assert network({}).user_map.weight.shape == (6, 6)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used
    assert len(network(CONSTANT | {"image": MARKET.content["image"]}).sources) == 1


def test_adam_decays_all_weights() -> None:
    model = network(ONE)
    (step,) = model.steps()
    assert step.weight_decay == 1e-4
    assert len(step.parameters) == len(list(model.parameters()))
