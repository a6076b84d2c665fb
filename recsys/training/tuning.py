"""Tuning: the same budget for every model and arm, drawn by Optuna, and the same whoever computes it.

Trials are asked for in batches of a fixed size and told in the order in which they were asked, so that what is
asked next does not depend on how many workers ran them. A tuner that is told the same values asks for the same
trials again: that is how a killed study goes on.
"""

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from recsys.models.base import ModelConfig

optuna.logging.set_verbosity(optuna.logging.WARNING)
STARTUP_SHARE = 3
"""One in so many trials is drawn at random before the sampler learns from them."""
LISTABLE = 10_000
"""Points of a finite space that are listed to find one not measured yet."""


class Tuner:
    """Asks for hyper-parameters of a model and is told what they were worth on the validation part."""

    def __init__(
        self, config: type[ModelConfig], fixed: dict[str, Any], n_trials: int, seed: int, batch: int = 4
    ) -> None:
        """A tuner that has asked for nothing yet.

        Args:
            config: the model's hyper-parameters, with the ranges that `searched` gave them.
            fixed: values to keep; a list gives choices to search instead of the model's own range.
            n_trials: the budget; the first trial has the defaults.
            seed: of the sampler.
            batch: trials asked for at a time.
        """
        self.n_trials = n_trials
        self.batch = batch
        self.fixed = {name: value for name, value in fixed.items() if not isinstance(value, list)}
        self.space = _space(config, fixed)
        sampler = optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=max(4, n_trials // STARTUP_SHARE), multivariate=True, constant_liar=True
        )
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        defaults = {name: config.model_fields[name].default for name in self.space}
        self.study.enqueue_trial({name: v for name, v in defaults.items() if _allows(self.space[name], v)})
        self._rng = np.random.default_rng(seed)
        self._asked: list[optuna.Trial] = []
        self._done: set[tuple[Any, ...]] = set()

    def ask(self) -> list[dict[str, Any]]:
        """The next trials' hyper-parameters, none where the budget or the space is spent."""
        if self._asked:
            raise RuntimeError("tell the values of the trials asked for before asking again")
        while len(self._asked) < self.batch and len(self._done) < min(self.n_trials, self._size()):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                trial = self.study.ask(self.space)
            point = tuple(trial.params[name] for name in self.space)
            if point in self._done:
                # A finite space is walked through rather than measured twice at one point.
                self.study.tell(trial, state=TrialState.PRUNED)
                self._enqueue_fresh()
                continue
            self._done.add(point)
            self._asked.append(trial)
        return [self.fixed | trial.params for trial in self._asked]

    def tell(self, values: list[float | None]) -> None:
        """What the trials last asked for were worth, in their order; None for a trial that failed."""
        for trial, value in zip(self._asked, values, strict=True):
            if value is None or math.isnan(value):
                self.study.tell(trial, state=TrialState.FAIL)
            else:
                self.study.tell(trial, value)
        self._asked = []

    @property
    def best(self) -> tuple[dict[str, Any], float]:
        """Hyper-parameters and value of the best trial, the earliest among equals."""
        done = [trial for trial in self.study.trials if trial.state == TrialState.COMPLETE]
        best = max(done, key=lambda trial: (trial.value, -trial.number))
        assert best.value is not None
        return self.fixed | best.params, best.value

    def _size(self) -> float:
        return math.prod((_count(distribution) for distribution in self.space.values()), start=1.0)

    def _enqueue_fresh(self) -> None:
        """Put a point not measured yet first in the queue, where the space is small enough to list."""
        if self._size() > LISTABLE:
            return
        values = [_values(distribution) for distribution in self.space.values()]
        fresh = [point for point in itertools.product(*values) if point not in self._done]
        chosen = fresh[self._rng.integers(len(fresh))]
        self.study.enqueue_trial(dict(zip(self.space, chosen, strict=True)))


def _space(config: type[ModelConfig], fixed: dict[str, Any]) -> dict[str, BaseDistribution]:
    """What is searched: each field that `searched` made and the study did not fix, and each list the study gave."""
    space: dict[str, BaseDistribution] = {}
    for name, info in config.model_fields.items():
        extra = info.json_schema_extra
        search = extra.get("search") if isinstance(extra, dict) else None
        if isinstance(fixed.get(name), list):
            space[name] = CategoricalDistribution(fixed[name])
        elif search is not None and name not in fixed:
            space[name] = _distribution(search, integer=isinstance(info.default, int))
    return space


def _distribution(search: Any, integer: bool) -> BaseDistribution:
    if "choices" in search:
        return CategoricalDistribution(search["choices"])
    if integer:
        return IntDistribution(int(search["low"]), int(search["high"]), log=search["log"])
    return FloatDistribution(float(search["low"]), float(search["high"]), log=search["log"])


def _allows(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return distribution.low <= value <= distribution.high


def _count(distribution: BaseDistribution) -> float:
    return math.inf if isinstance(distribution, FloatDistribution) else len(_values(distribution))


def _values(distribution: BaseDistribution) -> Sequence[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, IntDistribution)
    return range(distribution.low, distribution.high + 1)
