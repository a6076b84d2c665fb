"""The adversary of MMSSL: a discriminator of users' similarities to all items (Wei et al., MMSSL, WWW 2023).

Rows of similarities by one source are fake, rows made of the final vectors and the interactions are real.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.training.losses import unit

GRADIENT_PENALTY = 0.3
NOISE = 0.002  # scale of the Gumbel noise in real rows, as published
SCORED = 100  # weight in real rows of the similarities by final vectors, as published


class Discriminator(nn.Sequential):
    """Linear maps of a row to a number from 0 to 100; as published, without a nonlinearity between them."""

    def __init__(self, n_items: int, n_hidden: int) -> None:
        """Draw the maps; a bias before a normalisation would have no effect."""
        first = nn.Linear(n_items, n_hidden, bias=False), nn.BatchNorm1d(n_hidden), nn.Dropout(0.31)
        second = nn.Linear(n_hidden, n_hidden // 2, bias=False), nn.BatchNorm1d(n_hidden // 2), nn.Dropout(0.5)
        last = nn.Linear(n_hidden // 2, 1)
        nn.init.zeros_(last.bias)
        for linear in (first[0], second[0], last):
            nn.init.kaiming_normal_(linear.weight)
        super().__init__(*first, *second, last, nn.Sigmoid())

    def forward(self, rows: Tensor) -> Tensor:
        """Shape (n_rows, 1)."""
        return 100 * super().forward(rows)

    def loss(self, fakes: Tensor, real: Tensor) -> Tensor:
        """WGAN-GP of fake rows and as many real ones, with the gradient penalty between both."""
        share = torch.rand(len(fakes), 1, device=fakes.device)
        between = torch.lerp(fakes, real, share).requires_grad_()
        (slopes,) = torch.autograd.grad(self(between).sum(), between, create_graph=True)
        excess = torch.linalg.vector_norm(slopes, dim=1) - 1
        return self(fakes).mean() - self(real).mean() + GRADIENT_PENALTY * excess.square().mean()


def similarity_rows(users: Tensor, history: Tensor, views: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Inner products of users with the items that they did not take, rows of length one, one view below the other.

    Args:
        users: shape (n,).
        history: which items they took, 0 or 1, shape (n, n_items).
        views: vectors of all users and of all items, each of shape (n, n_factors).

    Returns:
        Shape (len(views) * n, n_items).
    """
    untaken = 1 - history
    return torch.cat([unit((embedding(users, one) @ other.T) * untaken) for one, other in views])


def real_rows(scored: Tensor, history: Tensor) -> Tensor:
    """Softmax of the interactions with Gumbel noise, and the similarities by final vectors; rows of length one.

    Args:
        scored: as `similarity_rows` gives them, shape (n, n_items).
        history: which items the users took, same shape.
    """
    gumbel = -torch.empty_like(scored).exponential_().log()
    return unit((history + NOISE * gumbel).softmax(dim=1) + SCORED * scored)
