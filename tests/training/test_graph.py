import numpy as np
import pytest
from scipy import sparse

from recsys.training.graph import EdgeDropping, adjacency


def test_adjacency_by_hand() -> None:
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0]], dtype=np.float32))
    expected = np.zeros((5, 5))
    expected[0, 2] = 1 / np.sqrt(2 * 1)
    expected[0, 3] = 1 / np.sqrt(2 * 2)
    expected[1, 3] = 1 / np.sqrt(1 * 2)
    found = adjacency(train)
    np.testing.assert_allclose(found.toarray(), expected + expected.T, rtol=1e-6)
    assert found.dtype == np.float32


def test_self_loops_and_powers_by_hand() -> None:
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0]], dtype=np.float32))
    edges = np.zeros((5, 5))
    edges[:2, 2:], edges[2:, :2] = train.toarray(), train.toarray().T
    edges += np.eye(5)
    degrees = edges.sum(axis=1)
    mean = adjacency(train, left=1, right=0, self_loops=True).toarray()
    np.testing.assert_allclose(mean, edges / degrees[:, None], rtol=1e-6)
    mixed = adjacency(train, left=0.5, right=0.3, self_loops=True).toarray()
    np.testing.assert_allclose(mixed, edges * degrees[:, None] ** -0.5 * degrees**-0.3, rtol=1e-6)


def test_edges_between_items_by_hand() -> None:
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0]], dtype=np.float32))
    item_edges = sparse.csr_array(np.array([[0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=np.float32))
    edges = np.zeros((5, 5))
    edges[:2, 2:], edges[2:, :2], edges[2:, 2:] = train.toarray(), train.toarray().T, item_edges.toarray()
    degrees = edges.sum(axis=1)
    found = adjacency(train, item_edges=item_edges).toarray()
    np.testing.assert_allclose(found, edges / np.sqrt(degrees[:, None] * degrees), rtol=1e-6)


def test_dropping_keeps_the_floor_of_the_share_and_only_edges() -> None:
    train = sparse.csr_array((np.random.default_rng(0).random((20, 15)) < 0.4).astype(np.float32))
    kept = EdgeDropping(train, 0.8).draw(np.random.default_rng(1))
    assert kept.nnz == int(train.nnz * 0.2 + 1e-9)
    assert (kept.toarray() <= train.toarray()).all()
    again = EdgeDropping(train, 0.8).draw(np.random.default_rng(1))
    np.testing.assert_array_equal(kept.toarray(), again.toarray())


def test_nothing_dropped_is_the_whole_graph() -> None:
    train = sparse.csr_array((np.random.default_rng(0).random((6, 5)) < 0.5).astype(np.float32))
    np.testing.assert_array_equal(EdgeDropping(train, 0.0).draw(np.random.default_rng(1)).toarray(), train.toarray())


def test_edges_stay_in_proportion_to_the_inverse_root_of_degrees() -> None:
    # Four edges of a star and one apart: with one edge kept, each of the star's has half the odds of the other.
    train = np.zeros((5, 2), dtype=np.float32)
    train[:4, 0] = 1
    train[4, 1] = 1
    dropping, rng = EdgeDropping(sparse.csr_array(train), 0.8), np.random.default_rng(2)
    assert dropping.n_kept == 1
    share = sum(dropping.draw(rng).toarray()[4, 1] for _ in range(4000)) / 4000
    assert share == pytest.approx(1 / (1 + 4 / 2), abs=0.03)  # four standard deviations
