"""What networks that read whole profiles share: batches of users, and a first layer that touches their items only."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding_bag

from recsys.recommender import TrainingData
from recsys.training.network import FactorNetwork
from recsys.training.randomness import step_generator

Profiles = tuple[Tensor, ...]
"""Two int64 tensors: the items of some users one after the other, shape (n_interactions,), and where those of each
begin, shape (n_users + 1,)."""


class ProfileNetwork(FactorNetwork):
    """A network whose inputs and targets are rows of the training matrix."""

    def __init__(self, data: TrainingData, batch_size: int, dropout: float) -> None:
        """Keep the rows of `data.train`; users without interactions are not learnt from.

        Args:
            data: what to learn from.
            batch_size: users a step.
            dropout: share of the interactions that the first layer does not see in a step.
        """
        super().__init__()
        self.train_matrix, self.batch_size, self.dropout = data.train, batch_size, dropout
        self.learners = np.flatnonzero(np.diff(data.train.indptr))
        self.seed = data.seed

    @cached_property
    def draws(self) -> torch.Generator:
        """Source of what a step draws, on the device where training takes place."""
        return step_generator(self.seed, self.device)

    def batches(self, rng: np.random.Generator) -> Iterator[Profiles]:
        """All users with interactions in a new order."""
        order = rng.permutation(self.learners)
        for start in range(0, len(order), self.batch_size):
            yield self.profiles(self.train_matrix[order[start : start + self.batch_size]])

    def profiles(self, rows: sparse.csr_array) -> Profiles:
        """Rows of the training matrix as tensors on the device."""
        items, starts = (torch.from_numpy(part.astype(np.int64)) for part in (rows.indices, rows.indptr))
        return items.to(self.device), starts.to(self.device)

    def first_layer(self, profiles: Profiles, entries: Tensor, weights: Tensor) -> Tensor:
        """Sparse rows times `weights`, shape (n_users, n_outputs): only the items of the profiles are read.

        Args:
            profiles: where the rows have entries.
            entries: their values, shape (n_interactions,); while training some are left out, and the others grow
                so that the expected sum stays.
            weights: shape (n_items, n_outputs).
        """
        items, starts = profiles
        if self.training and self.dropout > 0:
            kept = torch.rand(entries.shape, generator=self.draws, device=entries.device) >= self.dropout
            entries = entries * kept / (1 - self.dropout)
        return embedding_bag(items, weights, starts, mode="sum", per_sample_weights=entries, include_last_offset=True)


def owners(starts: Tensor) -> Tensor:
    """The user that each interaction of `Profiles` belongs to, shape (n_interactions,)."""
    return torch.repeat_interleave(torch.arange(len(starts) - 1, device=starts.device), starts.diff())
