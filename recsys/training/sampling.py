"""Training batches of pairs, each with one item that the user did not touch.

Negatives are drawn uniformly from the items that occur in training, as the peers do, but without their
rejection loop: the r-th item that a user has *not* seen is looked up directly, for a whole epoch at once.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from recsys.errors import UserError

Triples = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Users, positive items and negative items of a batch: three int64 arrays of one length."""


class PairSampler:
    """Draws (user, positive, negative) triples from training interactions.

    Pairs of users who have seen every training item are left out: nothing could be their negative.
    """

    def __init__(self, train: sparse.csr_array, batch_size: int) -> None:
        """Prepare the look-up; UserError if no user has an item that could be a negative.

        Args:
            train: interactions, shape (n_users, n_items); non-zero entries are the positives.
            batch_size: triples a batch; the last batch of an epoch is smaller.
        """
        self.batch_size = batch_size
        seen = sparse.csr_array(train, copy=True)
        seen.sum_duplicates()
        self._catalogue = np.unique(seen.indices).astype(np.int64)
        lengths = np.diff(seen.indptr)
        users = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
        self._n_unseen = len(self._catalogue) - lengths
        usable = self._n_unseen[users] > 0
        if not usable.any():
            raise UserError(
                f"training data with {seen.nnz} interactions: no user leaves an item untouched to learn from; "
                "use more items or fewer interactions a user"
            )
        self._users, self._items = users[usable], seen.indices[usable].astype(np.int64)
        # Before the j-th seen item of a user (at position s_j of the catalogue) lie s_j - j unseen ones. These
        # numbers rise within a user, so user * stride + (s_j - j) is one sorted array for all users.
        self._starts = seen.indptr[:-1].astype(np.int64)
        rank = np.arange(seen.nnz) - self._starts[users]
        self._stride = np.int64(len(self._catalogue) + 1)
        self._keys = users * self._stride + np.searchsorted(self._catalogue, seen.indices) - rank

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._users) // self.batch_size)

    def negatives(self, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One item for each of `users`, uniform over the training items the user has not seen.

        Args:
            users: user indices, each with an unseen training item, shape (n,).
            rng: source of randomness.

        Returns:
            Item indices, int64, shape (n,).
        """
        r = rng.integers(self._n_unseen[users])
        n_seen_before = np.searchsorted(self._keys, users * self._stride + r, side="right") - self._starts[users]
        return self._catalogue[r + n_seen_before]

    def epoch(self, rng: np.random.Generator) -> Iterator[Triples]:
        """All training pairs in a new order, cut into batches, with new negatives."""
        order = rng.permutation(len(self._users))
        users, positives = self._users[order], self._items[order]
        negatives = self.negatives(users, rng)
        for start in range(0, len(order), self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield users[rows], positives[rows], negatives[rows]


class UserSampler(PairSampler):
    """Draws batches of distinct users, each with one of their items: every user weighs the same.

    What the code of LATTICE, MICRO, MMSSL and others samples by. An epoch has as many batches as one of all pairs.
    """

    def epoch(self, rng: np.random.Generator) -> Iterator[Triples]:
        """Batches of distinct users, each with a random positive and a random negative."""
        users, starts, counts = np.unique(self._users, return_index=True, return_counts=True)
        for _ in range(len(self)):
            drawn = rng.permutation(len(users))[: self.batch_size]
            positives = self._items[starts[drawn] + rng.integers(counts[drawn])]
            yield users[drawn], positives, self.negatives(users[drawn], rng)
