"""Contrasts: two views of a node are told from those of others; many candidates are gone through block by block."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from recsys.training.losses import unit

_BLOCK, _STEP = 2**18, 128
"""Products at a time that stay in a processor's cache."""


def info_nce_loss(one: Tensor, other: Tensor, temperature: float, counts: Tensor | None = None) -> Tensor:
    """InfoNCE of two views of the same nodes: each row's own counterpart must be nearest to it among all.

    The mean of -log softmax(cosines / temperature) at the row's own counterpart (van den Oord et al., 2018, eq. 4).

    Args:
        one: embeddings, shape (batch, n_factors).
        other: the same nodes otherwise seen, same shape.
        temperature: the lower, the more the nearest of the others count.
        counts: how often each node stands in the batch, shape (batch,); None: once.
    """
    rows, candidates = unit(one) / temperature, unit(other)
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
    """Sum over i of p_i log sum over c of w_c e^{<rows_i, candidates_c>}, a scalar; what all rows are weighed against.

    Block by block, gradients included, so that the products of all rows with all candidates never stand in memory.

    Args:
        rows: shape (n, n_factors).
        candidates: shape (m, n_factors).
        shares: p, shape (n,); None: 1/n each, a mean.
        counts: w, how often each candidate stands for itself, positive, shape (m,); None: once.
        without: the candidate that each row leaves out, such as itself, shape (n,); None: none.
    """
    shares = rows.new_full((len(rows),), 1 / len(rows)) if shares is None else shares
    logs = None if counts is None else counts.to(rows.dtype).log()
    return _LogSumExp.apply(rows, candidates, shares, logs, without)


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
        n = max(_BLOCK // len(candidates), 1)
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

    One matrix of cosines serves both directions and the gradient, and none is kept for the backward pass.

    Args:
        one: embeddings, shape (n, n_factors).
        other: the same nodes otherwise seen, same shape.
        temperature: as for `info_nce_loss`, at least 0.025: below, float32 cannot hold the smallest terms.
    """
    return _MutualInfoNCE.apply(unit(one), unit(other), temperature) if len(one) else one.sum() + other.sum()


class _MutualInfoNCE(torch.autograd.Function):
    """On unit rows; the gradients are computed with the loss, while the matrix is at hand."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, other: Tensor, temperature: float) -> Tensor:
        largest, scale = one.new_full((1, 1), 1 / temperature), 1 / (len(one) * temperature)
        shares = torch.addmm(-largest, one, other.T, alpha=1 / temperature).exp_()
        rows, columns = shares.sum(dim=1), shares.sum(dim=0)
        shares.mul_(1 / rows[:, None] + 1 / columns)
        shares.diagonal().sub_(2)
        ctx.save_for_backward(scale * (shares @ other), scale * (shares.T @ one))
        return (rows.log() + columns.log()).mean() + 2 * largest[0, 0] - 2 * scale * (one * other).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        for_one, for_other = ctx.saved_tensors
        return gradients[0] * for_one, gradients[0] * for_other, None
