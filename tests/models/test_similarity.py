from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recsys.models.neighbours import _similarity
from recsys.models.neighbours._similarity import NeighbourConfig, Similarity, nearest, weighted

# Rows as sets: A = {0, 1, 2}, B = {1, 2, 3, 4}, C = {5}.
SETS = sparse.csr_array(np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]], dtype=np.float32))
APART = np.sqrt((3 + 4 - 2 * 2) / np.sqrt(3 * 4))
"""Distance of A and B."""


@pytest.mark.parametrize(
    ("params", "a_to_b", "b_to_a"),
    [
        ({"similarity": "dot"}, 2, 2),
        ({"similarity": "cosine"}, 2 / np.sqrt(12), 2 / np.sqrt(12)),
        ({"similarity": "cosine", "shrink": 5}, 2 / (np.sqrt(12) + 5), 2 / (np.sqrt(12) + 5)),
        ({"similarity": "jaccard"}, 2 / 5, 2 / 5),
        ({"similarity": "dice"}, 2 / 7, 2 / 7),
        ({"similarity": "asymmetric", "alpha": 0.25}, 2 / (3**0.25 * 4**0.75), 2 / (4**0.25 * 3**0.75)),
        ({"similarity": "euclidean"}, 1 / APART, 1 / APART),
        ({"similarity": "euclidean", "shrink": 2}, 1 / (APART + 2), 1 / (APART + 2)),
        ({"similarity": "euclidean_log", "shrink": 2}, 1 / (np.log(1 + APART) + 2), 1 / (np.log(1 + APART) + 2)),
        ({"similarity": "euclidean_exp", "shrink": 2}, 1 / (np.exp(APART) + 2), 1 / (np.exp(APART) + 2)),
        ({"similarity": "tversky", "alpha": 1, "beta": 0.5}, 2 / (2 + 1 + 0.5 * 2), 2 / (2 + 2 + 0.5 * 1)),
    ],
)
def test_similarities_by_hand(params: dict[str, float], a_to_b: float, b_to_a: float) -> None:
    found = nearest(SETS, NeighbourConfig(**{"shrink": 0, **params})).toarray()
    np.testing.assert_allclose(found, [[0, a_to_b, 0], [b_to_a, 0, 0], [0, 0, 0]], rtol=1e-5)


def test_weightings_by_hand() -> None:
    rows = sparse.csr_array(np.array([[4, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]], dtype=np.float32))
    idf = np.log([4 / 2, 4 / 4, 4 / 3])
    tfidf = np.array([[2, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]]) * idf
    np.testing.assert_allclose(weighted(rows, "tfidf").toarray(), tfidf, rtol=1e-6)
    length = np.array([5, 1, 1, 2]) / 2.25
    tf = np.array([[4, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]])
    bm25 = tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length[:, None])) * idf
    np.testing.assert_allclose(weighted(rows, "bm25").toarray(), bm25, rtol=1e-6)
    assert weighted(rows, "none") is rows


def test_a_term_of_every_document_weighs_nothing() -> None:
    everywhere = sparse.csr_array(np.ones((3, 1), dtype=np.float32))
    assert not weighted(everywhere, "tfidf").toarray().any()
    assert not weighted(everywhere, "bm25").toarray().any()


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**31),
    n_neighbours=st.integers(1, 12),
    similarity=st.sampled_from(get_args(Similarity)),
    dim=st.sampled_from([0, 3]),
)
def test_keeps_the_nearest_of_each_row(seed: int, n_neighbours: int, similarity: str, dim: int) -> None:
    rng = np.random.default_rng(seed)
    rows = sparse.csr_array((rng.random((9, 14)) < 0.3).astype(np.float32))
    vectors = rng.standard_normal((9, dim)).astype(np.float32) if dim else None
    params = {"similarity": similarity, "shrink": 1, "alpha": 0.7, "beta": 0.2}
    everyone = nearest(rows, NeighbourConfig(n_neighbours=9, **params), vectors).toarray()
    kept = nearest(rows, NeighbourConfig(n_neighbours=n_neighbours, **params), vectors).toarray()
    assert (np.diag(everyone) == 0).all() and (everyone >= 0).all()
    order = np.argsort(-everyone, axis=1, kind="stable")[:, :n_neighbours]
    expected = np.zeros_like(everyone)
    np.put_along_axis(expected, order, np.take_along_axis(everyone, order, axis=1), axis=1)
    np.testing.assert_array_equal(kept, expected)


def test_dense_columns_equal_the_same_columns_sparse() -> None:
    rng = np.random.default_rng(2)
    rows = sparse.csr_array((rng.random((20, 30)) < 0.2).astype(np.float32))
    vectors = rng.random((20, 4)).astype(np.float32)
    config = NeighbourConfig(n_neighbours=5, similarity="jaccard", shrink=1)
    stacked = sparse.csr_array(sparse.hstack([rows, sparse.csr_array(vectors)], format="csr"))
    np.testing.assert_allclose(nearest(rows, config, vectors).toarray(), nearest(stacked, config).toarray(), rtol=1e-5)


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sparse.csr_array((np.random.default_rng(3).random((23, 40)) < 0.2).astype(np.float32))
    config = NeighbourConfig(n_neighbours=4, shrink=2)
    whole = nearest(rows, config).toarray()
    monkeypatch.setattr(_similarity, "BLOCK_ENTRIES", 23 * 5)
    np.testing.assert_array_equal(nearest(rows, config).toarray(), whole)
