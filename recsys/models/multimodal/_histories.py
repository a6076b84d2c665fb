"""Users' histories, and a light transformer over them (Wei et al., LightGT, SIGIR 2023)."""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import embedding, leaky_relu, linear

from recsys.training.randomness import dropout

USERS_AT_ONCE = 256
SHARPNESS = 1 / 100  # the published attention is a hundred times flatter than a transformer's


@dataclass(frozen=True)
class Histories:
    """Items that users took, one user after the other.

    Attributes:
        starts: where a user's begin, int64, shape (n_users,).
        lengths: how many they are, same shape.
        items: int64, shape (their sum,).
    """

    starts: Tensor
    lengths: Tensor
    items: Tensor

    @classmethod
    def draw(cls, train: sparse.csr_array, most: int, rng: np.random.Generator) -> "Histories":
        """All items of short histories, and of long ones so many at random."""
        counts = np.diff(train.indptr)
        users = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((rng.random(len(users)), users))
        kept = np.arange(len(users)) - train.indptr[users] < most
        lengths = np.minimum(counts, most)
        parts = (np.cumsum(lengths) - lengths, lengths, train.indices[order[kept]])
        return cls(*(torch.from_numpy(part.astype(np.int64)) for part in parts))

    def to(self, device: torch.device) -> "Histories":
        """The same on a device."""
        return Histories(self.starts.to(device), self.lengths.to(device), self.items.to(device))

    def blocks(self, users: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The users in blocks of about one length of history, so that little is padded.

        Yields:
            Positions among `users`, shape (n,); their items, shape (n, longest); which of these are there, same shape.
        """
        for rows in self.lengths[users].argsort().split(USERS_AT_ONCE):
            lengths, starts = self.lengths[users[rows]][:, None], self.starts[users[rows]][:, None]
            slots = torch.arange(int(lengths.max()), device=users.device)
            yield rows, self.items[(starts + slots).clamp(max=len(self.items) - 1)], slots < lengths


class HistoryAttention(nn.Module):
    """One layer: no residual, and nothing after the normalisation.

    Maps that follow each other are multiplied first, and a bias of keys would cancel in the softmax, so there is none.
    """

    def __init__(self, width: int) -> None:
        """Queries, keys, values and the output as torch's linear layers start."""
        super().__init__()
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key, self.norm = nn.Linear(width, width, bias=False), nn.LayerNorm(width)

    def queries(self, placed: Tensor) -> Tensor:
        """Vectors whose inner products with `placed` slots are the logits of attention, shape as given."""
        scale = SHARPNESS / math.sqrt(placed.shape[-1])
        key = self.key.weight * scale
        return linear(placed, key.T @ self.query.weight, self.query.bias @ key)

    def forward(self, slots: Tensor, placed: Tensor, queries: Tensor, known: Tensor, rate: float) -> Tensor:
        """New vectors of the slots that queries come from, shape of `queries`.

        Args:
            slots: shape (n_users, n_slots, width).
            placed: slots with their positions added, same shape.
            queries: of all slots or of the first, shape (n_users, n_slots or 1, width).
            known: slots that are attended to, bool, shape (n_users, n_slots).
            rate: dropout of the attention weights.
        """
        logits = (queries @ placed.mT).masked_fill(~known[:, None], -torch.inf)
        shares = dropout(logits.softmax(dim=2), rate)
        bias = linear(self.value.bias, self.out.weight, self.out.bias)
        return self.norm(linear(shares @ slots, self.out.weight @ self.value.weight, bias))


class Transformer(nn.Module):
    """Users' vectors in one source, from their token and the items of their history."""

    def __init__(self, width: int, n_layers: int) -> None:
        """All layers start alike."""
        super().__init__()
        layer = HistoryAttention(width)
        self.layers = nn.ModuleList(deepcopy(layer) for _ in range(n_layers))
        self.position, self.dense = nn.Linear(width, width), nn.Linear(width, width)

    def forward(
        self, table: Tensor, known: Tensor, depths: list[Tensor], blocks: list[tuple[Tensor, Tensor]], rate: float
    ) -> Tensor:
        """Vectors of the users, in the order of the blocks, shape (n_users, width).

        Args:
            table: what can stand in a slot, shape (n, width).
            known: rows of it that are attended to, shape (n,).
            depths: rows that positions are made of, in the order of the table, for each layer or once for all.
            blocks: rows of the table in users' slots, the user's own first, and which slots are filled.
            rate: dropout of the attention weights.
        """
        layers = cast(list[HistoryAttention], list(self.layers))
        places = [self.position(depth).sigmoid() for depth in depths] * (len(layers) // len(depths))
        start = table, table + places[0], layers[0].queries(table + places[0])
        found = []
        for index, filled in blocks:
            slots, placed, queries = (embedding(index, each) for each in start)
            attended = filled & known[index]
            for layer, following, place in zip(layers[:-1], layers[1:], places[1:], strict=True):
                slots = layer(slots, placed, queries, attended, rate)
                placed = slots + embedding(index, place)
                queries = following.queries(placed[:, :1] if following is layers[-1] else placed)
            found.append(layers[-1](slots, placed, queries[:, :1], attended, rate)[:, 0])
        return leaky_relu(self.dense(torch.cat(found)))
