"""Layers of propagation over a graph, in one step of autograd."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

Readout = Literal["mean", "sum", "last"]


class Operator(Protocol):
    """A constant square matrix by its products with dense tensors, float32, without a gradient path of its own."""

    @property
    def rows(self) -> Callable[[Tensor], Tensor]:
        """The product."""

    @property
    def transposed(self) -> Callable[[Tensor], Tensor]:
        """The product with the transpose."""


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
