"""Sparse matrices whose structure is constant and whose values are learned."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from recsys.training.sparse_products import product


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
    def forward(ctx: Any, values: Tensor, x: Tensor, operator: WeightedOperator) -> Tensor:
        ctx.operator = operator
        ctx.save_for_backward(values, x)
        return _weighted(operator, values, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        gradient, (values, x) = gradients[0].contiguous(), ctx.saved_tensors
        for_values = _inner(ctx.operator, gradient, x) if ctx.needs_input_grad[0] else None
        for_x = _weighted(ctx.operator, values, gradient, transposed=True) if ctx.needs_input_grad[1] else None
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
    return product(starts, columns, values.index_select(0, order), x)


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
