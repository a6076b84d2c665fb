"""Sparse matrices that multiply dense tensors, with constant or with learned values, and propagation over them.

Most of a graph model's time goes into these products, and generic sparse autograd spends it badly: it keeps the
graph as a tensor with a gradient path of its own. Here the structure is constant, the backward pass is the product
with the transpose, and the product itself is the one that is fastest on the device.
"""

import warnings
from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding, embedding_bag

Readout = Literal["mean", "sum", "last"]


def bag_product(starts: Tensor, columns: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """CSR matrix times dense as one weighted bag of rows per output row: two to five times a CSR product on CPUs."""
    return embedding_bag(columns, x, starts, mode="sum", per_sample_weights=values, include_last_offset=True)


def csr_product(starts: Tensor, columns: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """CSR matrix times dense through torch's CSR tensor: cuSPARSE on GPUs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
        matrix = torch.sparse_csr_tensor(starts, columns, values, (len(starts) - 1, len(x)), check_invariants=False)
    return matrix @ x


def _product(starts: Tensor, columns: Tensor, values: Tensor, x: Tensor) -> Tensor:
    return (csr_product if x.is_cuda else bag_product)(starts, columns, values, x)


class _Rows(nn.Module):
    """A constant matrix row by row, as buffers."""

    starts: Tensor
    columns: Tensor
    values: Tensor

    def __init__(self, matrix: sparse.csr_array) -> None:
        super().__init__()
        parts = {"starts": matrix.indptr.astype(np.int64), "columns": matrix.indices.astype(np.int64)}
        for name, part in (parts | {"values": matrix.data.astype(np.float32)}).items():
            self.register_buffer(name, torch.from_numpy(part), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return _product(self.starts, self.columns, self.values, x)


class Operator(Protocol):
    """A constant square matrix by its products with dense tensors, float32, without a gradient path of its own."""

    @property
    def rows(self) -> Callable[[Tensor], Tensor]:
        """The product."""

    @property
    def transposed(self) -> Callable[[Tensor], Tensor]:
        """The product with the transpose."""


class SparseOperator(nn.Module):
    """A constant sparse matrix that multiplies dense tensors, differentiable in the dense operand."""

    def __init__(self, matrix: sparse.csr_array, *, symmetric: bool = False) -> None:
        """Lay the matrix out.

        Args:
            matrix: shape (n_rows, n_columns); weights are taken as float32.
            symmetric: the matrix equals its transpose, which then needs no copy.
        """
        super().__init__()
        self.rows = _Rows(matrix)
        self.transposed = self.rows if symmetric else _Rows(sparse.csr_array(matrix.T))

    def forward(self, x: Tensor) -> Tensor:
        """The product with `x`, float32, shape (n_columns, n_factors); `operator @ x` is the same."""
        return _ConstantProduct.apply(x, self)

    __matmul__ = forward

    def at(self, rows: Tensor, x: Tensor) -> Tensor:
        """Rows of the product alone, in the order given, as a batch needs them; repeats are allowed.

        Args:
            rows: positions, shape (n,).
            x: as for the whole product.
        """
        if 2 * len(rows) >= len(self.rows.starts):
            return embedding(rows, self @ x)
        targets, edges = self.edges(rows)
        part = WeightedOperator(targets, self.rows.columns[edges], (len(rows), len(x)))
        return part.product(self.rows.values[edges], x)

    def edges(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """For each entry of the rows, in the order given, its place among them and its position in the matrix."""
        starts = self.rows.starts
        lengths = starts[rows + 1] - starts[rows]
        targets = torch.arange(len(rows), device=rows.device).repeat_interleave(lengths)
        shifts = starts[rows] - (lengths.cumsum(0) - lengths)
        return targets, torch.arange(len(targets), device=rows.device) + shifts[targets]


class _ConstantProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, operator: SparseOperator) -> Tensor:
        ctx.operator = operator
        return operator.rows(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.operator.transposed(gradients[0].contiguous()), None


class WeightedOperator(nn.Module):
    """A sparse matrix of constant structure whose values are computed, and learned through.

    Edges keep the order in which they are given; several between the same two nodes add up.

    Attributes:
        targets: row of each edge, int64, shape (n_edges,).
        origins: column of each edge, int64, shape (n_edges,).
    """

    targets: Tensor
    origins: Tensor
    by_target: Tensor
    by_origin: Tensor
    origins_by_target: Tensor
    targets_by_origin: Tensor
    target_starts: Tensor
    origin_starts: Tensor

    def __init__(self, targets: Tensor, origins: Tensor, shape: tuple[int, int]) -> None:
        """Sort the edges both ways, on the device of `targets`.

        Args:
            targets: as above.
            origins: as above.
            shape: (n_rows, n_columns) of the matrix.
        """
        super().__init__()
        self.shape = shape
        orders = targets.argsort(stable=True), origins.argsort(stable=True)
        buffers = {
            "targets": targets,
            "origins": origins,
            "by_target": orders[0],
            "by_origin": orders[1],
            "origins_by_target": origins[orders[0]],
            "targets_by_origin": targets[orders[1]],
            "target_starts": _starts(targets, shape[0]),
            "origin_starts": _starts(origins, shape[1]),
        }
        for name, buffer in buffers.items():
            self.register_buffer(name, buffer, persistent=False)

    def product(self, values: Tensor, x: Tensor) -> Tensor:
        """The matrix with these values times `x`, differentiable in both.

        Args:
            values: of the edges, shape (n_edges,).
            x: shape (n_columns, n_factors).
        """
        return _WeightedProduct.apply(values, x, self)

    def inner(self, x: Tensor, y: Tensor) -> Tensor:
        """Inner product of the rows that each edge ties, shape (n_edges,), differentiable in both.

        Args:
            x: of the targets, shape (n_rows, n_factors).
            y: of the origins, shape (n_columns, n_factors).
        """
        return _Inner.apply(x, y, self)

    def row_sums(self, values: Tensor) -> Tensor:
        """Sum of each row's values, shape (n_rows,)."""
        return values.new_zeros(self.shape[0]).index_add(0, self.targets, values)

    def softmax(self, logits: Tensor) -> Tensor:
        """Values that sum to one over the edges of each target, shape (n_edges,)."""
        largest = logits.new_zeros(self.shape[0])
        largest = largest.scatter_reduce(0, self.targets, logits.detach(), "amax", include_self=False)
        shares = (logits - largest.index_select(0, self.targets)).exp()
        return shares / self.row_sums(shares).index_select(0, self.targets)


def _starts(sorted_by: Tensor, n: int) -> Tensor:
    counts = torch.bincount(sorted_by, minlength=n)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


class _WeightedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, x: Tensor, operator: Any) -> Tensor:
        ctx.operator = operator
        ctx.save_for_backward(values, x)
        return _weighted(operator, values, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        operator, gradient = ctx.operator, gradients[0].contiguous()
        values, x = ctx.saved_tensors
        for_values = for_x = None
        if ctx.needs_input_grad[0]:
            for_values = _inner(operator, gradient, x)
        if ctx.needs_input_grad[1]:
            for_x = _weighted(operator, values, gradient, transposed=True)
        return for_values, for_x, None


class _Inner(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, operator: WeightedOperator) -> Tensor:
        ctx.operator = operator
        ctx.save_for_backward(x, y)
        return _inner(operator, x, y)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        values, (x, y) = gradients[0].contiguous(), ctx.saved_tensors
        for_x = _weighted(ctx.operator, values, y) if ctx.needs_input_grad[0] else None
        for_y = _weighted(ctx.operator, values, x, transposed=True) if ctx.needs_input_grad[1] else None
        return for_x, for_y, None


def _weighted(operator: WeightedOperator, values: Tensor, x: Tensor, *, transposed: bool = False) -> Tensor:
    """The matrix with these values times `x`, or its transpose."""
    if transposed:
        order, starts, columns = operator.by_origin, operator.origin_starts, operator.targets_by_origin
    else:
        order, starts, columns = operator.by_target, operator.target_starts, operator.origins_by_target
    return _product(starts, columns, values.index_select(0, order), x)


def _inner(operator: WeightedOperator, x: Tensor, y: Tensor) -> Tensor:
    """Inner products x[target] . y[origin] of the edges; on CPUs without a copy of the rows of each edge."""
    if x.is_cuda or len(operator.targets) > len(x) * len(y):  # torch takes no more edges than there are pairs of nodes
        return (x.index_select(0, operator.targets) * y.index_select(0, operator.origins)).sum(dim=1)
    starts, columns = operator.target_starts, operator.origins_by_target
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
        nothing = x.new_zeros(len(columns))
        zeros = torch.sparse_csr_tensor(starts, columns, nothing, operator.shape, check_invariants=False)
    found = torch.sparse.sampled_addmm(zeros, x, y.T, beta=0).values()
    return torch.empty_like(found).index_copy_(0, operator.by_target, found)


def propagate(operator: Operator, embeddings: Tensor, n_layers: int, readout: Readout = "mean") -> Tensor:
    """Layers E, ME, ..., M^L E read out as their mean (He et al., SIGIR 2020, eq. 4), their sum, or the last alone.

    Args:
        operator: square M over the nodes.
        embeddings: E, float32, shape (n_nodes, n_factors).
        n_layers: L.
        readout: what is made of the layers.
    """
    return _Propagation.apply(embeddings, operator, n_layers, readout)


class _Propagation(torch.autograd.Function):
    """All layers in one step of autograd: no layer is kept for the backward pass, which is the same sum transposed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, operator: Operator, n_layers: int, readout: Readout) -> Tensor:
        ctx.operator, ctx.n_layers, ctx.readout = operator, n_layers, readout
        return _read_out(operator.rows, x, n_layers, readout)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        product, gradient = ctx.operator.transposed, gradients[0].contiguous()
        return _read_out(product, gradient, ctx.n_layers, ctx.readout), None, None, None


def _read_out(product: Callable[[Tensor], Tensor], x: Tensor, n_layers: int, readout: Readout) -> Tensor:
    total = x
    for _ in range(n_layers):
        total = product(total)
        if readout != "last":
            total.add_(x)  # Horner: x + M(x + M(x + ...)), in place in the product's fresh result
    if total is x:
        return x.clone()
    return total.div_(n_layers + 1) if readout == "mean" else total
