"""Constant sparse matrices that multiply dense tensors.

Most of a graph model's time goes into these products, and generic sparse autograd spends it badly: it keeps the
graph as a tensor with a gradient path of its own. Here the structure is constant, the backward pass is the product
with the transpose, and the product itself is the one that is fastest on the device.
"""

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.training.sparse_products import product
from recsys.training.weighted_operator import WeightedOperator


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
        return product(self.starts, self.columns, self.values, x)


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
