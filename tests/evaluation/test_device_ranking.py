import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from recsys.errors import UserError
from recsys.evaluation import device_ranking
from recsys.evaluation.device_ranking import top_k
from recsys.evaluation.ranking import Ranking, rank
from recsys.models.scoring import FactorModel
from recsys.recommender import TrainingData


class Factors(FactorModel):
    source = "this test"

    def fit(self, data: TrainingData) -> None:
        pass


def ranked(device: str | None, candidates: bool, users: np.ndarray) -> Ranking:
    """Lists of a model of small integers, so that many scores are equal; by tables on `device` or through numpy."""
    rng, model = np.random.default_rng(6), Factors()
    model.user_factors = rng.integers(-1, 2, (30, 3)).astype(np.float32)
    model.item_factors = rng.integers(-1, 2, (50, 3)).astype(np.float32)
    seen, allowed = (sparse.csr_array((rng.random((30, 50)) < share).astype(np.float32)) for share in (0.2, 0.3))
    if device:
        users_there, items_there = (torch.from_numpy(t).to(device) for t in (model.user_factors, model.item_factors))
        model.device_factors = users_there, items_there
    return rank(model, users, seen, 12, allowed if candidates else None)


@pytest.mark.parametrize("candidates", [False, True])
@pytest.mark.parametrize("block", [7, 1024])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_lists_are_those_that_numpy_ranks(
    monkeypatch: pytest.MonkeyPatch, device: str, block: int, candidates: bool
) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    monkeypatch.setattr(device_ranking, "BLOCK", block)
    users = np.array([3, 0, *range(10, 30)], dtype=np.int32)
    there, here = ranked(device, candidates, users), ranked(None, candidates, users)
    np.testing.assert_array_equal(there.users, here.users)
    np.testing.assert_array_equal(there.items, here.items)
    np.testing.assert_array_equal(there.scores, here.scores)
    assert (there.items.dtype, there.scores.dtype) == (here.items.dtype, here.scores.dtype)
    assert (here.items == -1).any() == candidates


@settings(max_examples=50)
@given(
    values=arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 20)), elements=st.integers(-2, 2)),
    k=st.integers(1, 12),
)
def test_equal_scores_stand_in_item_order(values: np.ndarray, k: int) -> None:
    k = min(k, values.shape[1])
    columns, best = top_k(torch.from_numpy(values), k)
    expected = np.argsort(-values, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(columns.numpy(), expected)
    np.testing.assert_array_equal(best.numpy(), np.take_along_axis(values, expected, axis=1))


def test_a_model_whose_factors_are_on_the_device_scores_by_them() -> None:
    model = Factors()
    model.device_factors = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    np.testing.assert_array_equal(model.score(np.array([1], dtype=np.int32)), [[8, 12]])


@pytest.mark.parametrize("score", [torch.nan, torch.inf, -torch.inf])
def test_scores_that_are_not_finite_are_refused_even_of_an_item_that_is_masked(score: float) -> None:
    model, seen = Factors(), sparse.csr_array(np.float32([[0, 1, 0]]))
    model.device_factors = torch.ones(1, 1), torch.tensor([[0.1], [score], [0.5]])
    with pytest.raises(UserError, match=r"^Factors gave scores that are NaN or infinite: "):
        rank(model, np.array([0]), seen, k=2)
