"""Losses that trained models share, each with the scale its papers mean.

The regularisers are told apart by name because their weights are not comparable: a published weight of 2.0 makes
sense with `embedding_norm_loss` only.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

_SMALLEST_NORM = 1e-6
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


def info_nce_loss(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """InfoNCE of two views of the same nodes: each row's own counterpart must be nearest to it among all.

    The mean of -log softmax(cosines / temperature) at the row's own counterpart (van den Oord et al., 2018, eq. 4).

    Args:
        one: embeddings, shape (batch, n_factors).
        other: the same nodes otherwise seen, same shape.
        temperature: the lower, the more the nearest of the others count.
    """
    logits = (unit(one) / temperature) @ unit(other).T
    return cross_entropy(logits, torch.arange(len(one), device=one.device))


def two_view_loss(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """InfoNCE where the rows of `one` also compete with each other (Zhu et al., GRACE, 2020, eq. 1), one direction.

    The mean of -log(e^cos(a_i, b_i)/t / (sum_j e^cos(a_i, b_j)/t + sum_(j != i) e^cos(a_i, a_j)/t)).

    Args:
        one: embeddings a, shape (batch, n_factors).
        other: the same nodes otherwise seen, b, same shape.
        temperature: t, the lower, the more the nearest of the others count.
    """
    a = unit(one)
    logits = (a / temperature) @ torch.cat([unit(other), a]).T
    logits.detach()[:, len(one) :].fill_diagonal_(-torch.inf)  # in place: where a softmax is zero, so is its gradient
    return cross_entropy(logits, torch.arange(len(one), device=one.device))


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
