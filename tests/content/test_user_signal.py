"""Whether users' items share values beyond chance: counted by hand, found where planted, not found where absent."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import chisquare, kstest

from recsys.content.descriptions.user_signal import SIGNAL, rewire, user_signal
from tests.content.conftest import frame

GENRES = ["War", "war, Drama", "Drama", None, "Comedy"]


def fields(**columns):
    n_items = len(next(iter(columns.values())))
    return frame(item_id=ids(n_items), **columns).set_index("item_id")


def ids(n_items):
    return [str(item) for item in range(n_items)]


def graph(rows):
    return sparse.csr_array(np.array(rows, dtype=np.float32))


def test_shares_are_those_of_the_pairs_of_each_user():
    train = graph([[1, 1, 1, 1, 0], [0, 0, 1, 0, 1], [1, 0, 0, 0, 0]])
    found = user_signal(fields(Genre=GENRES), ids(5), train, n_rewired=2, n_permutations=9).iloc[0]
    # Item 3 has no genre. Pairs of the first user: 0-1 and 1-2 share, 0-2 does not; of the second: 2-4 does not.
    assert (found["field"], found["n_items"], found["n_pairs"], found["share"]) == ("Genre", 4, 4, 0.5)


sets = st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(", ".join)


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(st.lists(sets, min_size=n, max_size=n), graphs(n))))
@settings(max_examples=40)
def test_shares_are_those_of_a_plain_count(world):
    said, train = world
    known = [item for item, cell in enumerate(said) if cell]
    pairs = [pair for row in train.toarray() for pair in combinations([item for item in known if row[item]], 2)]
    alike = [bool(set(said[a].split(", ")) & set(said[b].split(", "))) for a, b in pairs]
    found = user_signal(fields(F=said), ids(len(said)), train, n_rewired=2, n_permutations=1).iloc[0]
    assert tuple(found.index) == SIGNAL
    assert (found["n_items"], found["n_pairs"]) == (len(known), len(pairs))
    assert found["share"] == pytest.approx(np.mean(alike)) if pairs else np.isnan(found["share"])


def graphs(n_items):
    return st.lists(st.lists(st.booleans(), min_size=n_items, max_size=n_items), min_size=1, max_size=7).map(graph)


@given(st.integers(1, 7).flatmap(graphs), st.integers(0, 1000))
@settings(max_examples=60)
def test_rewiring_keeps_every_degree_and_makes_no_edge_twice(train, seed):
    other = rewire(train, np.random.default_rng(seed)).toarray()
    assert set(np.unique(other)) <= {0, 1}
    np.testing.assert_array_equal(other.sum(axis=0), train.sum(axis=0))
    np.testing.assert_array_equal(other.sum(axis=1), train.sum(axis=1))


@pytest.mark.parametrize(
    ("rows", "n_graphs"),
    [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 6),
        ([[1, 1, 0], [1, 0, 1], [0, 0, 1]], 5),  # degrees 2, 2, 1 of both sides
        ([[1, 1, 0, 0], [0, 0, 1, 1]], 6),
    ],
)
def test_all_graphs_of_these_degrees_are_equally_likely(rows, n_graphs):
    rng = np.random.default_rng(0)
    seen = Counter(rewire(graph(rows), rng).toarray().tobytes() for _ in range(1200))
    assert len(seen) == n_graphs
    assert chisquare(list(seen.values())).pvalue > 0.01


def market(seed, strength, n_users=150, n_items=120, each=12):
    """Users who each prefer one of four values by a factor e^strength, and items of unequal popularity."""
    rng = np.random.default_rng(seed)
    value, popularity = rng.integers(4, size=n_items), rng.normal(size=n_items)
    liking = popularity + strength * (rng.integers(4, size=n_users)[:, None] == value)
    chosen = np.argsort(-(liking + rng.gumbel(size=liking.shape)), axis=1)[:, :each]
    train = np.zeros((n_users, n_items))
    np.put_along_axis(train, chosen, 1, axis=1)
    return graph(train), [f"v{number}" for number in value], popularity


def test_a_planted_taste_is_found():
    train, value, _ = market(0, strength=1.5)
    found = user_signal(fields(Value=value), ids(120), train, n_permutations=99).iloc[0]
    assert found["ratio"] > 1.3 and found["user_ratio"] == pytest.approx(found["ratio"], rel=0.02)  # equal activity
    assert found["ratio_sd"] < 0.02 and found["p_value"] == 0.01


def test_what_is_merely_popular_is_no_taste():
    """Half of what is taken is of the popular items, so that values which go with popularity are shared often."""
    train, _, popularity = market(1, strength=0)
    value = np.where(popularity > np.quantile(popularity, 0.8), "famous", "obscure").tolist()
    found = user_signal(fields(Value=value), ids(120), train, n_permutations=99).iloc[0]
    assert found["share"] > 0.45
    assert found["ratio"] == pytest.approx(1, abs=0.05)
    assert found["p_value"] > 0.05


def test_where_no_value_says_anything_p_values_are_uniform():
    """Users do have tastes here, but for something that the values do not tell: many a pair of items goes together."""
    train, _, _ = market(2, strength=2)
    rng = np.random.default_rng(3)
    said = fields(**{f"F{number}": rng.choice(list("abcdef"), 120).tolist() for number in range(60)})
    found = user_signal(said, ids(120), train, n_rewired=5, n_permutations=49)
    assert kstest(found["p_value"], "uniform").pvalue > 0.05
    assert found["ratio"].mean() == pytest.approx(1, abs=0.02)


def test_another_order_of_items_gives_the_same_share_and_the_same_seed_the_same_table():
    train, value, _ = market(4, strength=1)
    said = fields(Value=value, Other=[None, *value[1:]])
    order = np.random.default_rng(0).permutation(120)
    first, same = (user_signal(said, ids(120), train, n_rewired=3, n_permutations=9) for _ in range(2))
    pd.testing.assert_frame_equal(first, same)
    moved = user_signal(said, [ids(120)[item] for item in order], train[:, order], n_rewired=3, n_permutations=9)
    columns = ["field", "n_items", "n_pairs", "share"]
    pd.testing.assert_frame_equal(first[columns], moved[columns])


def test_fields_that_tell_nothing():
    train = graph([[1, 1, 1], [0, 1, 1]])
    found = user_signal(fields(Same=["x"] * 3, None_=[None] * 3), ids(3), train, n_rewired=3, n_permutations=9)
    assert found.iloc[0][["share", "rewired", "ratio", "p_value"]].tolist() == [1, 1, 1, 1]
    assert found["n_pairs"].tolist() == [4, 0] and np.isnan(found["p_value"][1])
