"""Graphs of users who took the same items, and of items that the same users took."""

from typing import Literal

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from recsys.training.operators import SparseOperator

BLOCK = 1024


def cooccurrence(
    train: sparse.csr_array,
    axis: Literal["users", "items"],
    k: int,
    minimum: int = 1,
    weights: Literal["softmax", "equal"] = "softmax",
) -> sparse.csr_array:
    """Each user's k nearest users by the number of shared items, or the same of items.

    Block by block, so that no more than a block's part of the product of all pairs stands in memory. Of equal counts
    the lower index is kept. Fewer than k neighbours: those there are, where the published code fills the list by
    drawing from it again (Wang et al., DualGNN, TMM 2021).

    Args:
        train: interactions, shape (n_users, n_items), each counted once.
        axis: whose graph.
        k: most neighbours of a node, itself not included.
        minimum: neighbours share at least so many.
        weights: `softmax`: of the counts over a node's neighbours; `equal`: one divided by their number.

    Returns:
        float32, shape (n, n) of the axis; rows sum to one or are empty.
    """
    one = sparse.csr_array(train if axis == "users" else train.T)
    other = sparse.csr_array(one.T)
    blocks = [_nearest(one, other, start, k, minimum) for start in range(0, one.shape[0], BLOCK)]
    rows, columns, counts = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    lengths = np.bincount(rows, minlength=one.shape[0])
    if weights == "equal":
        values = 1 / lengths[rows]
    else:
        largest = np.zeros(one.shape[0])
        np.maximum.at(largest, rows, counts)
        shares = np.exp(counts - largest[rows])
        values = shares / np.bincount(rows, shares, minlength=one.shape[0])[rows]
    return sparse.csr_array((values.astype(np.float32), (rows, columns)), shape=(one.shape[0], one.shape[0]))


def _nearest(
    one: sparse.csr_array, other: sparse.csr_array, start: int, k: int, minimum: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and counts of the k largest counts of each row of a block."""
    shared = sparse.coo_array(one[start : start + BLOCK] @ other)
    rows, columns = shared.coords[0] + start, shared.coords[1]
    kept = (rows != columns) & (shared.data >= minimum)
    rows, columns, counts = rows[kept], columns[kept], shared.data[kept].astype(np.float64)
    order = np.lexsort((columns, -counts, rows))
    rows, columns, counts = rows[order], columns[order], counts[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    near = place < k
    return rows[near], columns[near], counts[near]


class HyperOperator(nn.Module):
    """S^-left (B B' - D) S^-right x, the graph of nodes that share hyperedges, of which nothing is built.

    It has an entry for all pairs that share a hyperedge, tens of times as many as B; two products with B give the
    same. S are its row sums. For `propagate`.

    Attributes:
        diagonal: D, shape (n_nodes, 1).
        left: S^-left, same shape; zero where a row is empty.
        right: S^-right, same shape; zero there too.
    """

    diagonal: Tensor
    left: Tensor
    right: Tensor

    def __init__(self, incidence: sparse.csr_array, left: float, right: float, *, own: bool) -> None:
        """Lay out the hyperedges.

        Args:
            incidence: B, which nodes are in which hyperedges, shape (n_nodes, n_edges).
            left: power of the row sums on this side; 1 with `right` 0 makes each row a mean.
            right: power of the row sums on this side.
            own: nodes are neighbours of themselves, D is zero; otherwise it is the diagonal of B B'.
        """
        super().__init__()
        self.incidence = SparseOperator(incidence)
        diagonal = np.zeros(incidence.shape[0]) if own else (incidence * incidence).sum(axis=1)
        sums = incidence @ incidence.sum(axis=0) - diagonal
        safe = np.where(sums > 0, sums, np.inf)
        buffers = {"diagonal": diagonal, "left": safe**-left * (sums > 0), "right": safe**-right * (sums > 0)}
        for name, buffer in buffers.items():
            self.register_buffer(name, torch.from_numpy(buffer.astype(np.float32))[:, None], persistent=False)

    def rows(self, x: Tensor) -> Tensor:
        """The product with `x`, float32, shape (n_nodes, n_factors)."""
        return self._product(x, self.left, self.right)

    def transposed(self, x: Tensor) -> Tensor:
        """The product of the transpose."""
        return self._product(x, self.right, self.left)

    def _product(self, x: Tensor, left: Tensor, right: Tensor) -> Tensor:
        x = right * x
        return left * (self.incidence.rows(self.incidence.transposed(x)) - self.diagonal * x)
