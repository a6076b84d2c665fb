"""Losses that trained models share, each with the scale its papers mean.

The regularisers are told apart by name because their weights are not comparable: a published weight of 2.0 makes
sense with `embedding_norm_loss` only.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

_SMALLEST_NORM = 1e-6
_BLOCK = 2**20  # products at a time that stay in a processor's cache
_TINY = 1e-30  # keeps the gradient of the root finite at zero, several times faster than the norm's own guard


def unit(x: Tensor) -> Tensor:
    """Rows divided by their norms, shape as given; rows shorter than 1e-6 become zero and get no gradient.

    Rows of zeros are ordinary here: cold items, absent content. `torch.nn.functional.normalize` has a gradient of
    1e12 there, after which Adam never moves the row again, nor a bias that it hangs on, while the loss still falls.
    """
    norms = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / norms.where(norms > _SMALLEST_NORM, torch.inf)


@torch.no_grad()
def orthant_noise(x: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Random directions of length one in the orthants of the rows, shape as given; zero where a row is.

    Noise by which a node is to be recognised (Yu et al., SimGCL, SIGIR 2022, eq. 4).
    """
    return unit(torch.rand(x.shape, generator=rng, device=x.device)).mul_(x.sign())


def moments(x: Tensor) -> Tensor:
    """Variance and mean over all entries, shape (2,); alike in two views of one distribution."""
    mean = x.mean()
    variance = (x.square().mean() - mean.square()) * (x.numel() / (x.numel() - 1))
    return torch.stack([variance, mean])  # several times faster than var_mean


def bpr_loss(positive: Tensor, negative: Tensor) -> Tensor:
    """Bayesian personalised ranking: the mean of -log sigmoid(positive - negative) (Rendle et al., UAI 2009, eq. 4).

    Args:
        positive: scores of the items the users chose, shape (batch,).
        negative: scores of the items they did not, shape (batch,).
    """
    return softplus(negative - positive).mean()


def embedding_norm_loss(*blocks: Tensor) -> Tensor:
    """Sum of the blocks' Frobenius norms, not squared, divided by the rows of the last block (RecBole's EmbLoss).

    Args:
        blocks: embeddings of a batch, each of shape (batch, n_factors).
    """
    squares = torch.stack([block.square().sum() for block in blocks])
    return (squares + _TINY).sqrt().sum() / len(blocks[-1])


def squared_l2_loss(*blocks: Tensor) -> Tensor:
    """Half the squared norm of all blocks, divided by the rows of the last block (He et al., SIGIR 2020, eq. 15).

    Args:
        blocks: embeddings of a batch, each of shape (batch, n_factors).
    """
    return sum((block.square().sum() for block in blocks), start=torch.zeros(())) / (2 * len(blocks[-1]))


def info_nce_loss(one: Tensor, other: Tensor, temperature: float, against: Tensor | None = None) -> Tensor:
    """InfoNCE of two views of the same nodes: each row's own counterpart must be nearest to it among all.

    The mean of -log softmax(cosines / temperature) at the row's own counterpart (van den Oord et al., 2018, eq. 4).

    Args:
        one: embeddings, shape (batch, n_factors).
        other: the same nodes otherwise seen, same shape.
        temperature: the lower, the more the nearest of the others count.
        against: candidates, the rows' counterparts among them, shape (n, n_factors); None: the rows of `other`.
    """
    rows = unit(one) / temperature
    if against is None:
        return cross_entropy(rows @ unit(other).T, torch.arange(len(one), device=one.device))
    return log_sum_exp(rows, unit(against)) - (rows * unit(other)).sum(dim=1).mean()


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
    logs = rows.new_zeros(len(candidates)) if counts is None else counts.to(rows.dtype).log()
    return _LogSumExp.apply(rows, candidates, shares, logs, without)


class _LogSumExp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, candidates: Tensor, shares: Tensor, logs: Tensor, without: Tensor | None
    ) -> Tensor:
        total, for_rows, for_candidates = rows.new_zeros(()), torch.empty_like(rows), torch.zeros_like(candidates)
        n = max(_BLOCK // len(candidates), 1)
        for start in range(0, len(rows), n):
            block, share = rows[start : start + n], shares[start : start + n]
            products = (block @ candidates.T).add_(logs)
            if without is not None:
                products.scatter_(1, without[start : start + n, None], -torch.inf)
            largest = products.amax(dim=1)
            sums = products.sub_(largest[:, None]).exp_().sum(dim=1)
            total += (share * (sums.log() + largest)).sum()
            products.mul_((share / sums)[:, None])
            for_rows[start : start + n] = products @ candidates
            for_candidates.addmm_(products.T, block)
        ctx.save_for_backward(for_rows, for_candidates)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        for_rows, for_candidates = ctx.saved_tensors
        return gradients[0] * for_rows, gradients[0] * for_candidates, None, None, None
