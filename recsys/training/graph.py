"""The user-item graph as a matrix: whole, with self-loops, or thinned."""

import math

import numpy as np
from scipy import sparse


def adjacency(
    train: sparse.csr_array,
    left: float = 0.5,
    right: float = 0.5,
    *,
    self_loops: bool = False,
    item_edges: sparse.csr_array | None = None,
) -> sparse.csr_array:
    """D^-left A D^-right of the user-item graph, users before items; the default is LightGCN's symmetric form.

    Args:
        train: interactions, shape (n_users, n_items), each counted once.
        left: power of the degrees of the rows; 1 with `right` 0 makes each row a mean.
        right: power of the degrees of the columns.
        self_loops: take A + I for A, degrees included.
        item_edges: between items, shape (n_items, n_items): each entry is another edge from its row to its column and
            counts in the row's degree; not symmetric in general, and neither is the result.

    Returns:
        float32, shape (n_users + n_items, n_users + n_items). Without self-loops, nodes without an edge have empty
        rows.
    """
    edges = train.tocoo()
    users, items = edges.coords[0], edges.coords[1] + train.shape[0]
    n_nodes = sum(train.shape)
    rows, columns = np.concatenate([users, items]), np.concatenate([items, users])
    if item_edges is not None:
        origins, targets = (part + train.shape[0] for part in item_edges.tocoo().coords)
        rows, columns = np.concatenate([rows, origins]), np.concatenate([columns, targets])
    if self_loops:
        nodes = np.arange(n_nodes)
        rows, columns = np.concatenate([rows, nodes]), np.concatenate([columns, nodes])
    degrees = np.bincount(rows, minlength=n_nodes).clip(min=1).astype(np.float64)
    if left == right:
        weights = (degrees[rows] * degrees[columns]) ** -left
    else:
        weights = degrees[rows] ** -left * degrees[columns] ** -right
    return sparse.csr_array((weights.astype(np.float32), (rows, columns)), shape=(n_nodes, n_nodes))


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
