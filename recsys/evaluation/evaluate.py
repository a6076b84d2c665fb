"""From a fitted model to top-k lists, and from lists to their numbers on the validation or the test part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.arrays import entries
from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.candidates import sample_candidates
from recsys.evaluation.metrics.registry import Lists, metrics
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking, rank
from recsys.recommender import Recommender

Part = Literal["valid", "test"]
LIST_DEPTH = 100
"""Length of the lists that are kept: enough for any cut-off and for re-ranking."""
CELLS_PER_PAIR = 200
"""Scores ranked for each pair trained on: about a fifth of the training of a model without propagation (4 ns a score
and 2 us a pair on Amazon Baby, 5 ns and 18 us on 100,000 users and 50,000 items; both grow with the factors)."""
MIN_PAIRS = 40_960
"""Pairs trained on between two evaluations where an epoch has fewer: 20 steps of 2048."""
MIN_SAMPLE = 6_000
"""Users of a sample at least: the standard error of a mean nDCG is then about .001."""
WORTH = 4
"""How many times as many users as the sample there must be, or else all are ranked."""


@dataclass(frozen=True)
class Measured:
    """What lists are worth.

    Attributes:
        per_user: column `user` and, float64, `recall_at_20` and so on; one row per user with held-out items.
        lists: metrics of all lists together by name, such as `coverage_at_20`.
    """

    per_user: pd.DataFrame
    lists: dict[str, float]

    @property
    def summary(self) -> dict[str, float]:
        """Means over users and the metrics of the lists, by name."""
        means = self.per_user.drop(columns="user").mean()
        return {str(name): float(value) for name, value in means.items()} | self.lists


class Evaluator:
    """Ranks and measures models on one part; what is the same for all models is made once.

    At validation the training items are masked. At test so are the validation items, unless the protocol says
    `mask: train`.
    """

    def __init__(self, dataset: Dataset, part: Part, protocol: Protocol) -> None:
        """UserError where the part is empty."""
        self.dataset, self.part, self.protocol = dataset, part, protocol
        self.truth = dataset.valid if part == "valid" else dataset.test
        self.users = np.flatnonzero(np.diff(self.truth.indptr)).astype(np.int32)
        if not len(self.users):
            raise UserError(f"the {part} part of the split is empty: nothing can be measured; hold out a larger share")

    @cached_property
    def masked(self) -> sparse.csr_array:
        """What cannot be recommended, shape (n_users, n_items)."""
        return self.dataset.train + self.dataset.valid if self.masks_valid else self.dataset.train

    @property
    def masks_valid(self) -> bool:
        """Whether the validation items cannot be recommended."""
        return self.part == "test" and self.protocol.mask == "seen"

    @cached_property
    def candidates(self) -> sparse.csr_array | None:
        """Where negatives are sampled, all that can be recommended; None ranks all items."""
        if self.protocol.n_negatives is None:
            return None
        touched = self.dataset.train + self.dataset.valid + self.dataset.test
        return sample_candidates(self.truth, touched, self.protocol.n_negatives, self.protocol.negatives_seed)

    def rank(self, model: Recommender, depth: int | None = None) -> Ranking:
        """Lists of all users with held-out items, as long as the protocol's largest cut-off or `depth`, if longer."""
        return rank(model, self.users, self.masked, max(self.protocol.depth, depth or 0), self.candidates)

    def rank_for_store(self, model: Recommender) -> Ranking:
        """Lists to be kept: the training items alone are masked, so that either mask can be applied later.

        They are so much longer than `LIST_DEPTH` that as many are left without the validation items, 200 at most.
        """
        extra = int(np.diff(self.dataset.valid.indptr).max(initial=0)) if self.part == "test" else 0
        depth = max(self.protocol.depth, LIST_DEPTH) + min(extra, LIST_DEPTH)
        return rank(model, self.users, self.dataset.train, depth, self.candidates)

    def measure(self, ranking: Ranking) -> Measured:
        """All metrics at all cut-offs of the protocol, of lists made here or kept."""
        ks = sorted({*self.protocol.ks, self.protocol.primary_k})
        if self.masks_valid:
            ranking = ranking.without(self.dataset.valid)
        views = self._views(ranking, ks)
        columns: dict[str, np.ndarray] = {"user": views[ks[0]].users}
        lists: dict[str, float] = {}
        for metric in metrics().values():
            for k, view in views.items():
                value = metric.function(view)
                if metric.per_user:
                    columns[f"{metric.name}_at_{k}"] = np.asarray(value)
                else:
                    lists[f"{metric.name}_at_{k}"] = float(value)
        return Measured(pd.DataFrame(columns), lists)

    def primary(self, ranking: Ranking) -> float:
        """Mean of the primary metric alone."""
        (view,) = self._views(ranking, [self.protocol.primary_k]).values()
        return float(np.mean(metrics()[self.protocol.primary_name].function(view)))

    def _views(self, ranking: Ranking, ks: Sequence[int]) -> dict[int, Lists]:
        """The lists at each cut-off, with what is known of them."""
        return lists_at(ranking, self.truth, self.dataset.train, ks, self.protocol, self.dataset.popularity)


def lists_at(
    ranking: Ranking,
    truth: sparse.csr_array,
    train: sparse.csr_array,
    ks: Sequence[int],
    protocol: Protocol,
    popularity: np.ndarray | None = None,
) -> dict[int, Lists]:
    """What metrics see at each cut-off: the lists of users with held-out items.

    Args:
        ranking: of users with and without held-out items.
        truth: held-out items that count, shape (n_users, n_items).
        train: training interactions, same shape.
        ks: cut-offs.
        protocol: how they are evaluated.
        popularity: column sums of `train`, where they are known already.
    """
    depth = max(protocol.depth, *ks)
    n_relevant = np.diff(truth.indptr)[ranking.users]
    judged = n_relevant > 0
    n_relevant, items = n_relevant[judged], ranking.items[judged, :depth]
    hits = _hits(items, truth[ranking.users[judged]], depth)
    known = np.asarray(train.sum(axis=0)) if popularity is None else popularity
    users = ranking.users[judged]

    def n_ideal(k: int) -> np.ndarray:
        if protocol.ndcg == "truncated":
            return n_relevant
        # As deep as the study looks, or else the same metric would have other values beside further cut-offs.
        return np.maximum(hits[:, : max(protocol.depth, k)].sum(axis=1), 1)

    return {k: Lists(users, items[:, :k], hits[:, :k], n_relevant, n_ideal(k), train, known) for k in ks}


def evaluate(model: Recommender, dataset: Dataset, part: Part, protocol: Protocol) -> Measured:
    """A fitted model's numbers on the validation or the test part."""
    evaluator = Evaluator(dataset, part, protocol)
    return evaluator.measure(evaluator.rank(model))


def validator(dataset: Dataset, protocol: Protocol) -> Callable[[Recommender], float]:
    """The callable for `TrainingData.validate`: mean primary metric on the validation part.

    It stops training and prunes, so on large data it ranks a sample of the users (see `sample_users`). What tunes and
    chooses ranks all of them (see `recsys.engine.cell`).
    """
    evaluator = Evaluator(dataset, "valid", protocol)
    evaluator.users = sample_users(evaluator.users, dataset.n_items, dataset.train.nnz)
    return lambda model: evaluator.primary(evaluator.rank(model))


def sample_users(users: np.ndarray, n_items: int, n_interactions: int) -> np.ndarray:
    """The users that are ranked while a model trains: all, or where that costs too much a fixed sample of them.

    A sample has as many users as can be ranked in about a fifth of the time that a pairwise model trains between two
    evaluations, and at least `MIN_SAMPLE`. It is taken only where there are more than `WORTH` times as many users.
    The rule knows sizes and no clock, so that all models, machines and repetitions rank the same users.

    Args:
        users: with held-out items, ascending, shape (n,).
        n_items: items to rank.
        n_interactions: training interactions.
    """
    size = max(MIN_SAMPLE, CELLS_PER_PAIR * max(n_interactions, MIN_PAIRS) // n_items)
    if len(users) <= WORTH * size:
        return users
    rng = np.random.default_rng((len(users), n_items, n_interactions))
    return np.sort(rng.choice(users, size, replace=False))


def _hits(items: np.ndarray, truth: sparse.csr_array, depth: int) -> np.ndarray:
    """Where the lists hold held-out items, bool, as long as the lists and at least `depth`."""
    hits = np.zeros((len(items), max(depth, items.shape[1])), dtype=bool)
    rows, held_out = entries(truth)
    entry, place = np.nonzero(items[rows] == held_out[:, None])
    hits[rows[entry], place] = True
    return hits
