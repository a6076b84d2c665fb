import math

import numpy as np
import pytest

from recsys.content.arms import Arm
from recsys.content.features import Content, Features
from recsys.models.linear.ease import EASE
from recsys.models.multimodal._vectors import scaled, side_by_side
from recsys.models.multimodal.addease import AddEASE, content_weights
from recsys.models.multimodal.cease import CEASE
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import TrainingData
from recsys.testing import market
from recsys.testing.contract import POPULARITY, ModelContract

MARKET = market.planted_market()
L2 = {"l2": 10.0}
BOTH = pytest.mark.parametrize("model", [CEASE, AddEASE])


class TestCEASE(ModelContract):
    model = CEASE
    params = L2
    reference = 0.6334


class TestAddEASE(ModelContract):
    model = AddEASE
    params = L2
    reference = 0.6304


def weights(model: type[ItemWeightsModel], content: Content, **params: float) -> np.ndarray:
    fitted = model.from_params(**(L2 | params))
    fitted.fit(TrainingData(MARKET.train, content))
    assert isinstance(fitted.weights, np.ndarray)
    return fitted.weights


def regressions(columns: np.ndarray, l2: float) -> np.ndarray:
    """Each column from all others, one linear system a column."""
    n = columns.shape[1]
    found = np.zeros((n, n))
    for item in range(n):
        others = np.delete(np.arange(n), item)
        A = columns[:, others]
        found[others, item] = np.linalg.solve(A.T @ A + l2 * np.eye(n - 1), A.T @ columns[:, item])
    return found


def vectors(content: Content) -> np.ndarray:
    """Content as the models mean it, written out: centred over present items, mean length 1, sources alike."""
    blocks = []
    for features in content.values():
        block = np.zeros(features.matrix.shape)
        known = features.matrix[features.present].astype(np.float64)
        known -= known.mean(axis=0)
        block[features.present] = known / np.mean([math.hypot(*row) for row in known])
        blocks.append(block / math.sqrt(len(content)))
    return np.hstack(blocks)


@pytest.mark.parametrize("content", [MARKET.content, market.with_missing(MARKET.content)], ids=["whole", "holes"])
def test_cease_is_ease_on_users_and_content_stacked(content: Content) -> None:
    stacked = np.vstack([MARKET.train.toarray(), math.sqrt(7.0) * vectors(content).T])
    found = weights(CEASE, content, content_weight=7.0)
    np.testing.assert_allclose(found, regressions(stacked, L2["l2"]), atol=1e-6)


@pytest.mark.parametrize("content", [MARKET.content, market.with_missing(MARKET.content)], ids=["whole", "holes"])
def test_add_ease_mixes_two_regressions(content: Content) -> None:
    users, items = regressions(MARKET.train.toarray(), L2["l2"]), regressions(vectors(content).T, 0.5)
    found = weights(AddEASE, content, content_weight=0.3, content_l2=0.5)
    np.testing.assert_allclose(found, 0.7 * users + 0.3 * items, atol=1e-6)


def test_content_weights_hold_where_there_are_more_columns_than_items() -> None:
    wide = np.random.default_rng(0).standard_normal((12, 40)).astype(np.float32)
    np.testing.assert_allclose(content_weights(wide, 0.01), regressions(wide.T, 0.01), atol=1e-6)


@BOTH
def test_without_content_both_are_ease(model: type[ItemWeightsModel]) -> None:
    np.testing.assert_array_equal(weights(model, {}), weights(EASE, {}))


def test_constant_content_says_nothing() -> None:
    constant = Arm("constant", tuple(MARKET.content), "constant").show(MARKET.content, 0, POPULARITY)
    plain = weights(EASE, {})
    np.testing.assert_array_equal(weights(CEASE, constant), plain)
    np.testing.assert_array_equal(weights(AddEASE, constant, content_weight=0.2), plain)


def test_weight_zero_is_ease_and_says_so() -> None:
    np.testing.assert_array_equal(weights(AddEASE, MARKET.content, content_weight=0.0), weights(EASE, {}))
    assert not AddEASE.from_params(content_weight=0.0).content_used
    assert AddEASE.from_params(content_weight=0.05).content_used


@BOTH
def test_neither_width_nor_scale_lets_a_source_dominate(model: type[ItemWeightsModel]) -> None:
    text, image = MARKET.content["text"], MARKET.content["image"]
    wider = Features(np.tile(text.matrix * 30, 16), text.present)
    found = weights(model, {"text": wider, "image": image})
    np.testing.assert_allclose(found, weights(model, MARKET.content), atol=1e-5)


def test_an_item_s_parts_are_alike_and_absent_items_have_none() -> None:
    holes = market.with_missing(MARKET.content)
    rows = side_by_side(holes)
    width = holes["text"].dim
    for source, part in (("text", rows[:, :width]), ("image", rows[:, width:])):
        length = np.linalg.norm(part, axis=1)
        assert length[holes[source].present].mean() == pytest.approx(1 / math.sqrt(2), rel=1e-5)
        assert not length[~holes[source].present].any()
    nobody = Features(np.zeros((3, 2), dtype=np.float32), np.zeros(3, dtype=bool))
    assert not scaled(nobody).any()
