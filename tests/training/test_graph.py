import numpy as np
import pytest
import torch
from scipy import sparse

from recsys.training.graph import BagProduct, CsrProduct, EdgeDropping, GraphOperator, normalised_adjacency, propagate

CPU = torch.device("cpu")


def random_matrix(n_rows: int, n_columns: int, density: float = 0.3) -> sparse.csr_array:
    rng = np.random.default_rng(3)
    dense = rng.standard_normal((n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < density)
    return sparse.csr_array(dense.astype(np.float32))


def dense(matrix: sparse.csr_array) -> torch.Tensor:
    return torch.from_numpy(matrix.toarray())


@pytest.mark.parametrize("product", [BagProduct, CsrProduct])
@pytest.mark.parametrize("matrix", [random_matrix(7, 5), random_matrix(5, 9, 0.0)])
def test_products_of_both_devices_equal_the_dense_one(product: type, matrix: sparse.csr_array) -> None:
    x = torch.randn(matrix.shape[1], 4)
    torch.testing.assert_close(product(matrix, CPU)(x), dense(matrix) @ x)


def test_gradient_is_that_of_the_dense_product() -> None:
    matrix = random_matrix(7, 5)
    x, weight = torch.randn(5, 4, requires_grad=True), torch.randn(7, 4)
    ((GraphOperator(matrix, CPU) @ x).square() * weight).sum().backward()
    expected = x.detach().clone().requires_grad_()
    ((dense(matrix) @ expected).square() * weight).sum().backward()
    torch.testing.assert_close(x.grad, expected.grad)


@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_propagation_and_its_gradient_are_those_of_the_dense_layers(n_layers: int) -> None:
    matrix = random_matrix(6, 6)
    x, weight = torch.randn(6, 4, requires_grad=True), torch.randn(6, 4)
    result = propagate(GraphOperator(matrix, CPU), x, n_layers)
    (result.square() * weight).sum().backward()
    expected = x.detach().clone().requires_grad_()
    layers = [expected]
    for _ in range(n_layers):
        layers.append(dense(matrix) @ layers[-1])
    mean = torch.stack(layers).mean(dim=0)
    (mean.square() * weight).sum().backward()
    torch.testing.assert_close(result, mean)
    torch.testing.assert_close(x.grad, expected.grad)


def test_propagation_leaves_its_input_alone() -> None:
    x = torch.randn(6, 4)
    before = x.clone()
    propagate(GraphOperator(random_matrix(6, 6), CPU), x, 2)
    assert torch.equal(x, before)


def test_a_symmetric_operator_keeps_one_layout() -> None:
    operator = GraphOperator(
        normalised_adjacency(random_matrix(4, 3).astype(bool).astype(np.float32)), CPU, symmetric=True
    )
    assert operator.forward is operator.backward


def test_adjacency_by_hand() -> None:
    train = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0]], dtype=np.float32))
    expected = np.zeros((5, 5))
    expected[0, 2] = 1 / np.sqrt(2 * 1)
    expected[0, 3] = 1 / np.sqrt(2 * 2)
    expected[1, 3] = 1 / np.sqrt(1 * 2)
    adjacency = normalised_adjacency(train)
    np.testing.assert_allclose(adjacency.toarray(), expected + expected.T, rtol=1e-6)
    assert adjacency.dtype == np.float32


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
