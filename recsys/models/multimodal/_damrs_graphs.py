"""Graphs of items on which all sources agree, and of items that were taken together (Xv et al., DA-MRS, KDD 2024)."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from recsys.content.features import Content, unit_rows
from recsys.runtime import device
from recsys.training.cooccurrence import cooccurrence

BLOCK = 1024


def agreed_item_graphs(content: Content, k: int) -> dict[str, sparse.csr_array]:
    """Each source's nearest items among those that are alike by all sources.

    Two items are alike by a source if their cosine is at least the mean over all pairs of items that have it, or if
    one of them lacks it. An item is alike to itself and its own first neighbour.

    Args:
        content: at least one source, or none.
        k: neighbours per item, including the item itself; fewer where fewer are alike.

    Returns:
        By source: float32 of ones, shape (n_items, n_items).
    """
    views = []
    for features in content.values():
        rows = torch.from_numpy(unit_rows(features.matrix)).to(device())
        present = torch.from_numpy(features.present).to(device())
        mean = rows.sum(dim=0).square().sum() / present.sum().square()
        views.append((rows, present, mean))
    found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in views]
    n_items = len(views[0][0]) if views else 0
    for start in range(0, n_items, BLOCK):
        block = slice(start, start + BLOCK)
        cosines = [rows[block] @ rows.T for rows, _, _ in views]
        both = [present[block, None] & present for _, present, _ in views]
        parts = zip(cosines, both, views, strict=True)
        agreed = torch.stack([(cosine >= mean) | ~has for cosine, has, (_, _, mean) in parts]).all(dim=0)
        own = torch.arange(len(agreed), device=agreed.device)
        for cosine, has, lists in zip(cosines, both, found, strict=True):
            cosine.masked_fill_(~(agreed & has), -torch.inf)
            cosine[own, start + own] = torch.where(has[own, start + own], torch.inf, -torch.inf)
            best = cosine.topk(min(k, n_items), dim=1)
            row, place = torch.nonzero(best.values > -torch.inf, as_tuple=True)
            lists.append((row + start, best.indices[row, place]))
    return {source: _ones(lists, n_items) for source, lists in zip(content, found, strict=True)}


def _ones(edges: list[tuple[Tensor, Tensor]], n_items: int) -> sparse.csr_array:
    rows, columns = (torch.cat(part).cpu().numpy() for part in zip(*edges, strict=True))
    return sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(n_items, n_items))


def behaviour_graph(train: sparse.csr_array, k: int) -> sparse.csr_array:
    """Each item with itself and the k items with which it has most users in common, two at least."""
    together = cooccurrence(train, "items", k, minimum=2, weights="equal")
    return sparse.csr_array(together + sparse.eye_array(train.shape[1], dtype=np.float32, format="csr"))


def by_row_counts(graph: sparse.csr_array) -> sparse.csr_array:
    """Edges of weight 1/sqrt(n_i n_j), n the number of a row's edges."""
    counts = np.diff(graph.indptr)
    rows = np.repeat(np.arange(len(counts)), counts)
    values = 1 / np.sqrt(counts[rows] * np.maximum(counts[graph.indices], 1).astype(np.float64))
    return sparse.csr_array((values.astype(np.float32), graph.indices, graph.indptr), shape=graph.shape)
