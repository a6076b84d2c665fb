"""Leak probes on markets whose truth is known: what is honest, and what was made from interactions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys.content.features import Features
from recsys.evidence.probes import FEWEST_USERS, LeakProbe, probe

N_USERS, N_ITEMS = 400, 300


def market(seed, traits_matter=2.0, n_chosen=14):
    """Binary train, valid and test parts of users who choose by three traits, and each item's traits."""
    rng = np.random.default_rng(seed)
    traits = np.hstack([np.eye(6)[rng.integers(6, size=N_ITEMS)] for _ in range(3)])
    liking = rng.standard_normal((N_USERS, traits.shape[1])) @ traits.T
    utility = traits_matter * liking + 0.7 * rng.standard_normal(N_ITEMS) + rng.gumbel(size=(N_USERS, N_ITEMS))
    chosen = np.argsort(-utility, axis=1)[:, :n_chosen]
    chosen = rng.permuted(chosen, axis=1)
    parts = [_part(chosen[:, columns]) for columns in (slice(4, None), slice(0, 2), slice(2, 4))]
    return parts, traits + 0.1 * rng.standard_normal(traits.shape)


def _part(chosen):
    users = np.repeat(np.arange(N_USERS), chosen.shape[1])
    return sparse.csr_array((np.ones(chosen.size, np.float32), (users, chosen.ravel())), shape=(N_USERS, N_ITEMS))


def features(matrix):
    return Features(np.asarray(matrix, dtype=np.float32), np.ones(len(matrix), dtype=bool))


def factors(interactions, n=32):
    _, values, items = svds(interactions.astype(np.float64), k=n, random_state=0)
    return features(items.T * np.sqrt(values))


@pytest.mark.parametrize("seed", range(5))
def test_content_that_drives_choice_raises_no_alarm(seed):
    parts, traits = market(seed)
    found = probe(features(traits), *parts)
    assert found.auc_test > 0.8
    assert not found.fires


@pytest.mark.parametrize("seed", range(5))
def test_content_that_says_nothing_raises_no_alarm(seed):
    parts, _ = market(seed)
    found = probe(features(np.random.default_rng(seed).standard_normal((N_ITEMS, 32))), *parts)
    assert found.auc_test == pytest.approx(0.5, abs=0.05)
    assert not found.fires


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [np.ones((N_ITEMS, 5)), 1e-15 * np.arange(1, N_ITEMS + 1)[:, None] ** [0, 1, 1]])
@pytest.mark.parametrize("scale", [1, 1e-20])
def test_vectors_that_are_the_same_or_tiny_are_probed_without_dividing_by_zero(rows, scale):
    parts, _ = market(0)
    found = probe(features(scale * rows), *parts)
    assert found is not None and not found.fires


def test_popularity_alone_raises_no_alarm():
    parts, _ = market(0, traits_matter=0.0)
    popularity = np.asarray(parts[0].sum(axis=0)).ravel()
    bins = np.eye(5)[np.argsort(np.argsort(popularity)) * 5 // N_ITEMS]
    assert not probe(features(bins), *parts).fires


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_factors", [32, 128])
def test_vectors_made_from_the_training_part_are_found(seed, n_factors):
    (train, valid, test), _ = market(seed)
    assert probe(factors(train, n_factors), train, valid, test).from_training


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_factors", [32, 128])
def test_vectors_made_from_all_parts_are_found(seed, n_factors):
    parts, _ = market(seed)
    found = probe(factors(sum(parts), n_factors), *parts)
    assert found.saw_test and not found.from_training


def test_a_split_by_time_gives_no_gap_but_leaks_are_found_all_the_same():
    (train, valid, test), _ = market(0)
    found = probe(factors(train), train, valid, test, random_split=False)
    assert found.gap > 0.03 and not found.gap_is_wide
    assert found.from_training


def test_items_without_a_vector_are_left_out():
    (train, valid, test), traits = market(1)
    present = np.arange(N_ITEMS) % 3 > 0
    some = probe(Features.where(present, traits), train, valid, test)
    assert some == probe(features(traits[present]), train[:, present], valid[:, present], test[:, present])


def test_too_few_users_cannot_be_probed():
    parts, traits = market(0)
    few = [part[: FEWEST_USERS - 1] for part in parts]
    assert probe(features(traits), *few) is None


def test_similarity_by_hand():
    """Two kinds of item; each user takes one kind only: every own item is nearer than every other-kind item."""
    kind = np.repeat(np.eye(2), 30, axis=0)
    chosen = np.array([np.random.default_rng(user).permutation(30)[:10] + 30 * (user % 2) for user in range(200)])

    def part(columns):
        rows = np.repeat(np.arange(200), chosen[:, columns].shape[1])
        return sparse.csr_array((np.ones(len(rows)), (rows, chosen[:, columns].ravel())), shape=(200, 60))

    found = probe(features(kind), part(slice(0, 6)), part(slice(6, 8)), part(slice(8, 10)))
    # A negative is of the other kind (won), or one of 20 untouched items of the own kind (tied): (30 + 20 / 2) / 50.
    assert found.auc_train == pytest.approx(0.8, abs=0.02)
    assert found.auc_test == pytest.approx(0.8, abs=0.02)


def test_rules_by_hand():
    honest = LeakProbe(
        auc_train=0.9,
        auc_test=0.9,
        gap=0.0,
        gap_error=0.005,
        ceiling=0.6,
        ceiling_z=-9.0,
        error_ratio=1.15,
        data_ratio=1.25,
        random_split=True,
    )
    assert not honest.fires
    assert replace(honest, gap=0.04).from_training
    assert not replace(honest, gap=0.04, gap_error=0.02).fires
    assert not replace(honest, gap=0.04, random_split=False).fires
    assert replace(honest, error_ratio=0.9).from_training
    assert replace(honest, auc_test=0.98).saw_test
    assert replace(honest, ceiling=1.3, ceiling_z=4.0).saw_test
    assert replace(honest, error_ratio=1.5).saw_test
    assert not replace(honest, error_ratio=1.5, gap=0.1).saw_test
