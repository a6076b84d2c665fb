from typing import Any

import numpy as np
import pytest
from scipy import sparse

from recsys.content.arms import Arm
from recsys.content.features import Content, Features
from recsys.errors import UserError
from recsys.models.multimodal import mmgf
from recsys.models.multimodal.mmgf import MMGF, MMGFConfig
from recsys.recommender import DataSize, TrainingData
from recsys.testing.contract import MARKET, POPULARITY, ModelContract
from recsys.testing.market import COLD_ITEMS, N_ITEMS, with_missing

ONE = {"text": MARKET.content["text"]}
FILTERS = ["linear", "quadratic", "cubic"]


class TestMMGF(ModelContract):
    model = MMGF
    reference = 0.6283


class TestPolynomials(ModelContract):
    model = MMGF
    params = {"item_filter": "quadratic", "content_filter": "cubic", "power": 1.0}
    reference = 0.6312


def weights(content: Content, **params: Any) -> np.ndarray:
    model = MMGF.from_params(**params)
    model.fit(TrainingData(MARKET.train, content))
    assert isinstance(model.weights, np.ndarray)
    return model.weights


def normalised(rows: np.ndarray, alpha: float) -> np.ndarray:
    found = np.zeros(rows.shape)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value:
                found[i, j] = value / row.sum() ** alpha / rows[:, j].sum() ** (1 - alpha)
    return found


def polynomial(P: np.ndarray, name: str) -> np.ndarray:
    if name == "linear":
        return P
    P = P / np.linalg.eigvalsh(P)[-1]
    if name == "quadratic":
        return 2 * P - P @ P
    return P + 0.01 * (-P @ P @ P + 10 * P @ P - 29 * P)


def by_hand(content: Content, config: MMGFConfig) -> np.ndarray:
    """The sum of the filters, written out."""
    R = normalised(MARKET.train.toarray(), config.alpha)
    total = polynomial((R.T @ R) ** config.power, config.item_filter)
    spread = total.std()
    shares = {"text": 0.9, "image": 0.1} if len(content) == 2 else dict.fromkeys(content, 1 / max(len(content), 1))
    for name, share in shares.items():
        features = content[name]
        has = np.flatnonzero(features.present)
        low, middle, high = np.percentile(features.matrix[has], [25, 50, 75], axis=0)
        rows = (features.matrix[has] - middle) / (high - low)
        F = normalised(rows - rows.min(), config.alpha)
        graph = polynomial((F @ F.T) ** config.power, config.content_filter)
        graph = graph - graph.mean()
        scale = spread / graph.std() if config.content_scale == "equal" else 1
        total[np.ix_(has, has)] += config.content_weight * share * scale * graph
    return total


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("scale", ["equal", "raw"])
@pytest.mark.parametrize(
    "content",
    [{}, ONE, with_missing(MARKET.content), MARKET.content | {"audio": MARKET.audio}],
    ids=["none", "one", "missing", "three"],
)
def test_weights_by_hand(content: Content, scale: str, name: str) -> None:
    params: dict[str, Any] = {"alpha": 0.7, "power": 0.8, "content_weight": 0.6, "content_scale": scale}
    params |= {"item_filter": name, "content_filter": name}
    expected = by_hand(content, MMGFConfig(**params))
    np.testing.assert_allclose(weights(content, **params), expected, atol=2e-4 * np.abs(expected).max())


def test_half_of_each_degree_is_the_linear_filter_of_gfcf() -> None:
    X = MARKET.train.toarray()
    users, items = np.maximum(X.sum(axis=1), 1) ** -0.5, np.maximum(X.sum(axis=0), 1) ** -0.5
    R = users[:, None] * X * items
    np.testing.assert_allclose(weights({}, alpha=0.5, power=1.0), R.T @ R, atol=1e-6)


def test_scales_of_features_count_for_nothing() -> None:
    louder = {"text": Features(ONE["text"].matrix * np.float32(1000), ONE["text"].present)}
    np.testing.assert_allclose(weights(louder), weights(ONE), atol=1e-4)


def test_a_cold_item_is_its_content_alone_and_zero_without() -> None:
    assert not weights({})[:, COLD_ITEMS].any()
    content = with_missing(MARKET.content)
    has_any = np.any([features.present for features in content.values()], axis=0)
    assert weights(content)[:, COLD_ITEMS].any(axis=0).tolist() == has_any[COLD_ITEMS].tolist()


def test_content_that_tells_no_items_apart_or_weighs_nothing_is_not_used() -> None:
    constant = Arm("constant", ("text",), "constant", ("text",)).show(ONE, 0, POPULARITY)
    for content, weight in ((constant, 0.3), (ONE, 0.0)):
        model = MMGF.from_params(content_weight=weight)
        model.fit(TrainingData(MARKET.train, content))
        assert not model.content_used
        np.testing.assert_array_equal(model.weights, weights({}))


def test_where_everybody_took_everything_the_graph_has_no_spread() -> None:
    for n in range(2, 12):
        model = MMGF.from_params()
        model.fit(TrainingData(sparse.csr_array(np.ones((n + 1, n), dtype=np.float32))))
        assert np.isfinite(model.weights).all()


def test_too_many_items_are_refused_in_a_line() -> None:
    train = sparse.csr_array(np.zeros((3, mmgf.MOST_ITEMS + 1), dtype=np.float32))
    with pytest.raises(UserError, match=r"^MMGF .* 25,000 items at most, here are 25,001: ") as error:
        MMGF().fit(TrainingData(train))
    assert "\n" not in str(error.value)


def test_memory_is_that_of_the_dense_matrices_at_the_peak() -> None:
    size = DataSize(100, 10_000, 1000, width=10)
    linear, cubic = (MMGF.memory(MMGFConfig(content_filter=name), size) for name in ("linear", "cubic"))
    assert cubic - linear == 2 * 4 * size.n_items**2
    alone = MMGF.memory(MMGFConfig(content_filter="cubic"), DataSize(100, 10_000, 1000))
    assert 4 * size.n_items**2 < alone < 4.5 * size.n_items**2  # the graph itself, without a copy


def test_the_largest_eigenvalue() -> None:
    graph = mmgf.interaction_graph(MARKET.train, 0.5, 0.5)
    assert mmgf.largest_eigenvalue(graph) == pytest.approx(np.linalg.eigvalsh(graph)[-1], rel=1e-4)
    assert mmgf.largest_eigenvalue(np.zeros((N_ITEMS, N_ITEMS), np.float32)) == 1
