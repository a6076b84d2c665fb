"""What a tuner searches: a model's hyper-parameters as a space of points.

Some hyper-parameters have no effect beside others (`shrink` under the plain inner product, `content_weight` without
content). A point leaves them out, so that two points are two models, and no trial repeats another.
"""

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from recsys.errors import UserError, hint
from recsys.recommender import ContentNeeded, ModelConfig

Point = dict[str, Any]
"""A value of each searched hyper-parameter that has an effect; of choices, the position, so that they may be of any
kind."""
MET: dict[ContentNeeded, Callable[[Collection[str]], bool]] = {
    "content": lambda sources: len(sources) > 0,
    "sources": lambda sources: len(sources) > 1,
    "image": lambda sources: "image" in sources,
    "other_than_image": lambda sources: len({*sources} - {"image"}) > 0,
    "text_and_image": lambda sources: set(sources) == {"text", "image"},
}
"""Whether the sources that are shown are what a hyper-parameter needs."""


class SearchSpace:
    """The searched hyper-parameters of a model, and the fixed rest.

    Attributes:
        distributions: of the searched ones, by name.
        first: points to begin with, each once: the defaults (of a study's choices without the default, the first),
            then those of `ModelConfig.first_points` that contradict no value fixed by the study.
        n_points: number of points; infinite where a real number is searched.
    """

    def __init__(
        self, config: type[ModelConfig], fixed: dict[str, Any], sources: Collection[str] | None = None
    ) -> None:
        """Read the space from the config; UserError if `fixed` does not fit it.

        Args:
            config: the model's hyper-parameters; fields made by `searched` are the space.
            fixed: values that replace a default and are not searched; a list is searched as choices instead.
            sources: of content that the model is shown; None: it may be any.
        """
        _check(config, fixed)
        self._values: dict[str, Any] = {}
        self._choices: dict[str, list[Any]] = {}
        self._unless: dict[str, dict[str, list[Any]]] = {}
        self.distributions: dict[str, BaseDistribution] = {}
        for name, field in config.model_fields.items():
            extra: Any = field.json_schema_extra or {}
            space = extra.get("search", {})
            self._values[name] = field.get_default(call_default_factory=True)
            self._unless[name] = space.get("unless", {})
            if name in fixed and not isinstance(fixed[name], list):
                self._values[name] = fixed[name]
            elif sources is not None and (needs := space.get("needs")) and not MET[needs](sources):
                continue
            elif name in fixed or "choices" in space:
                self._choices[name] = fixed.get(name, space.get("choices"))
                self.distributions[name] = CategoricalDistribution(list(range(len(self._choices[name]))))
                if self._values[name] not in self._choices[name]:
                    self._values[name] = self._choices[name][0]
            elif space:
                self.distributions[name] = _range(space, is_int=field.annotation is int)
        self._drop_what_never_matters()
        self.n_points = sum(math.prod(map(_size, axes)) for axes in self._products())
        self.first = [self._point(self._values)]
        for setting in config.first_points:
            point = self.adapted(setting, self.first[0])
            contradicted = any(name in fixed and not self._allows(name, value) for name, value in setting.items())
            if not contradicted and point not in self.first:
                self.first.append(point)

    def matters(self, name: str, point: Point) -> bool:
        """Whether a hyper-parameter has an effect beside those of a point that stand above it in the config."""
        return self._has_effect(name, self.params(point))

    def params(self, point: Point) -> dict[str, Any]:
        """All hyper-parameters of the model at a point; those without effect are as fixed or by default."""
        chosen = {name: self._choices[name][value] for name, value in point.items() if name in self._choices}
        return self._values | point | chosen

    def settings(self, point: Point) -> dict[str, Any]:
        """The hyper-parameters that a point chooses: the searched ones that have an effect."""
        params = self.params(point)
        return {name: params[name] for name in point}

    def adapted(self, setting: Mapping[str, Any], point: Point) -> Point:
        """A point with what a setting says of searched hyper-parameters; values outside the space are left out."""
        said = {name: value for name, value in setting.items() if name in self.distributions}
        return self._point(
            self.params(point) | {name: value for name, value in said.items() if self._allows(name, value)}
        )

    def effective(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a model's hyper-parameters that are searched and have an effect."""
        return self.settings(self._point(params))

    def nested(
        self, settings: Sequence[Mapping[str, Any]], best: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Settings that were chosen elsewhere, as they can be tried here: each once, and none that was tried.

        Args:
            settings: what another arm, or another model, chose, as `effective` gives it.
            best: all hyper-parameters of the own best setting, for what is not shared or lies outside the space.
            tried: all hyper-parameters of each setting that was tried.
        """
        new: list[dict[str, Any]] = []
        for setting in settings:
            params = self.params(self.adapted(setting, self._point(best)))
            if params not in tried and params not in new:
                new.append(params)
        return new

    def points(self) -> Iterator[Point]:
        """All points of a finite space."""
        return self._extended({}, list(self.distributions))

    def _extended(self, point: Point, names: list[str]) -> Iterator[Point]:
        if not names:
            yield point
        elif self.matters(names[0], point):
            for value in _axis(self.distributions[names[0]]):
                yield from self._extended(point | {names[0]: value}, names[1:])
        else:
            yield from self._extended(point, names[1:])

    def _point(self, params: Mapping[str, Any]) -> Point:
        point = {name: params[name] for name in self.distributions if self._has_effect(name, params)}
        return {
            name: self._choices[name].index(value) if name in self._choices else value for name, value in point.items()
        }

    def _allows(self, name: str, value: Any) -> bool:
        """Whether a hyper-parameter can have a value: it is in the range, among the choices, or the fixed one."""
        if name not in self.distributions:
            return bool(self._values[name] == value)
        if name in self._choices:
            return value in self._choices[name]
        return _contains(self.distributions[name], value)

    def _has_effect(self, name: str, params: Mapping[str, Any]) -> bool:
        return not any(params[other] in values for other, values in self._unless[name].items())

    def _drop_what_never_matters(self) -> None:
        for name, conditions in self._unless.items():
            settled = {other: values for other, values in conditions.items() if other not in self.distributions}
            if any(self._values[other] in values for other, values in settled.items()):
                self.distributions.pop(name, None)
                self._choices.pop(name, None)

    def _products(self) -> Iterator[list[BaseDistribution]]:
        """For each way to set what others depend on, the distributions of the rest that have an effect."""
        deciding = {
            other for name in self.distributions for other in self._unless[name] if other in self.distributions
        }
        rest = [name for name in self.distributions if name not in deciding]
        axes = [_axis(self.distributions[name]) for name in sorted(deciding)]
        for values in itertools.product(*axes):
            point = dict(zip(sorted(deciding), values, strict=True))
            yield [self.distributions[name] for name in rest if self.matters(name, point)]


def _check(config: type[ModelConfig], fixed: dict[str, Any]) -> None:
    whose = config.__name__.removesuffix("Config") or config.__name__
    for name, value in fixed.items():
        if name not in config.model_fields:
            raise UserError(f"{whose}: no hyper-parameter '{name}' to fix{hint(name, config.model_fields)}")
        if value == []:
            raise UserError(f"{whose}: the list of choices for '{name}' is empty: name at least one")


def _range(space: dict[str, Any], *, is_int: bool) -> BaseDistribution:
    if is_int:
        return IntDistribution(space["low"], space["high"], log=space["log"])
    return FloatDistribution(space["low"], space["high"], log=space["log"], step=space["step"])


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    if not isinstance(value, int | float) or not distribution.low <= value <= distribution.high:
        return False
    steps = (value - distribution.low) / distribution.step if distribution.step else 0.0
    return math.isclose(steps, round(steps), abs_tol=1e-9)


def _axis(distribution: BaseDistribution) -> list[Any]:
    """All values of a finite axis."""
    if isinstance(distribution, IntDistribution):
        return list(range(distribution.low, distribution.high + 1))
    if isinstance(distribution, FloatDistribution):
        assert distribution.step is not None
        n_steps = round((distribution.high - distribution.low) / distribution.step)
        return [distribution.low + number * distribution.step for number in range(n_steps + 1)]
    assert isinstance(distribution, CategoricalDistribution)
    return list(range(len(distribution.choices)))


def _size(distribution: BaseDistribution) -> float:
    real = isinstance(distribution, FloatDistribution) and distribution.step is None
    return math.inf if real else len(_axis(distribution))
