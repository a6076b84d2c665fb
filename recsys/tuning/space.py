"""What a tuner searches: a model's hyper-parameters as a space of points."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from recsys.errors import UserError
from recsys.recommender import ModelConfig

Point = dict[str, Any]
"""A value of each searched hyper-parameter; of choices, the position, so that they may be of any kind."""


class SearchSpace:
    """The searched hyper-parameters of a model, and the fixed rest.

    Attributes:
        distributions: of the searched ones, by name.
        n_points: number of points; infinite where a real number is searched.
    """

    def __init__(self, config: type[ModelConfig], fixed: dict[str, Any]) -> None:
        """Read the space from the config; UserError if `fixed` does not fit it.

        Args:
            config: the model's hyper-parameters; fields made by `searched` are the space.
            fixed: values that replace a default and are not searched; a list is searched as choices instead.
        """
        for name, value in fixed.items():
            if name not in config.model_fields:
                known = ", ".join(config.model_fields)
                raise UserError(f"{config.__name__}: no hyper-parameter '{name}' to fix (known: {known})")
            if value == []:
                raise UserError(f"{config.__name__}: the list of choices for '{name}' is empty: name at least one")
        self._values: dict[str, Any] = {}
        self._choices: dict[str, list[Any]] = {}
        self.distributions: dict[str, BaseDistribution] = {}
        for name, field in config.model_fields.items():
            self._values[name] = field.get_default(call_default_factory=True)
            extra: Any = field.json_schema_extra or {}
            space = extra.get("search", {})
            if name in fixed:
                space = {"choices": fixed[name]} if isinstance(fixed[name], list) else {}
                self._values[name] = self._values[name] if space else fixed[name]
            if "choices" in space:
                self._choices[name] = space["choices"]
                self.distributions[name] = CategoricalDistribution(list(range(len(space["choices"]))))
            elif space:
                kind = IntDistribution if field.annotation is int else FloatDistribution
                self.distributions[name] = kind(space["low"], space["high"], log=space["log"])
        self.n_points = math.prod(_size(distribution) for distribution in self.distributions.values())

    @property
    def first(self) -> Point:
        """The defaults; of choices without the default, the first."""
        point = {name: self._values[name] for name in self.distributions}
        for name, choices in self._choices.items():
            point[name] = choices.index(point[name]) if point[name] in choices else 0
        return point

    def points(self) -> Iterator[Point]:
        """All points of a finite space."""
        axes = [_axis(distribution) for distribution in self.distributions.values()]
        return (dict(zip(self.distributions, values, strict=True)) for values in itertools.product(*axes))

    def params(self, point: Point) -> dict[str, Any]:
        """All hyper-parameters of the model at a point."""
        chosen = {name: choices[point[name]] for name, choices in self._choices.items()}
        return self._values | point | chosen

    def nested(
        self, settings: Sequence[Mapping[str, Any]], best: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Settings that were chosen elsewhere, as they can be tried here: each once, and none that was tried.

        Args:
            settings: hyper-parameters of another arm, or of another model, which shares some of them by name.
            best: the own best hyper-parameters, which stand for what is not shared or lies outside the space.
            tried: hyper-parameters that were tried.
        """
        new: list[dict[str, Any]] = []
        for setting in settings:
            shared = {name: setting[name] for name in self.distributions if self._holds(name, setting)}
            params = {**best, **shared}
            if shared and params not in tried and params not in new:
                new.append(params)
        return new

    def _holds(self, name: str, setting: Mapping[str, Any]) -> bool:
        if name not in setting:
            return False
        if name in self._choices:
            return setting[name] in self._choices[name]
        distribution: Any = self.distributions[name]
        return bool(distribution.low <= setting[name] <= distribution.high)


def _axis(distribution: BaseDistribution) -> list[int]:
    if isinstance(distribution, IntDistribution):
        return list(range(distribution.low, distribution.high + 1))
    assert isinstance(distribution, CategoricalDistribution)
    return list(range(len(distribution.choices)))


def _size(distribution: BaseDistribution) -> float:
    return math.inf if isinstance(distribution, FloatDistribution) else len(_axis(distribution))
