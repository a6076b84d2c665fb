"""Attention among the entries of items' content vectors, a meta network, a loss (Ma et al., REARM, MM 2025)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recsys.training.losses import unit

BLOCK = 4096
"""Items whose attention stands in memory at a time."""
N_BYTES = 256


class EntryAttention(nn.Module):
    """Attention among the entries of a vector, each a token of width one, added to the vector that is attended to.

    Biases of keys and output would shift all entries alike, which the softmax or the layer norm behind it takes back,
    so there are none; one of values would too but for dropout, and is left out as well.
    """

    def __init__(self, rate: float) -> None:
        """Scalar maps to queries, keys, values and output; `rate` is the dropout of the attention weights.

        They start as those of torch's `MultiheadAttention` of width one.
        """
        super().__init__()
        self.rate = rate
        self.query = nn.Linear(1, 1)
        self.key, self.value, self.output = (nn.Linear(1, 1, bias=False) for _ in range(3))
        nn.init.zeros_(self.query.bias)
        for linear in (self.query, self.key, self.value):
            nn.init.uniform_(linear.weight, -(1.5**0.5), 1.5**0.5)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        """`asked` plus its attention with queries from `asking`, all of shape (n, width)."""
        query, key, value = self.query(asking[:, :, None]), self.key(asked[:, :, None]), self.value(asked[:, :, None])
        attention = (query @ key.transpose(1, 2)).softmax(dim=2)
        n_kept = round((1 - self.rate) * N_BYTES)
        if self.training and n_kept < N_BYTES:
            attention = attention * (random_bytes(attention) < n_kept)
            value = value * (N_BYTES / max(n_kept, 1))
        return asked + self.output(attention @ value)[..., 0]


def random_bytes(like: Tensor) -> Tensor:
    """Uniform from 0 to 255, eight of a draw: drawing by entry takes nearly half the time of an attention."""
    draws = torch.empty(-(-like.numel() // 8), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    return draws.view(torch.uint8)[: like.numel()].view(like.shape)


class ContentAttention(nn.Module):
    """Self-attention of each source, then cross-attention with queries from the others; both normalised, activated."""

    def __init__(self, n_sources: int, width: int, rates: tuple[float, float], activation: nn.Module) -> None:
        """One attention of either kind for each source; a single source has no cross-attention.

        Args:
            n_sources: at least one.
            width: entries of a source's vector.
            rates: dropout of self-attention and of cross-attention.
            activation: what follows each normalisation.
        """
        super().__init__()
        self.norm, self.activation = nn.LayerNorm(width), activation
        self.own = nn.ModuleList(EntryAttention(rates[0]) for _ in range(n_sources))
        n_cross = n_sources if n_sources > 1 else 0
        self.cross = nn.ModuleList(EntryAttention(rates[1]) for _ in range(n_cross))

    def forward(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """The sources' vectors of some items, each of shape (n, width)."""
        views = [self._after(own(part, part)) for own, part in zip(self.own, parts, strict=True)]
        if not len(self.cross):
            return tuple(views)
        total = torch.stack(views).sum(dim=0)
        others = [(total - view) / (len(views) - 1) for view in views]
        pairs = zip(self.cross, others, views, strict=True)
        return tuple(self._after(cross(other, view)) for cross, other, view in pairs)

    def by_blocks(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """The same for all items; what a block keeps for the backward pass is computed again there."""
        if len(parts[0]) <= BLOCK:
            return list(self(*parts))
        blocks = zip(*(part.split(BLOCK) for part in parts), strict=True)
        done = [checkpoint(self, *block, use_reentrant=False) for block in blocks]
        return [torch.cat(part) for part in zip(*done, strict=True)]

    def _after(self, vectors: Tensor) -> Tensor:
        return self.activation(self.norm(vectors))


class MetaNetwork(nn.Module):
    """A low-rank map of each node's embedding, computed from the node's content."""

    def __init__(self, n_sources: int, width: int, rank: int, *, train_compression: bool = True) -> None:
        """One layer compresses the sources, trained or left as drawn, and two make each side of the map."""
        super().__init__()
        size = width * rank
        self.compress = nn.Linear(n_sources * width, width).requires_grad_(train_compression)
        self.down, self.up = (
            nn.Sequential(nn.Linear(width, size), nn.PReLU(), nn.Linear(size, size)) for _ in range(2)
        )

    def forward(self, embeddings: Tensor, content: Tensor) -> Tensor:
        """Mapped embeddings, shape (n, width); no gradient passes to the content."""
        known, width = self.compress(content.detach()), embeddings.shape[1]
        down = unit(self.down(known)).unflatten(1, (width, -1))
        up = unit(self.up(known)).unflatten(1, (-1, width))
        down, up = ((side + side.mean(dim=0)).softmax(dim=1) for side in (down, up))
        return (embeddings[:, None] @ down @ up)[:, 0]


def orthogonality_loss(one: Tensor, other: Tensor) -> Tensor:
    """Mean square of V'W, where V and W are two views of the same nodes, centred, their rows of length one.

    No gradient passes through the lengths.

    Args:
        one: shape (n, width).
        other: same shape.
    """
    v, w = (rows / (rows.detach().norm(dim=1, keepdim=True) + 1e-6) for rows in map(_centred, (one, other)))
    return (v.T @ w).square().mean()


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(dim=0)
