"""From a fitted model to its numbers on the validation or the test part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from recsys.data.dataset import Dataset
from recsys.errors import UserError
from recsys.evaluation.candidates import sample_candidates
from recsys.evaluation.lists import list_metrics
from recsys.evaluation.metrics import per_user
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking, rank
from recsys.models.base import Recommender

Part = Literal["valid", "test"]
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
class Evaluation:
    """What a model's lists are worth.

    Attributes:
        ranking: the lists of all users with held-out items.
        per_user: column `user` and the metrics of each such user (see `recsys.evaluation.metrics.per_user`).
        lists: metrics of all lists together (see `recsys.evaluation.lists.list_metrics`).
    """

    ranking: Ranking
    per_user: pd.DataFrame
    lists: dict[str, float]

    @property
    def summary(self) -> dict[str, float]:
        """Means over users and the metrics of the lists, by name."""
        means = self.per_user.drop(columns="user").mean()
        return {str(name): float(value) for name, value in means.items()} | self.lists


class Evaluator:
    """Evaluates models on one part; what is the same for all models is made once.

    At validation the training items are masked. At test so are the validation items, unless the protocol says
    `mask: train`.
    """

    def __init__(self, dataset: Dataset, part: Part, protocol: Protocol) -> None:
        """UserError where the part is empty."""
        self.protocol = protocol
        self.truth = dataset.valid if part == "valid" else dataset.test
        self.users = np.flatnonzero(np.diff(self.truth.indptr)).astype(np.int32)
        if not len(self.users):
            raise UserError(f"the {part} part of the split is empty: nothing can be measured; hold out a larger share")
        both = part == "test" and protocol.mask == "seen"
        self.masked = dataset.train + dataset.valid if both else dataset.train
        self.popularity = np.asarray(dataset.train.sum(axis=0))
        self.candidates = None
        if protocol.n_negatives is not None:
            touched = dataset.train + dataset.valid + dataset.test
            self.candidates = sample_candidates(self.truth, touched, protocol.n_negatives, protocol.negatives_seed)

    def __call__(self, model: Recommender) -> Evaluation:
        """All metrics at all cut-offs of the protocol."""
        ranking = self.rank(model)
        k = _cut_off(self.protocol.primary)
        ks = sorted({*self.protocol.ks, k})
        frame = per_user(ranking, self.truth, ks, self.protocol.ndcg)
        return Evaluation(ranking, frame, list_metrics(ranking, self.popularity, ks))

    def primary(self, model: Recommender) -> float:
        """Mean of the primary metric alone."""
        name = self.protocol.primary
        return float(per_user(self.rank(model), self.truth, [_cut_off(name)], self.protocol.ndcg)[name].mean())

    def rank(self, model: Recommender) -> Ranking:
        """Lists of all users with held-out items, as long as the protocol's largest cut-off."""
        return rank(model, self.users, self.masked, self.protocol.depth, self.candidates)


def evaluate(model: Recommender, dataset: Dataset, part: Part, protocol: Protocol) -> Evaluation:
    """A fitted model's numbers on the validation or the test part."""
    return Evaluator(dataset, part, protocol)(model)


def validator(dataset: Dataset, protocol: Protocol) -> Callable[[Recommender], float]:
    """The callable for `TrainingData.validate`: mean primary metric on the validation part.

    It stops training and prunes, so on large data it ranks a sample of the users (see `sample_users`). What tunes and
    chooses is `evaluate`, which ranks all of them.
    """
    evaluator = Evaluator(dataset, "valid", protocol)
    evaluator.users = sample_users(evaluator.users, dataset.n_items, dataset.train.nnz)
    return evaluator.primary


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


def _cut_off(name: str) -> int:
    return int(name.rsplit("_", 1)[1])
