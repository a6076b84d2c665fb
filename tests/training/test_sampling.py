import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import chisquare

from recsys.errors import UserError
from recsys.training.sampling import PairSampler, UserSampler


def market(seed: int, n_users: int, n_items: int, density: float) -> sparse.csr_array:
    touched = np.random.default_rng(seed).random((n_users, n_items)) < density
    touched[0, : n_items // 2] = True
    touched[0, n_items // 2 :] = False
    touched[-1, -1] = True  # so that user 0 has a negative
    return sparse.csr_array(touched.astype(np.float32))


markets = st.builds(
    market, st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 12), st.sampled_from([0.1, 0.5, 0.9])
)


@settings(max_examples=60)
@given(markets, st.integers(1, 9))
def test_an_epoch_holds_every_pair_once_and_no_positive_as_negative(train: sparse.csr_array, batch_size: int) -> None:
    sampler = PairSampler(train, batch_size)
    batches = list(sampler.epoch(np.random.default_rng(0)))
    users, positives, negatives = (np.concatenate(part) for part in zip(*batches, strict=True))
    dense = train.toarray() > 0
    assert not dense[users, negatives].any()
    assert dense.any(axis=0)[negatives].all()
    catalogue_size = dense.any(axis=0).sum()
    usable = dense & (dense.sum(axis=1) < catalogue_size)[:, None]
    assert sorted(zip(users, positives, strict=True)) == sorted(zip(*np.nonzero(usable), strict=True))
    assert len(batches) == len(sampler)
    assert all(len(batch[0]) == batch_size for batch in batches[:-1])


def test_negatives_are_uniform_over_unseen_training_items() -> None:
    train = np.zeros((3, 12), dtype=np.float32)
    train[0, [0, 1, 5, 9]] = 1
    train[1, [2, 3, 4, 6, 9]] = 1
    train[2, [0, 10]] = 1  # items 7, 8 and 11 stand in no training pair
    sampler = PairSampler(sparse.csr_array(train), 4)
    drawn = sampler.negatives(np.zeros(30_000, dtype=np.int64), np.random.default_rng(5))
    items, counts = np.unique(drawn, return_counts=True)
    assert items.tolist() == [2, 3, 4, 6, 10]
    assert chisquare(counts).pvalue > 0.001


def test_order_and_negatives_follow_the_generator() -> None:
    sampler = PairSampler(market(1, 8, 9, 0.3), 5)
    one, two, other = (list(sampler.epoch(np.random.default_rng(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0], two[0])
    assert not np.array_equal(one[0], other[0])


def test_unsorted_and_repeated_entries_are_understood() -> None:
    train = sparse.csr_array((np.ones(4, dtype=np.float32), np.array([3, 0, 0, 1]), np.array([0, 3, 4])), shape=(2, 4))
    negatives = PairSampler(train, 2).negatives(np.zeros(50, dtype=np.int64), np.random.default_rng(0))
    assert set(negatives) == {1}


@pytest.mark.parametrize("train", [np.ones((2, 3)), np.zeros((2, 3))])
def test_nothing_to_learn_from_is_one_line(train: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"training data with \d interactions: no user leaves an item untouched"):
        PairSampler(sparse.csr_array(train.astype(np.float32)), 2)


@settings(max_examples=30)
@given(markets, st.integers(1, 9))
def test_a_batch_by_users_holds_each_once_with_one_of_their_items(train: sparse.csr_array, batch_size: int) -> None:
    sampler, dense = UserSampler(train, batch_size), train.toarray() > 0
    batches = list(sampler.epoch(np.random.default_rng(0)))
    assert len(batches) == len(PairSampler(train, batch_size))
    for users, positives, negatives in batches:
        assert len(set(users)) == len(users) <= batch_size
        assert dense[users, positives].all()
        assert not dense[users, negatives].any()


def test_each_item_of_a_user_is_drawn_as_often() -> None:
    train = np.zeros((2, 6), dtype=np.float32)
    train[0, :4], train[1, 4:] = 1, 1
    sampler, rng = UserSampler(sparse.csr_array(train), 1), np.random.default_rng(3)
    drawn = [(u[0], p[0]) for _ in range(1000) for u, p, _ in sampler.epoch(rng)]
    counts = np.bincount([item for user, item in drawn if user == 0], minlength=4)
    assert chisquare(counts).pvalue > 0.001
