"""Contrastive losses (InfoNCE and its relatives), block by block so that no matrix of all pairs stands in memory."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from recsys.training.losses import unit

_BLOCK = 2**18
"""Products at a time that stay in a processor's cache."""
_GPU_BLOCK = 2**26
"""Products at a time that keep a GPU busy."""
_STEP = 128


def info_nce_loss(one: Tensor, other: Tensor, temperature: float, counts: Tensor | None = None) -> Tensor:
    """InfoNCE of two views of the same nodes: each row's own counterpart must be nearest to it among all.

    The mean of -log softmax(cosines / temperature) at the row's own counterpart (van den Oord et al., 2018, eq. 4).

    Args:
        one: embeddings, shape (batch, n_factors).
        other: the same nodes otherwise seen, same shape.
        temperature: the lower, the more the hardest negatives count.
        counts: multiplicity of each node in the batch, shape (batch,); None: one.
    """
    return softmax_loss(unit(one) / temperature, unit(other), counts)


def softmax_loss(rows: Tensor, candidates: Tensor, counts: Tensor | None = None) -> Tensor:
    """Each row must have the largest product with its own candidate: the mean of -log softmax(products) at it.

    Args:
        rows: shape (batch, n_factors), one for each node.
        candidates: of the same nodes, same shape.
        counts: multiplicity of each node in the batch, shape (batch,); None: one.
    """
    shares = rows.new_full((len(rows),), 1 / len(rows)) if counts is None else counts / counts.sum()
    return log_sum_exp(rows, candidates, shares, counts) - shares @ (rows * candidates).sum(dim=1)


def two_view_loss(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """InfoNCE against the other rows of both views (Zhang et al., MICRO, TKDE 2022).

    The mean of -log e^{cos(a_i, b_i)/t} / (sum_j e^{cos(a_i, b_j)/t} + sum_{j != i} e^{cos(a_i, a_j)/t}).

    Args:
        one: embeddings a, shape (n, n_factors).
        other: the same nodes otherwise seen, b, same shape.
        temperature: t.
    """
    a, b = unit(one), unit(other)
    own = torch.arange(len(a), 2 * len(a), device=a.device)
    among = log_sum_exp(a / temperature, torch.cat([b, a]), without=own)
    return among - (a * b).sum(dim=1).mean() / temperature


def log_sum_exp(
    rows: Tensor,
    candidates: Tensor,
    shares: Tensor | None = None,
    counts: Tensor | None = None,
    without: Tensor | None = None,
) -> Tensor:
    """Sum over i of p_i log sum over c of w_c e^{<rows_i, candidates_c>}, a scalar: the denominators of InfoNCE.

    Block by block, gradients included, so that the products of all rows with all candidates never stand in memory.

    Args:
        rows: shape (n, n_factors).
        candidates: shape (m, n_factors).
        shares: p, shape (n,); None: 1/n each, a mean.
        counts: w, multiplicity of each candidate, positive, shape (m,); None: one.
        without: the candidate that each row leaves out, such as itself, shape (n,); None: none.
    """
    shares = rows.new_full((len(rows),), 1 / len(rows)) if shares is None else shares
    logs = None if counts is None else counts.to(rows.dtype).log()
    return _LogSumExp.apply(rows, candidates, shares, logs, without)


def _rows_at_a_time(rows: Tensor, n_candidates: int) -> int:
    return max((_GPU_BLOCK if rows.is_cuda else _BLOCK) // n_candidates, 1)


class _LogSumExp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        candidates: Tensor,
        shares: Tensor,
        logs: Tensor | None,
        without: Tensor | None,
    ) -> Tensor:
        n_rows, n_candidates = len(rows), len(candidates)
        rows, shares, candidates = _padded(rows), _padded(shares), _padded(candidates)
        columns = candidates.T.contiguous()
        total, for_rows, for_columns = rows.new_zeros(()), torch.empty_like(rows), torch.zeros_like(columns)
        n = _rows_at_a_time(rows, len(candidates))
        for start in range(0, len(rows), n):
            block, share = rows[start : start + n], shares[start : start + n, None]
            products = block @ columns
            products[:, n_candidates:] = -torch.inf
            if logs is not None:
                products[:, :n_candidates] += logs
            if without is not None:
                left_out = without[start : start + n, None]
                products[: len(left_out)].scatter_(1, left_out, -torch.inf)
            chosen = products.softmax(dim=1)  # faster than exp alone; the largest of both tell the sum of exps
            total += (share * (products.amax(dim=1) - chosen.amax(dim=1).log())[:, None]).sum()
            torch.mul(chosen @ columns.T, share, out=for_rows[start : start + n])
            for_columns += (share * block).T @ chosen
        ctx.save_for_backward(for_rows[:n_rows], for_columns.T[:n_candidates])
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        for_rows, for_candidates = ctx.saved_tensors
        return gradients[0] * for_rows, gradients[0] * for_candidates, None, None, None


def _padded(rows: Tensor) -> Tensor:
    """Zeros below, so that batches of nearly as many distinct nodes have products of the same shape."""
    return pad(rows, (0, 0) * (rows.dim() - 1) + (0, -len(rows) % _STEP))


def mutual_info_nce_loss(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """InfoNCE in both directions, summed; zero where there are no rows.

    The same exponentials serve both directions and the gradient, block by block.

    Args:
        one: embeddings, shape (n, n_factors).
        other: the same nodes otherwise seen, same shape.
        temperature: as for `info_nce_loss`, at least 0.025: below, float32 cannot hold the smallest terms.
    """
    return _MutualInfoNCE.apply(unit(one), unit(other), temperature) if len(one) else one.sum() + other.sum()


class _MutualInfoNCE(torch.autograd.Function):
    """Mutual InfoNCE of unit rows; the gradients are computed with the loss."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, other: Tensor, temperature: float) -> Tensor:
        n, largest = len(one), one.new_full((1, 1), 1 / temperature)
        one, other = _padded(one), _padded(other)
        size = _rows_at_a_time(one, len(other))
        starts = range(0, len(one), size)

        def exponentials(start: int) -> Tensor:
            products = torch.addmm(-largest, one[start : start + size], other.T, alpha=1 / temperature).exp_()
            products[max(n - start, 0) :] = 0
            products[:, n:] = 0
            return products

        rows, columns = [], one.new_zeros(len(other))
        for start in starts:
            products = exponentials(start)
            rows.append(products.sum(dim=1))
            columns += products.sum(dim=0)
        sums = torch.cat(rows)
        sums[n:], columns[n:] = 1, 1
        for_one, for_other = torch.empty_like(one), -2 * one
        for start in starts:
            block = slice(start, start + size)
            products = exponentials(start).mul_(1 / sums[block, None] + 1 / columns)
            torch.mm(products, other, out=for_one[block])
            for_other.addmm_(products.T, one[block])
        scale = 1 / (n * temperature)
        ctx.save_for_backward(scale * (for_one - 2 * other)[:n], scale * for_other[:n])
        logs = (sums.log() + columns.log()).sum() / n
        return logs + 2 * largest[0, 0] - 2 * scale * (one * other).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        for_one, for_other = ctx.saved_tensors
        return gradients[0] * for_one, gradients[0] * for_other, None
