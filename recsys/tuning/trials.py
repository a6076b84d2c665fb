"""What a search asks for, what it learns of each trial, and what it hands on: an arm that was trained, or left out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from recsys.content.arms import Arm
from recsys.tuning.budget import most_chosen_again
from recsys.tuning.pruning import Curve, PruningCurve

Stage = Literal["tuning", "final"]
Params = dict[str, Any]


class TrialResult(Protocol):
    """What the search needs to know of a cell that has ended."""

    @property
    def fingerprint(self) -> str:
        """The same for trials that one cell answers, as repeats of a closed form on the same split are."""

    @property
    def valid(self) -> float | None:
        """Primary metric on the validation part; None for a cell that failed."""

    @property
    def message(self) -> str:
        """Why the cell failed; empty where it did not."""

    @property
    def curve(self) -> Curve:
        """One dict an epoch, for models trained by gradient."""

    @property
    def pruned(self) -> bool:
        """Whether training was pruned."""

    @property
    def seconds(self) -> float:
        """How long the fit took, and ranking with metrics."""


Result = TypeVar("Result", bound=TrialResult)


@dataclass(frozen=True)
class Trial:
    """A cell to be run for a model on an arm; it is pruned by `pruning_curve`, None: never."""

    arm: Arm
    params: Params
    stage: Stage
    repeat: int = 1
    pruning_curve: PruningCurve | None = None


Runner = Callable[[Sequence[Trial]], Sequence[Result]]
"""Runs trials and gives their results in the same order; a trial that fails is a result, not an exception."""


@dataclass(frozen=True)
class Tried:
    """A setting that was tried on validation, by which cell, and what came of it; `valid` is None where it failed."""

    params: Params
    valid: float | None
    pruned: bool = False
    seconds: float = 0.0
    message: str = ""
    cell: str = ""

    @property
    def counts(self) -> bool:
        """Whether it can be chosen."""
        return not self.pruned and self.valid is not None and math.isfinite(self.valid)


@dataclass(frozen=True)
class Trained(Generic[Result]):
    """An arm that was tuned and trained.

    Attributes:
        arm: what the model was shown.
        trials: settings that the first repeat tried, in order; the last `n_nested` are those of other arms.
        n_nested: how many were other arms' choices.
        settings: the hyper-parameters of each repeat.
        finals: the final cell of each repeat.
        exhausted: whether the trials are all the settings that there are.
        seconds: of all its cells, each counted once.
    """

    arm: Arm
    trials: list[Tried]
    n_nested: int
    settings: list[Params]
    finals: list[Result]
    exhausted: bool
    seconds: float


@dataclass(frozen=True)
class LeftOut:
    """An arm without a trained model, and why."""

    arm: Arm
    reason: str


@dataclass(frozen=True)
class SearchResult(Generic[Result]):
    """Every arm of a search, in the order it was given, as one of the two."""

    trained: list[Trained[Result]]
    left_out: list[LeftOut]


@dataclass
class Searched:
    """What is known of an arm before it is trained.

    Attributes:
        trials: settings tried in the first repeat, in order; the last `n_nested` are other arms' choices.
        exhausted: whether they are all there are.
        fixed: the setting of each repeat, where nothing is to be chosen.
    """

    trials: list[Tried]
    n_nested: int = 0
    exhausted: bool = False
    fixed: Sequence[Params] = ()

    @property
    def n_own(self) -> int:
        """Settings that its own search tried."""
        return len(self.trials) - self.n_nested

    @property
    def shortlist(self) -> list[Params]:
        """The best settings, each once, the best first and the earlier of equals."""
        return ranked(self.trials)[: most_chosen_again(self.n_own)]

    @property
    def best(self) -> Params:
        """The best setting."""
        return self.shortlist[0]

    @property
    def value(self) -> float:
        """What the best setting reached on validation; 0 where every trial failed."""
        return max((each.valid or 0.0 for each in self.trials if each.counts), default=0.0)


def ranked(trials: Sequence[Tried]) -> list[Params]:
    """Settings that can be chosen, each once, the best first and the earlier of equals."""
    best = sorted((each for each in trials if each.counts), key=lambda each: -(each.valid or 0.0))
    different: list[Params] = []
    for each in best:
        if each.params not in different:
            different.append(each.params)
    return different
