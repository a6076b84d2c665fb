"""What the evidence is made of: one model's metric for each user, under one arm, in each repeat."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from recsys.content.arms import INTERACTIONS_ONLY

Pair = tuple[str, str]
"""A model and an arm."""


@dataclass(frozen=True)
class Scores:
    """Primary metric of one (model, arm) on the test part, kept per user so that comparisons can be paired.

    Attributes:
        model: name of the model.
        arm: name of what it was shown.
        users: int, shape (n_users,): user indices, each once, in any order.
        values: float64, shape (n_repeats, n_users): the metric of each user in each repeat; the same row of any two
            scores of a study is the same repeat.
        valid: mean of the metric on the validation part over the same repeats; only choosing looks at it.
        content_used: False where tuning gave content no weight (see `Recommender.content_used`).
        seeded: whether training, or the arm's control, depends on a seed.
        held_out: test rows to each training row where every repeat has a split of its own; 0 where the split is a
            fact, and repeats vary nothing but training and permutations.
    """

    model: str
    arm: str
    users: np.ndarray
    values: np.ndarray
    valid: float
    content_used: bool = True
    seeded: bool = True
    held_out: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be paired: shapes that differ, a user twice, a value that is not a number."""
        if self.values.ndim != 2 or not len(self.values) or self.values.shape[1:] != self.users.shape:
            raise ValueError(
                f"{self.label}: values of shape {self.values.shape} for users of shape {self.users.shape}: "
                "expected (n_repeats, n_users) and (n_users,)"
            )
        if len(np.unique(self.users)) != len(self.users):
            raise ValueError(f"{self.label}: a user stands twice among the scores")
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.label}: a score is not a finite number")

    @property
    def pair(self) -> Pair:
        """Its model and its arm, by name."""
        return self.model, self.arm

    @property
    def label(self) -> str:
        """What sentences and tables call it."""
        return label(self.model, self.arm)

    def restricted(self, users: np.ndarray) -> "Scores":
        """The same scores of these users only, in this order; KeyError names the first that has none."""
        order = np.argsort(self.users)
        positions = order[np.searchsorted(self.users, users, sorter=order).clip(max=len(order) - 1)]
        missing = np.flatnonzero(self.users[positions] != users)
        if len(missing):
            raise KeyError(f"{self.label} has no score of user {users[missing[0]]}")
        return replace(self, users=users, values=self.values[:, positions])


def label(model: str, arm: str) -> str:
    """A (model, arm) in words: the model alone where it sees interactions only."""
    return model if arm == INTERACTIONS_ONLY else f"{model} ({arm})"


def best_on_validation(candidates: Iterable[Scores]) -> Scores:
    """The candidate with the best validation score, the first of equals; test scores have no say."""
    best = max(candidates, key=lambda scores: scores.valid, default=None)
    if best is None:
        raise ValueError("there is no candidate to choose from")
    return best
