"""What users took, laid out for a network that reads it item by item."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

USERS_AT_ONCE = 256


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
