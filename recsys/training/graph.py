"""Graphs as linear operators: the user-item graph, whole or thinned, and products with any sparse matrix.

Most of a graph model's time goes into these products, and generic sparse autograd spends it badly: it keeps the
graph as a tensor with a gradient path of its own. Here the graph is a constant, the backward pass is the product
with the transpose, and the product itself is the one that is fastest on the device.
"""

import math
import warnings
from typing import Any, Protocol

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding_bag


class _Product(Protocol):
    def __call__(self, x: Tensor) -> Tensor: ...


class BagProduct:
    """Sparse times dense as one weighted bag of rows per output row: two to five times a CSR product on CPUs."""

    def __init__(self, matrix: sparse.csr_array, device: torch.device) -> None:
        self._columns = torch.from_numpy(matrix.indices.astype(np.int64)).to(device)
        self._starts = torch.from_numpy(matrix.indptr.astype(np.int64)).to(device)
        self._weights = torch.from_numpy(matrix.data.astype(np.float32)).to(device)

    def __call__(self, x: Tensor) -> Tensor:
        """The product with `x`, shape (n_columns, n_factors)."""
        return embedding_bag(
            self._columns, x, self._starts, mode="sum", per_sample_weights=self._weights, include_last_offset=True
        )


class CsrProduct:
    """Sparse times dense through torch's CSR tensor: cuSPARSE on GPUs."""

    def __init__(self, matrix: sparse.csr_array, device: torch.device) -> None:
        parts = (torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices))
        weights = torch.from_numpy(matrix.data.astype(np.float32))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
            self._matrix = torch.sparse_csr_tensor(*parts, weights, matrix.shape, device=device, check_invariants=True)

    def __call__(self, x: Tensor) -> Tensor:
        """The product with `x`, shape (n_columns, n_factors)."""
        return self._matrix @ x


class GraphOperator:
    """A constant sparse matrix that multiplies dense tensors, differentiable in the dense operand."""

    def __init__(self, matrix: sparse.csr_array, device: torch.device, *, symmetric: bool = False) -> None:
        """Lay the matrix out for the device.

        Args:
            matrix: shape (n_rows, n_columns); weights are taken as float32.
            device: where the products run.
            symmetric: the matrix equals its transpose, which then needs no copy.
        """
        layout = CsrProduct if device.type == "cuda" else BagProduct
        self.forward: _Product = layout(matrix, device)
        self.backward: _Product = self.forward if symmetric else layout(sparse.csr_array(matrix.T), device)

    def __matmul__(self, x: Tensor) -> Tensor:
        """The product with `x`, float32, shape (n_columns, n_factors)."""
        return _GraphProduct.apply(x, self)


class _GraphProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, operator: GraphOperator) -> Tensor:
        ctx.operator = operator
        return operator.forward(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.operator.backward(gradients[0].contiguous()), None


def propagate(operator: GraphOperator, embeddings: Tensor, n_layers: int) -> Tensor:
    """LightGCN's readout: the mean of E, ME, ..., M^L E (He et al., SIGIR 2020, eq. 4).

    Args:
        operator: square M over the nodes.
        embeddings: E, float32, shape (n_nodes, n_factors).
        n_layers: L.
    """
    return _Propagation.apply(embeddings, operator, n_layers)


class _Propagation(torch.autograd.Function):
    """All layers in one step of autograd: no layer is kept for the backward pass, which is the same sum transposed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, operator: GraphOperator, n_layers: int) -> Tensor:
        ctx.operator, ctx.n_layers = operator, n_layers
        return _mean_of_layers(operator.forward, x, n_layers)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _mean_of_layers(ctx.operator.backward, gradients[0].contiguous(), ctx.n_layers), None, None


def _mean_of_layers(product: _Product, x: Tensor, n_layers: int) -> Tensor:
    total = x
    for _ in range(n_layers):
        total = product(total).add_(x)  # Horner: x + M(x + M(x + ...)), in place in the product's fresh result
    return total / (n_layers + 1) if total is x else total.div_(n_layers + 1)


def normalised_adjacency(train: sparse.csr_array) -> sparse.csr_array:
    """D^-1/2 A D^-1/2 of the user-item graph, no self-loops, users before items.

    Args:
        train: interactions, shape (n_users, n_items), each counted once.

    Returns:
        Symmetric float32, shape (n_users + n_items, n_users + n_items). Nodes without an edge have empty rows.
    """
    edges = train.tocoo()
    users, items = edges.coords
    user_degree = np.bincount(users, minlength=train.shape[0])
    item_degree = np.bincount(items, minlength=train.shape[1])
    weights = 1 / np.sqrt(user_degree[users] * item_degree[items].astype(np.float64))
    block = sparse.csr_array((weights.astype(np.float32), (users, items)), shape=train.shape)
    return sparse.csr_array(sparse.block_array([[None, block], [block.T, None]], format="csr"))


class EdgeDropping:
    """Degree-sensitive edge dropping: popular users' and items' edges go first (Zhou and Shen, MM 2023, sec. 3.2)."""

    def __init__(self, train: sparse.csr_array, rate: float) -> None:
        """Weigh the edges of `train`, shape (n_users, n_items); a share `rate` of them is dropped at each draw."""
        edges = train.tocoo()
        self._users, self._items = edges.coords
        self._shape = train.shape
        user_degree = np.bincount(self._users, minlength=self._shape[0])
        item_degree = np.bincount(self._items, minlength=self._shape[1])
        self._sqrt_degrees = np.sqrt(user_degree[self._users] * item_degree[self._items].astype(np.float64))
        self.n_kept = math.floor(round(train.nnz * (1 - rate), 6))  # 5 * (1 - 0.8) is 0.999... in floats

    def draw(self, rng: np.random.Generator) -> sparse.csr_array:
        """Interactions that stay: drawn without replacement, each with probability in proportion to 1/sqrt(d_u d_i).

        Of exponential clocks that run at those rates, the first to ring are such a sample.
        """
        clocks = rng.standard_exponential(len(self._users)) * self._sqrt_degrees
        kept = np.argsort(clocks, kind="stable")[: self.n_kept]
        ones = np.ones(len(kept), dtype=np.float32)
        return sparse.csr_array((ones, (self._users[kept], self._items[kept])), shape=self._shape)
