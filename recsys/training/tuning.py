"""Hyper-parameter search in batches, the same whatever runs the trials.

A tuner asks for a batch, is told its values, and asks for the next. What it asks depends only on the space, the
seed and the values it was told: the number of workers changes nothing, and a search that was killed is resumed by
telling a new tuner the values of the trials that are already known.
"""

import math
from typing import Any

import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from recsys.errors import UserError
from recsys.models.base import ModelConfig
from recsys.training.space import Point, SearchSpace

_ATTEMPTS = 10
"""Draws of the sampler that may repeat a known point before an unknown one is taken from the list of all points."""


class Tuner:
    """Searches a model's hyper-parameters by TPE (Bergstra et al., NeurIPS 2011), best value highest.

    The first trial is the model's defaults, so tuning never loses to them on the validation part.
    """

    def __init__(self, config: type[ModelConfig], fixed: dict[str, Any], n_trials: int, seed: int, batch: int = 4):
        """Set up the search; UserError if `fixed` does not fit the model.

        Args:
            config: the model's hyper-parameters; fields made by `searched` are the space.
            fixed: values that replace a default and are not searched; a list is searched as choices instead.
            n_trials: the budget; a space with fewer points is searched whole.
            seed: of the sampler.
            batch: trials that are asked for at once, and told before the next are.
        """
        self._space = SearchSpace(config, fixed)
        self._budget = int(min(n_trials, self._space.n_points))
        self._batch = batch
        self._rng = np.random.default_rng(seed)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._open: list[Trial] = []
        self._asked: list[Point] = []
        self._values: list[float | None] = []

    def ask(self) -> list[dict[str, Any]]:
        """Hyper-parameters of the next batch, complete; empty when the budget is spent."""
        if self._open:
            raise RuntimeError("tell the values of the last batch first")
        for _ in range(min(self._batch, self._budget - len(self._asked))):
            trial = self._next_trial()
            self._open.append(trial)
            self._asked.append(trial.params)
        return [self._space.params(trial.params) for trial in self._open]

    def tell(self, values: list[float | None]) -> None:
        """Values of the last batch, in its order; None for a trial that failed."""
        for trial, value in zip(self._open, values, strict=True):
            if value is None or not math.isfinite(value):
                self._study.tell(trial, state=TrialState.FAIL)
                self._values.append(None)
            else:
                self._study.tell(trial, value)
                self._values.append(value)
        self._open = []

    @property
    def best(self) -> tuple[dict[str, Any], float]:
        """The best hyper-parameters and their value, the earliest of equals; UserError if no trial succeeded."""
        known = [(value, -number) for number, value in enumerate(self._values) if value is not None]
        if not known:
            raise UserError(f"all {len(self._values)} tuning trials failed: see the error of the first one")
        value, number = max(known)
        return self._space.params(self._asked[-number]), value

    def _next_trial(self) -> Trial:
        if not self._asked:
            return self._trial_at(self._space.first)
        for _ in range(_ATTEMPTS):
            trial = self._study.ask(self._space.distributions)
            if trial.params not in self._asked:
                return trial
            self._study.tell(trial, state=TrialState.FAIL)
        if math.isinf(self._space.n_points):
            return self._study.ask(self._space.distributions)
        unknown = [point for point in self._space.points() if point not in self._asked]
        return self._trial_at(unknown[int(self._rng.integers(len(unknown)))])

    def _trial_at(self, point: Point) -> Trial:
        self._study.enqueue_trial(point)
        return self._study.ask(self._space.distributions)
