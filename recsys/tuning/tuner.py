"""Hyper-parameter search in batches, the same whatever runs the trials.

A tuner asks for a batch, is told its values, and asks for the next. What it asks depends only on the space, the
seed and what it was told: the number of workers changes nothing, and a search that was killed is resumed by telling
a new tuner of the trials that are already known. That holds for a budget of time too, which is spent by the seconds
that trials are told to have taken and not by the clock.
"""

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial, TrialState

from recsys.recommender import ModelConfig
from recsys.tuning.space import Point, SearchSpace

_ATTEMPTS = 10
"""Draws of the sampler that may repeat a known point before an unknown one is taken from the list of all points."""
_MOST_LISTED = 10_000
"""Points of a space that are listed for that; a larger one has a point asked again instead."""
_MOST_RANDOM = 10
"""Trials after which TPE begins, whatever the budget."""


class Tuner:
    """Searches a model's hyper-parameters by TPE (Bergstra et al., NeurIPS 2011), best value highest.

    The first trial is the model's defaults, so tuning never loses to them on the validation part; then come the
    config's `first_points`, in at most half the budget. TPE begins after a third of the budget at most, these
    included; what is drawn at random before is the rest of that third.
    """

    def __init__(
        self,
        config: type[ModelConfig],
        fixed: dict[str, Any],
        n_trials: int,
        seed: int,
        batch: int = 4,
        seconds: float = math.inf,
        sources: Collection[str] | None = None,
    ) -> None:
        """Set up the search; UserError if `fixed` does not fit the model.

        Args:
            config: the model's hyper-parameters; fields made by `searched` are the space.
            fixed: values that replace a default and are not searched; a list is searched as choices instead.
            n_trials: the budget; a space with fewer points is searched whole.
            seed: of the sampler.
            batch: trials that are asked for at once, and told before the next are.
            seconds: the budget of time. A trial is asked for while some of it is left; the first alone, and then
                no more at once than it is likely to be enough for.
            sources: of content that the model is shown, on which depends what is searched; None: it may be any.
        """
        self._space = SearchSpace(config, fixed, sources)
        self._budget = int(min(n_trials, self._space.n_points))
        self._first = self._space.first[: max(self._budget // 2, 1)]
        self._seconds, self._spent = seconds, 0.0
        self._batch = batch
        self._rng = np.random.default_rng(seed)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(
            # TPE counts finished trials when it is asked, a batch at a time.
            n_startup_trials=max(min(_MOST_RANDOM, self._budget // 3) // batch * batch, 1),
            seed=seed,
            constant_liar=True,
        )
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._open: list[Trial] = []
        self._asked: list[Point] = []

    def ask(self) -> list[dict[str, Any]]:
        """Hyper-parameters of the next batch, complete; empty when the budget is spent."""
        self._refuse_while_open()
        for _ in range(min(self._batch, self._room())):
            trial, point = self._next_trial()
            self._open.append(trial)
            self._asked.append(point)
        return self._open_params()

    def extend(self, n_trials: int) -> None:
        """Add to the budget; a space with fewer points is searched whole."""
        self._budget = int(min(self._budget + n_trials, self._space.n_points))

    def tell(self, values: Sequence[float | None], pruned: Collection[int] = (), seconds: float = 0.0) -> None:
        """What came of the last batch.

        Args:
            values: in the batch's order; None for a trial that failed.
            pruned: positions of trials that were pruned. Their values guide the search and are never the best.
            seconds: that the batch took, all its trials together.
        """
        for position, (trial, value) in enumerate(zip(self._open, values, strict=True)):
            if value is None or not math.isfinite(value):
                self._study.tell(trial, state=TrialState.FAIL)
            elif position in pruned:
                trial.report(value, step=0)
                self._study.tell(trial, state=TrialState.PRUNED)
            else:
                self._study.tell(trial, value)
        self._spent += seconds
        self._open = []

    @property
    def space(self) -> SearchSpace:
        """What is searched."""
        return self._space

    @property
    def timed(self) -> bool:
        """Whether time is the budget."""
        return not math.isinf(self._seconds)

    @property
    def exhausted(self) -> bool:
        """Whether every point of the space was asked for."""
        return len(self._asked) == self._space.n_points

    def _refuse_while_open(self) -> None:
        if self._open:
            raise RuntimeError("tell the values of the last batch first")

    def _open_params(self) -> list[dict[str, Any]]:
        return [self._space.params(point) for point in self._asked[len(self._asked) - len(self._open) :]]

    def _room(self) -> int:
        """Trials that the budget is likely to be enough for."""
        trials = self._budget - len(self._asked)
        if math.isinf(self._seconds):
            return trials
        if not self._asked:
            return 1
        left, each = self._seconds - self._spent, self._spent / len(self._asked)
        return 0 if left <= 0 else trials if each == 0 else min(trials, math.ceil(left / each))

    def _next_trial(self) -> tuple[Trial, Point]:
        unasked = [point for point in self._first if point not in self._asked]
        if unasked:
            return self._trial_at(unasked[0])
        for _ in range(_ATTEMPTS):
            trial = self._study.ask()
            point = self._suggest(trial)
            if point not in self._asked:
                return trial, point
            self._study.tell(trial, state=TrialState.FAIL)
        if self._space.n_points > _MOST_LISTED:
            trial = self._study.ask()
            return trial, self._suggest(trial)
        unknown = [point for point in self._space.points() if point not in self._asked]
        return self._trial_at(unknown[int(self._rng.integers(len(unknown)))])

    def _trial_at(self, point: Point) -> tuple[Trial, Point]:
        self._study.enqueue_trial(point)
        trial = self._study.ask()
        return trial, self._suggest(trial)

    def _suggest(self, trial: Trial) -> Point:
        """The sampler's values of the hyper-parameters that matter, each beside those before it."""
        point: Point = {}
        for name, distribution in self._space.distributions.items():
            if self._space.matters(name, point):
                point[name] = _suggested(trial, name, distribution)
        return point


def _suggested(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    match distribution:
        case IntDistribution():
            return trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
        case FloatDistribution():
            low, high = distribution.low, distribution.high
            return trial.suggest_float(name, low, high, log=distribution.log, step=distribution.step)
        case CategoricalDistribution():
            return trial.suggest_categorical(name, distribution.choices)
    raise TypeError(f"'{name}' has no such distribution: {distribution}")
