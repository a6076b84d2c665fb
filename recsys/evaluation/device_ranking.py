"""Ranking where a model is being trained, on a GPU: product, mask and top k, without its tables being copied."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

BLOCK = 1024
"""Users scored at a time: 200 MB of scores for 50,000 items."""


def rank_on_device(
    factors: tuple[Tensor, Tensor],
    users: np.ndarray,
    seen: sparse.csr_array,
    k: int,
    candidates: sparse.csr_array | None,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Items (int32) and scores (float32) of `recsys.evaluation.ranking.rank`, both of shape (n, k).

    The third value says whether all scores were finite before any was masked.

    Args:
        factors: tables of all users and of all items, on one device.
        users: indices, shape (n,).
        seen: shape (n_users, n_items): entries that cannot be recommended.
        k: length of the lists, at most n_items.
        candidates: shape (n_users, n_items): only these entries can be recommended; None: all.
    """
    user_table, item_table = factors
    device, lists = item_table.device, []
    finite = torch.ones((), dtype=torch.bool, device=device)
    for start in range(0, len(users), BLOCK):
        part = users[start : start + BLOCK]
        values = user_table[torch.from_numpy(part).to(device).long()] @ item_table.T
        finite &= values.isfinite().all()
        if candidates is not None:
            allowed = _entries(candidates[part], device)
            values = torch.full_like(values, -torch.inf).index_put(allowed, values[allowed])
        values[_entries(seen[part], device)] = -torch.inf
        lists.append(top_k(values, k))
    items, scores = (torch.cat(parts) for parts in zip(*lists, strict=True))
    items[scores == -torch.inf] = -1
    return items.int().cpu().numpy(), scores.cpu().numpy(), bool(finite)


def top_k(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Columns and values of each row's k largest, equal ones in column order.

    `torch.topk` takes any of several equal values: where more of them equal the k-th than the list has room for, a
    stable sort of the row decides.
    """
    best, columns = values.topk(k, dim=1)
    cut = best[:, -1:]
    crowded = (values == cut).sum(dim=1) > (best == cut).sum(dim=1)
    if crowded.any():
        rows = values[crowded].sort(dim=1, descending=True, stable=True)
        best[crowded], columns[crowded] = rows.values[:, :k], rows.indices[:, :k]
    columns, order = columns.sort(dim=1)
    best, order = best.gather(1, order).sort(dim=1, descending=True, stable=True)
    return columns.gather(1, order), best


def _entries(matrix: sparse.csr_array, device: torch.device) -> tuple[Tensor, Tensor]:
    """Row and column of each stored entry."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return torch.from_numpy(rows).to(device), torch.from_numpy(matrix.indices.astype(np.int64)).to(device)
