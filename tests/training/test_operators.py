from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from recsys.training.operators import SparseOperator
from recsys.training.propagation import Readout, propagate
from recsys.training.sparse_products import bag_product, csr_product
from recsys.training.weighted_operator import WeightedOperator


def random_matrix(n_rows: int, n_columns: int, density: float = 0.3) -> sparse.csr_array:
    rng = np.random.default_rng(3)
    dense = rng.standard_normal((n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < density)
    return sparse.csr_array(dense.astype(np.float32))


def dense(matrix: sparse.csr_array) -> torch.Tensor:
    return torch.from_numpy(matrix.toarray())


@pytest.mark.parametrize("product", [bag_product, csr_product])
@pytest.mark.parametrize("matrix", [random_matrix(7, 5), random_matrix(5, 9, 0.0)])
def test_products_of_both_devices_equal_the_dense_one(
    product: Callable[..., torch.Tensor], matrix: sparse.csr_array
) -> None:
    x = torch.randn(matrix.shape[1], 4)
    starts, columns = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    torch.testing.assert_close(product(starts, columns, torch.from_numpy(matrix.data), x), dense(matrix) @ x)


def test_gradient_is_that_of_the_dense_product() -> None:
    matrix = random_matrix(7, 5)
    x, weight = torch.randn(5, 4, requires_grad=True), torch.randn(7, 4)
    ((SparseOperator(matrix) @ x).square() * weight).sum().backward()
    expected = x.detach().clone().requires_grad_()
    ((dense(matrix) @ expected).square() * weight).sum().backward()
    torch.testing.assert_close(x.grad, expected.grad)


@pytest.mark.parametrize("readout", ["mean", "sum", "last"])
@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_propagation_and_its_gradient_are_those_of_the_dense_layers(n_layers: int, readout: Readout) -> None:
    matrix = random_matrix(6, 6)
    x, weight = torch.randn(6, 4, requires_grad=True), torch.randn(6, 4)
    result = propagate(SparseOperator(matrix), x, n_layers, readout)
    (result.square() * weight).sum().backward()
    expected = x.detach().clone().requires_grad_()
    layers = [expected]
    for _ in range(n_layers):
        layers.append(dense(matrix) @ layers[-1])
    stacked = torch.stack(layers)
    read = {"mean": stacked.mean(dim=0), "sum": stacked.sum(dim=0), "last": layers[-1]}[readout]
    (read.square() * weight).sum().backward()
    torch.testing.assert_close(result, read)
    torch.testing.assert_close(x.grad, expected.grad)


@pytest.mark.parametrize("n_layers", [0, 2])
def test_propagation_leaves_its_input_alone(n_layers: int) -> None:
    x = torch.randn(6, 4)
    before = x.clone()
    propagate(SparseOperator(random_matrix(6, 6)), x, n_layers).add_(1)
    assert torch.equal(x, before)


def test_a_symmetric_operator_keeps_one_copy_and_moves_with_its_network() -> None:
    matrix = random_matrix(4, 4)
    operator = SparseOperator(sparse.csr_array(matrix + matrix.T), symmetric=True)
    assert operator.rows is operator.transposed
    assert {buffer.device.type for buffer in nn.Sequential(operator).to("meta").buffers()} == {"meta"}
    assert not operator.state_dict()


def edges(n_edges: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Edges of a 6 x 5 matrix in no order, some between the same two nodes, none to row 3."""
    rng = np.random.default_rng(1)
    targets = rng.choice([0, 1, 2, 4, 5], n_edges)
    return torch.from_numpy(targets), torch.from_numpy(rng.integers(0, 5, n_edges))


def test_weighted_product_has_the_gradients_of_the_dense_one_in_values_and_operand() -> None:
    targets, origins = edges()
    values, x = torch.randn(20, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    weight = torch.randn(6, 3)
    result = WeightedOperator(targets, origins, (6, 5)).product(values, x)
    (result.square() * weight).sum().backward()
    same_values, same_x = (part.detach().clone().requires_grad_() for part in (values, x))
    expected = torch.zeros(6, 5).index_put((targets, origins), same_values, accumulate=True) @ same_x
    (expected.square() * weight).sum().backward()
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(values.grad, same_values.grad)
    torch.testing.assert_close(x.grad, same_x.grad)


@pytest.mark.parametrize("n_repeats", [1, 3], ids=["some edges twice", "more edges than pairs of nodes"])
def test_inner_products_along_edges_have_the_gradients_of_the_dense_ones(n_repeats: int) -> None:
    targets, origins = (part.repeat(n_repeats) for part in edges())
    x, y, weight = (
        torch.randn(6, 3, requires_grad=True),
        torch.randn(5, 3, requires_grad=True),
        torch.randn(len(targets)),
    )
    found = WeightedOperator(targets, origins, (6, 5)).inner(x, y)
    expected = (x @ y.T)[targets, origins]
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad((result.square() * weight).sum(), (x, y)) for result in (found, expected))
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain)


def test_softmax_of_edges_sums_to_one_by_target_whatever_the_size_of_the_logits() -> None:
    targets, origins = edges()
    operator, logits = WeightedOperator(targets, origins, (6, 5)), torch.randn(20) * 10 + 500
    shares = operator.softmax(logits)
    for target in targets.unique():
        own = targets == target
        torch.testing.assert_close(shares[own], logits[own].softmax(dim=0))
    assert operator.row_sums(shares)[3] == 0


@pytest.mark.parametrize("rows", [[3, 3, 0], [6, 5, 4, 3, 2, 1, 0, 1]], ids=["few, one twice", "more than there are"])
def test_chosen_rows_equal_those_of_the_whole_product_and_so_do_gradients(rows: list[int]) -> None:
    matrix = random_matrix(7, 5)
    x, chosen = torch.randn(5, 4, requires_grad=True), torch.tensor(rows)
    found, expected = SparseOperator(matrix).at(chosen, x), (dense(matrix) @ x)[chosen]
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    gradients = [torch.autograd.grad((part * weights).sum(), x)[0] for part in (found, expected)]
    torch.testing.assert_close(*gradients)
