"""Frozen item-item graphs: each item tied to the items whose content is nearest by cosine."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Literal

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from recsys.content.features import Content, Features, source_shares
from recsys.runtime import device
from recsys.training.operators import SparseOperator

Weights = Literal["binary", "cosine", "similarity"]
BLOCK = 1024
_KEPT_GRAPHS = 8
_graphs: OrderedDict[tuple[str, int, Weights], sparse.csr_array] = OrderedDict()


def item_graph(features: Features, k: int, weights: Weights = "binary") -> sparse.csr_array:
    """The kNN graph of items by the cosine of their content, made once for each content in a process.

    An item is its own first neighbour, as in the published graphs. Items without this content, and rows of zeros,
    have no direction and so no edges; where all rows are alike, none has a neighbour nearer than the others and
    the graph is empty. Fewer than k items with content: all of them are neighbours.

    Args:
        features: content of the items, shape (n_items, dim).
        k: neighbours per item, including the item itself.
        weights: `binary`: 1/k each, which is what the published Laplacian of equal row sums comes to (Zhou and
            Shen, MM 2023, eq. 5); `cosine`: s_ij / sqrt(r_i r_j) with the row sums r on both sides (Zhang et al.,
            MM 2021, eq. 5), where a negative cosine counts as no edge; `similarity`: s_ij / k, or no edge where that
            is negative.

    Returns:
        float32, shape (n_items, n_items), in general not symmetric.
    """
    key = (features.digest, k, weights)
    if key not in _graphs:
        _graphs[key] = _build(features, k, weights)
        if len(_graphs) > _KEPT_GRAPHS:
            _graphs.popitem(last=False)
    _graphs.move_to_end(key)
    return _graphs[key]


def item_graphs(content: Content, k: int | Mapping[str, int], weights: Weights) -> dict[str, sparse.csr_array]:
    """The graph of each source whose features tell items apart, by source; `k` may be another for each of them."""
    n_neighbours = dict.fromkeys(content, k) if isinstance(k, int) else k
    graphs = {source: item_graph(features, n_neighbours[source], weights) for source, features in content.items()}
    return {source: graph for source, graph in graphs.items() if graph.nnz}


def mixed_item_graph(content: Content, k: int, image_weight: float, weights: Weights = "binary") -> sparse.csr_array:
    """The sources' graphs, weighted and summed, shape (n_items, n_items); an item's weights sum to one.

    They are those of the sources by which the item has neighbours, so that one that lacks a source, and a source that
    ties no items, leave no weaker graph behind.

    Args:
        content: at least one source.
        k: neighbours per item and source, including the item itself.
        image_weight: weight of the image graph where exactly text and image are shown; otherwise sources weigh the
            same.
        weights: weights of the edges, as for `item_graph`.
    """
    graphs = {source: item_graph(features, k, weights) for source, features in content.items()}
    shares = source_shares(content, image_weight)
    having = sum(share * (np.diff(graphs[source].indptr) > 0) for source, share in shares.items())
    mixed = reduce(add, (share * graphs[source] for source, share in shares.items()))
    return sparse.csr_array(mixed.multiply(1 / np.where(having > 0, having, 1)[:, None]).astype(np.float32))


def mixed_item_operator(content: Content, k: int, image_weight: float) -> SparseOperator | None:
    """The mixed graph as a network multiplies by it; None where no source tells items apart."""
    graph = mixed_item_graph(content, k, image_weight) if content else None
    return SparseOperator(graph) if graph is not None and graph.nnz else None


def _build(features: Features, k: int, weights: Weights) -> sparse.csr_array:
    n_items = len(features.matrix)
    norms = np.linalg.norm(features.matrix, axis=1)
    nodes = np.flatnonzero(features.present & (norms > 0))
    rows = features.matrix[nodes] / norms[nodes, None]
    if not len(nodes) or not np.ptp(features.matrix[nodes], axis=0).any():
        nothing = np.zeros(0, dtype=np.int64)
        return sparse.csr_array((np.zeros(0, np.float32), (nothing, nothing)), shape=(n_items, n_items))
    found, nearness = nearest_rows(torch.from_numpy(rows).to(device()), k)
    neighbours, cosines = found.cpu().numpy(), nearness.cpu().numpy()
    values = np.ones_like(cosines) if weights == "binary" else cosines.clip(min=0)
    degrees = values if weights == "cosine" else np.ones_like(values)
    scale = 1 / np.sqrt(degrees.sum(axis=1, dtype=np.float64))
    values = (values * scale[:, None] * scale[neighbours]).astype(np.float32)
    sources = np.repeat(nodes, neighbours.shape[1])
    targets = nodes[neighbours.ravel()]
    graph = sparse.csr_array((values.ravel(), (sources, targets)), shape=(n_items, n_items))
    graph.eliminate_zeros()
    return graph


def nearest_rows(rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Positions and cosines of the k nearest of unit `rows`, each row itself first, both of shape (n, min(k, n)).

    Block by block, so that the n x n matrix of cosines never stands in memory.
    """
    positions, cosines = [], []
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] @ rows.T
        own = torch.arange(len(block), device=rows.device)
        block[own, start + own] = torch.inf  # twins of a row must not push it out of its own list
        best = block.topk(min(k, len(rows)), dim=1)
        positions.append(best.indices)
        cosines.append(best.values)
    nearest = torch.cat(cosines)
    nearest[:, 0] = 1
    return torch.cat(positions), nearest
