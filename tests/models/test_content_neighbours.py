import numpy as np
import pytest
from scipy import sparse

from recsys.content.arms import Arm
from recsys.content.features import Content, Features
from recsys.models.multimodal import hybriditemknn
from recsys.models.multimodal._vectors import centred, directions, user_means
from recsys.models.multimodal.attributeitemknn import AttributeItemKNN
from recsys.models.multimodal.attributeuserknn import AttributeUserKNN
from recsys.models.multimodal.hybriditemknn import HybridItemKNN, agreement, content_neighbours
from recsys.models.neighbours.itemknn import ItemKNN
from recsys.models.neighbours.userknn import UserKNN
from recsys.models.scoring import ItemWeightsModel, UserWeightsModel
from recsys.recommender import TrainingData
from recsys.testing import market
from recsys.testing.contract import POPULARITY, ModelContract

KNN = {"n_neighbours": 10, "shrink": 1.0}
MARKET = market.planted_market()
NOBODY = sparse.csr_array((1, 4), dtype=np.float32)
"""No interaction agrees with any source, which then count alike."""


class TestAttributeItemKNN(ModelContract):
    model = AttributeItemKNN
    params = KNN
    reference = 0.6536


class TestAttributeUserKNN(ModelContract):
    model = AttributeUserKNN
    params = KNN
    reference = 0.6877


class TestHybridItemKNN(ModelContract):
    model = HybridItemKNN
    params = KNN | {"content_weight": 0.5, "n_content_neighbours": 5}
    reference = 0.6608


def weights(model: type[ItemWeightsModel], content: Content, **params: object) -> np.ndarray:
    fitted = model.from_params(**KNN, **params)
    fitted.fit(TrainingData(MARKET.train, content))
    assert isinstance(fitted.weights, sparse.csr_array)
    return fitted.weights.toarray()


def neighbours(model: type[UserWeightsModel], content: Content, **params: object) -> np.ndarray:
    fitted = model.from_params(**KNN, **params)
    fitted.fit(TrainingData(MARKET.train, content))
    return fitted.neighbours.toarray()


def shown(control: str) -> Content:
    return Arm("control", tuple(MARKET.content), control, tuple(MARKET.content)).show(MARKET.content, 0, POPULARITY)  # type: ignore[arg-type]


def features(rows: list[list[float]], present: list[bool] | None = None) -> Features:
    matrix = np.array(rows, dtype=np.float32)
    return Features(matrix, np.array(present) if present else np.ones(len(matrix), dtype=bool))


@pytest.mark.parametrize("weighting", ["none", "tfidf", "bm25"])
def test_without_content_both_are_itemknn(weighting: str) -> None:
    plain = weights(ItemKNN, {}, weighting=weighting)
    np.testing.assert_array_equal(weights(AttributeItemKNN, {}, weighting=weighting), plain)
    np.testing.assert_array_equal(weights(HybridItemKNN, {}, weighting=weighting, content_weight=0.5), plain)


@pytest.mark.parametrize("weighting", ["none", "tfidf", "bm25"])
def test_without_content_users_are_those_of_userknn(weighting: str) -> None:
    plain = neighbours(UserKNN, {}, weighting=weighting)
    np.testing.assert_array_equal(neighbours(AttributeUserKNN, {}, weighting=weighting), plain)
    np.testing.assert_array_equal(neighbours(AttributeUserKNN, shown("constant"), weighting=weighting), plain)


def test_weight_zero_is_itemknn_and_says_so() -> None:
    np.testing.assert_array_equal(weights(HybridItemKNN, MARKET.content, content_weight=0.0), weights(ItemKNN, {}))
    assert not HybridItemKNN.from_params(content_weight=0.0).content_used
    assert HybridItemKNN.from_params(content_weight=0.05).content_used


def test_constant_content_makes_no_neighbours() -> None:
    assert content_neighbours(shown("constant"), MARKET.train, 5).nnz == 0
    np.testing.assert_array_equal(weights(AttributeItemKNN, shown("constant")), weights(ItemKNN, {}))
    hybrid = weights(HybridItemKNN, shown("constant"), content_weight=0.5)
    np.testing.assert_array_equal(hybrid, weights(ItemKNN, {}))


def test_weight_one_is_content_alone() -> None:
    found = weights(HybridItemKNN, MARKET.content, content_weight=1.0, n_content_neighbours=5)
    alike = content_neighbours(MARKET.content, MARKET.train, 5).toarray().T
    np.testing.assert_array_equal(found > 0, alike > 0)
    np.testing.assert_allclose(found.sum(), weights(ItemKNN, {}).sum(), rtol=1e-5)


def test_content_similarity_is_the_mean_over_shared_sources() -> None:
    # By image 0 and 1 point one way; by text, which item 1 lacks, 0 and 2 do.
    image = features([[1, 0], [1, 0], [-1, 0], [-1, 0]])
    text = features([[0, 2], [0, 0], [0, 2], [0, -4]], [True, False, True, True])
    found = content_neighbours({"image": image, "text": text}, NOBODY, 3).toarray()
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 1  # image alone: item 1 has no text
    # Items 0 and 2: image -1, text 1: nothing. Items 2 and 3: image 1, text -1: nothing.
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_absent_items_have_no_content_neighbours() -> None:
    rows = np.random.default_rng(0).standard_normal((6, 3)).tolist()
    rows[2] = [0, 0, 0]
    found = content_neighbours({"text": features(rows, [True, True, False, True, True, True])}, NOBODY, 5).toarray()
    assert not found[2].any() and not found[:, 2].any()
    assert found.any()


def test_different_descriptions_are_different_items() -> None:
    # Items 0 and 1 share a keyword, item 2 has another; nobody has taken any of them.
    attributes = features([[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    model = AttributeItemKNN.from_params(shrink=0)
    model.fit(TrainingData(sparse.csr_array((2, 3), dtype=np.float32), {"descriptions": attributes}))
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = 1 / np.sqrt(2)
    np.testing.assert_allclose(model.weights.toarray(), expected, rtol=1e-4)


def test_embeddings_of_any_scale_weigh_the_same() -> None:
    larger = {name: Features(shown.matrix * 40, shown.present) for name, shown in MARKET.content.items()}
    np.testing.assert_allclose(weights(AttributeItemKNN, larger), weights(AttributeItemKNN, MARKET.content), rtol=1e-3)


def test_directions_are_of_length_one_or_none() -> None:
    content = features([[5, 1], [5, 3], [5, 2], [0, 0]], [True, True, True, False])
    np.testing.assert_allclose(centred(content), [[0, -1], [0, 1], [0, 0], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(directions(content), [[0, -1], [0, 1], [0, 0], [0, 0]], atol=1e-6)


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = content_neighbours(MARKET.content, MARKET.train, 5).toarray()
    monkeypatch.setattr(hybriditemknn, "BLOCK_ENTRIES", market.N_ITEMS * 7)
    np.testing.assert_allclose(content_neighbours(MARKET.content, MARKET.train, 5).toarray(), whole, rtol=1e-5)


def test_agreement_is_the_gain_in_mean_cosine() -> None:
    # Users: {0, 1}, {0, 1}, {2}; items 0 and 1 have cosine 1, every other pair 0: a mean of 2/6 over ordered pairs.
    train = sparse.csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=np.float32))
    right = sparse.csr_array(np.array([[0, 0.4, 0], [0.4, 0, 0], [0, 0, 0]], dtype=np.float32))
    wrong = sparse.csr_array(np.array([[0, 0, 0.4], [0, 0, 0], [0.4, 0, 0]], dtype=np.float32))
    assert agreement(right, train) == pytest.approx(1 - 1 / 3)
    assert agreement(wrong, train) == 0
    assert agreement(sparse.csr_array((3, 3), dtype=np.float32), train) == 0


def test_a_shuffled_source_hardly_dilutes_an_honest_one() -> None:
    source = next(iter(MARKET.content))
    honest = {source: MARKET.content[source]}
    noisy = Arm("x", (source,), "shuffled").show(honest, 0, POPULARITY)[source]
    alone = content_neighbours(honest, MARKET.train, 5)
    together = content_neighbours(honest | {"noise": noisy}, MARKET.train, 5)
    shared = float((alone > 0).multiply(together > 0).sum()) / alone.nnz
    assert shared > 0.6


def test_profiles_are_means_over_described_items() -> None:
    # User 0 took the items 0, 1 and 3, of which the last has no content; user 1 took that one alone.
    train = sparse.csr_array(np.array([[1, 1, 0, 1], [0, 0, 0, 1]], dtype=np.float32))
    rows = np.array([[4, 0], [2, 2], [9, 9], [0, 0]], dtype=np.float32)
    present = np.array([True, True, True, False])
    np.testing.assert_allclose(user_means(train, rows, present), [[3, 1], [0, 0]])
    np.testing.assert_allclose(user_means(train, sparse.csr_array(rows), present).toarray(), [[3, 1], [0, 0]])


def test_users_are_compared_by_items_and_profiles() -> None:
    # Users {0, 1}, {2}, {1}; items 0 and 2 have keyword A, item 1 keyword B; and vectors along one axis.
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=np.float32))
    keywords = features([[1, 0], [0, 1], [1, 0]])
    vectors = features([[3.0], [0.0], [3.0]])  # centred: 1, -2, 1; profiles -1/2, 1, -2, of mean length 7/6
    model = AttributeUserKNN.from_params(shrink=0, content_weight=2.0)
    model.fit(TrainingData(train, {"keywords": keywords, "vectors": vectors}))
    lengths = np.array([-1 / 2, 1, -2]) / (7 / 6)
    rows = np.array(
        [[1, 1, 0, 1, 1, 2 * lengths[0]], [0, 0, 1, 2, 0, 2 * lengths[1]], [0, 1, 0, 0, 2, 2 * lengths[2]]]
    )
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = np.maximum(unit @ unit.T, 0) * (1 - np.eye(3))
    np.testing.assert_allclose(model.neighbours.toarray(), expected, rtol=1e-4, atol=1e-6)


def test_users_of_unlike_items_described_alike_are_near() -> None:
    # Nobody shares an item with anybody; the keywords of users 0 and 1 agree.
    train = sparse.csr_array(np.eye(3, dtype=np.float32))
    model = AttributeUserKNN.from_params(shrink=0)
    model.fit(TrainingData(train, {"keywords": features([[1, 0], [1, 0], [0, 1]])}))
    np.testing.assert_allclose(model.score(np.array([0])), [[0, 1 / 2, 0]], rtol=1e-4)
