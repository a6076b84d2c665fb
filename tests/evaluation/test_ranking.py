import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from recsys.arrays import top_k
from recsys.errors import UserError
from recsys.evaluation.candidates import sample_candidates
from recsys.evaluation.ranking import Ranking, rank, same_lists
from recsys.models.baselines.random import Random
from recsys.models.scoring import FactorModel
from recsys.recommender import TrainingData
from recsys.training.network import TrainedConfig


class Table(FactorModel):
    """Scores as they are given: the users' factors, with the items' the identity."""

    source = "none"

    def __init__(self, scores: np.ndarray) -> None:
        super().__init__()
        self.user_factors = scores.astype(np.float32)
        self.item_factors = np.eye(scores.shape[1], dtype=np.float32)

    def fit(self, data: TrainingData) -> None:
        pass

    def doubled(self) -> "Table":
        self.item_factors *= 2
        return self


def csr(rows: list[list[int]]) -> sparse.csr_array:
    return sparse.csr_array(np.array(rows, dtype=np.float32))


def test_ranks_by_hand() -> None:
    model = Table(np.array([[0.1, 0.9, 0.5, 0.7], [0.4, 0.3, 0.2, 0.1]]))
    lists = rank(model, np.array([1, 0], dtype=np.int32), csr([[0, 1, 0, 0], [1, 1, 1, 0]]), k=3)
    np.testing.assert_array_equal(lists.users, [1, 0])
    np.testing.assert_array_equal(lists.items, [[3, -1, -1], [3, 2, 0]])
    np.testing.assert_allclose(lists.scores, [[0.1, -np.inf, -np.inf], [0.7, 0.5, 0.1]])


def test_candidates_restrict_the_lists() -> None:
    model = Table(np.array([[0.1, 0.9, 0.5, 0.7]]))
    lists = rank(model, np.array([0]), csr([[0, 0, 1, 0]]), k=3, candidates=csr([[1, 0, 1, 1]]))
    np.testing.assert_array_equal(lists.items, [[3, 0, -1]])


def test_dropped_items_make_room() -> None:
    items = np.array([[3, 1, 0], [2, 0, -1]], dtype=np.int32)
    scores = np.array([[0.9, 0.5, 0.1], [0.7, 0.2, -np.inf]], dtype=np.float32)
    # Users 2 and 0; user 0 loses item 2, user 2 loses items 1 and 2, of which it has one.
    dropped = csr([[0, 0, 1, 0], [1, 1, 1, 1], [0, 1, 1, 0]])
    lists = Ranking(np.array([2, 0]), items, scores).without(dropped)
    np.testing.assert_array_equal(lists.items, [[3, 0, -1], [0, -1, -1]])
    np.testing.assert_array_equal(lists.scores, np.float32([[0.9, 0.1, -np.inf], [0.2, -np.inf, -np.inf]]))


def test_lists_without_validation_items_are_those_that_mask_them() -> None:
    rng = np.random.default_rng(0)
    model, users = Table(rng.random((6, 30))), np.arange(6)
    train, valid = (sparse.csr_array((rng.random((6, 30)) < 0.1).astype(np.float32)) for _ in range(2))
    seen = rank(model, users, train, k=20).without(valid)
    expected = rank(model, users, train + valid, k=10)
    np.testing.assert_array_equal(seen.items[:, :10], expected.items)
    np.testing.assert_array_equal(seen.scores[:, :10], expected.scores)


@settings(max_examples=100)
@given(
    values=arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=st.integers(-2, 2)),
    k=st.integers(1, 12),
    n_groups=st.sampled_from([3, 400]),
    mask=st.integers(0, 2**31),
)
def test_equal_scores_stand_in_item_order(values: np.ndarray, k: int, n_groups: int, mask: int) -> None:
    values[np.random.default_rng(mask).random(values.shape) < 0.2] = -np.inf
    k = min(k, values.shape[1])
    expected = np.argsort(-values, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(values, expected, axis=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.arrays.N_GROUPS", n_groups)
        items, scores = top_k(values, k)
    np.testing.assert_array_equal(items, np.where(best == -np.inf, -1, expected))
    np.testing.assert_array_equal(scores, best)


@settings(max_examples=25)
@given(block=st.integers(1, 40))
def test_the_size_of_blocks_changes_nothing(block: int) -> None:
    model = Random()
    seen = sparse.random_array((30, 50), density=0.2, rng=1, format="csr", dtype=np.float32)
    model.fit(TrainingData(seen))
    users = np.arange(30, dtype=np.int32)
    whole, parts = rank(model, users, seen, 10), rank(model, users, seen, 10, block=block)
    np.testing.assert_array_equal(whole.items, parts.items)


def test_lists_without_some_items_close_up_and_end_in_nothing() -> None:
    users, items = np.array([2, 0], dtype=np.int32), np.array([[4, 1, 3, 0], [1, 2, -1, -1]], dtype=np.int32)
    scores = np.array([[4, 3, 2, 1], [9, 8, -np.inf, -np.inf]], dtype=np.float32)
    whole = Ranking(users, items, scores)
    kept = whole.without(csr([[0, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 1]]))
    np.testing.assert_array_equal(kept.items, [[1, 3, -1, -1], [2, -1, -1, -1]])
    np.testing.assert_array_equal(kept.scores, [[3, 2, -np.inf, -np.inf], [8, -np.inf, -np.inf, -np.inf]])
    assert (kept.items.dtype, kept.scores.dtype) == (np.int32, np.float32)
    np.testing.assert_array_equal(whole.items, [[4, 1, 3, 0], [1, 2, -1, -1]])


@settings(max_examples=60)
@given(
    values=arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(2, 30)), elements=st.integers(-2, 2)),
    seed=st.integers(0, 2**31),
)
def test_dropping_items_from_long_lists_is_masking_them(values: np.ndarray, seed: int) -> None:
    draws = np.random.default_rng(seed).random(values.shape)
    seen, dropped = (sparse.csr_array((among).astype(np.float32)) for among in (draws < 0.2, draws > 0.7))
    users = np.flatnonzero(np.random.default_rng(seed).random(len(values)) < 0.8).astype(np.int32)
    whole = rank(Table(values), users, seen, values.shape[1]).without(dropped)
    masked = rank(Table(values), users, seen + dropped, values.shape[1])
    np.testing.assert_array_equal(whole.items, masked.items)
    np.testing.assert_array_equal(whole.scores, masked.scores)


class Scored(Table):
    """Scores that no product is made of, so that a single one of them can be infinite."""

    def score(self, users: np.ndarray) -> np.ndarray:
        return self.user_factors[users]


class Trained(Scored):
    Config = TrainedConfig


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused_even_of_an_item_that_is_masked(score: float) -> None:
    given = np.array([[0.1, score, 0.5], [np.inf, -np.inf, 1]])
    with pytest.raises(
        UserError, match=r"^Trained gave scores that are NaN or infinite: its training diverged; lower"
    ):
        rank(Trained(given), np.array([0, 1]), csr([[0, 1, 0], [0, 0, 0]]), k=2)
    with pytest.raises(UserError, match=r"^Scored gave scores that are NaN or infinite: what it is computed from is"):
        rank(Scored(given), np.array([0, 1]), csr([[0, 1, 0], [0, 0, 0]]), k=2)


@pytest.mark.filterwarnings("error")
def test_products_that_overflow_are_refused_in_one_line_alone() -> None:
    with pytest.raises(UserError, match=r"^Table gave scores that are NaN or infinite: "):
        rank(Table(np.array([[1e38, 3e38], [1, 2]])).doubled(), np.array([0, 1]), csr([[0, 0], [0, 0]]), k=2)


@pytest.mark.filterwarnings("error")
def test_finite_scores_whose_squares_are_not_are_ranked() -> None:
    lists = rank(Scored(np.array([[2e38, 3e38, 1]])), np.array([0]), csr([[0, 0, 0]]), k=3)
    np.testing.assert_array_equal(lists.items, [[1, 0, 2]])


def test_negatives_are_drawn_once_and_never_touched() -> None:
    rng = np.random.default_rng(0)
    touched = sparse.csr_array((rng.random((50, 200)) < 0.1).astype(np.float32))
    dense = touched.toarray() > 0
    held_out_of = dense & (rng.random(dense.shape) < 0.2)
    held_out_of[3] = False
    truth = sparse.csr_array(held_out_of.astype(np.float32))
    candidates = sample_candidates(truth, touched, n_negatives=99, seed=5)
    negatives = (candidates.toarray() > 0) & (truth.toarray() == 0)
    held_out = np.diff(truth.indptr)
    assert not (negatives & dense).any()
    np.testing.assert_array_equal(negatives.sum(axis=1), np.where(held_out > 0, 99, 0))
    np.testing.assert_array_equal(np.diff(candidates.indptr), np.where(held_out > 0, 99 + held_out, 0))
    assert (sample_candidates(truth, touched, 99, 5) != candidates).nnz == 0
    assert (sample_candidates(truth, touched, 99, 6) != candidates).nnz > 0
    # Every untouched item is as likely as any other.
    share = negatives.sum(axis=0) / (~dense)[held_out > 0].sum(axis=0)
    assert abs(share.mean() - 99 / 180) < 0.02


def test_fewer_untouched_items_than_negatives_asked() -> None:
    candidates = sample_candidates(csr([[1, 0, 0, 0]]), csr([[1, 1, 0, 0]]), n_negatives=9, seed=0)
    np.testing.assert_array_equal(candidates.toarray() > 0, [[True, False, True, True]])


def lists_of(users: list[int], items: list[list[int]]) -> Ranking:
    return Ranking(
        np.array(users, dtype=np.int32), np.array(items, dtype=np.int32), np.zeros((len(items), len(items[0])))
    )


def test_same_lists_by_hand() -> None:
    content = lists_of([0, 1, 2, 3], [[5, 6, 7], [5, 6, 7], [5, 6, 7], [5, 6, -1]])
    without = lists_of([4, 3, 2, 1], [[5, 6, 7], [5, 6, -1], [6, 5, 7], [5, 6, 8]])
    assert same_lists(content, without, 2) == pytest.approx(2 / 3)
    assert same_lists(content, without, 3) == pytest.approx(1 / 3)
    assert same_lists(content, content, 10) == 1.0


def test_lists_of_different_users_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="share no user"):
        same_lists(lists_of([0], [[1]]), lists_of([1], [[1]]), 1)
