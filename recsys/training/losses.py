"""Losses that trained models share, each with the scale its papers mean.

The regularisers are told apart by name because their weights are not comparable: a published weight of 2.0 makes
sense with `embedding_norm_loss` only.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

_SMALLEST_NORM = 1e-6
_TINY = 1e-30  # keeps the gradient of the root finite at zero, several times faster than the norm's own guard


def unit(x: Tensor) -> Tensor:
    """Rows divided by their norms, shape as given; rows shorter than 1e-6 become zero and get no gradient.

    Rows of zeros are ordinary here: cold items, absent content. `torch.nn.functional.normalize` has a gradient of
    1e12 there, after which Adam never moves the row again, nor a bias that it hangs on, while the loss still falls.
    """
    return _Unit.apply(x)


class _Unit(torch.autograd.Function):
    """Unit rows, with the gradient (g - y (y . g)) / |x| in three passes over the rows, where autograd takes nine."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        norms = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        inverse = norms.where(norms > _SMALLEST_NORM, torch.inf).reciprocal_()
        y = x * inverse
        ctx.save_for_backward(y, inverse)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        y, inverse = ctx.saved_tensors
        along = torch.linalg.vecdot(y, gradients[0]).unsqueeze(-1)
        return torch.addcmul(gradients[0], y, along, value=-1).mul_(inverse)


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


def moment_alignment_loss(views: Sequence[Tensor]) -> Tensor:
    """How far variances and means of views are apart, summed over pairs of views (Xu et al., MENTOR, AAAI 2025).

    Args:
        views: of any shapes.
    """
    found = [moments(view) for view in views]
    return torch.stack([(one - other).abs().sum() for one, other in combinations(found, 2)]).sum()


def bpr_loss(positive: Tensor, negative: Tensor) -> Tensor:
    """Bayesian personalised ranking: the mean of -log sigmoid(positive - negative) (Rendle et al., UAI 2009, eq. 4).

    Args:
        positive: scores of the items the users chose, shape (batch,).
        negative: scores of the items they did not, shape (batch,).
    """
    return softplus(negative - positive).mean()


def factor_bpr_loss(users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """BPR where the scores are inner products of vectors.

    Args:
        users: shape (batch, n_factors).
        positives: of the items that they chose, same shape.
        negatives: of items that they did not, same shape.
    """
    return bpr_loss((users * positives).sum(dim=1), (users * negatives).sum(dim=1))


def square_sum(x: Tensor) -> Tensor:
    """Sum of the squares of all entries, a scalar."""
    return _SquareSum.apply(x)


class _SquareSum(torch.autograd.Function):
    """Sum of squares, with its gradient in one pass, where autograd takes four."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.linalg.vecdot(x, x).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return x * (2 * gradients[0])


def embedding_norm_loss(*blocks: Tensor) -> Tensor:
    """Sum of the blocks' Frobenius norms, not squared, divided by the rows of the last block (RecBole's EmbLoss).

    Args:
        blocks: embeddings of a batch, each of shape (batch, n_factors).
    """
    squares = torch.stack([square_sum(block) for block in blocks])
    return (squares + _TINY).sqrt().sum() / len(blocks[-1])


def squared_l2_loss(*blocks: Tensor) -> Tensor:
    """Half the squared norm of all blocks, divided by the rows of the last block (He et al., SIGIR 2020, eq. 15).

    Args:
        blocks: embeddings of a batch, each of shape (batch, n_factors).
    """
    return torch.stack([square_sum(block) for block in blocks]).sum() / (2 * len(blocks[-1]))
