"""Which metrics there are, and what each is shown; a new one is a decorated function in a file of this folder.

A file of a user's own is found like one of this folder (see `recsys.plugins`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from scipy import sparse

from recsys import plugins
from recsys.errors import UserError


@dataclass(frozen=True)
class Lists:
    """Top-k lists of users who have held-out items, as metrics see them.

    Attributes:
        users: int32, shape (n_users,): whose lists they are, rows of `train`.
        items: int32, shape (n_users, k), best first; -1 where fewer items could be ranked.
        hits: bool, shape (n_users, k): whether the rank holds a held-out item.
        n_relevant: int, shape (n_users,), each 1 or more: the user's held-out items.
        n_ideal: int, shape (n_users,): held-out items of the ideal list that nDCG divides by (see `Protocol.ndcg`).
        train: training interactions, shape (all users, n_items).
        popularity: training interactions of each item, shape (n_items,).
    """

    users: np.ndarray
    items: np.ndarray
    hits: np.ndarray
    n_relevant: np.ndarray
    n_ideal: np.ndarray
    train: sparse.csr_array
    popularity: np.ndarray

    @cached_property
    def shown(self) -> np.ndarray:
        """How many lists hold each item, shape (n_items,)."""
        return np.bincount(self.items[self.items >= 0], minlength=len(self.popularity))


@dataclass(frozen=True)
class Metric:
    """A measure.

    Attributes:
        name: the function's name; figures are called `<name>_at_<k>`.
        function: gives float64 of shape (n_users,), or one number.
        per_user: whether it has a value for every user.
        higher_is_better: None where neither end is better in itself, as with the popularity of what is listed.
        ignores_order: whether it counts only which items a list holds, so that a list of all items says nothing.
    """

    name: str
    function: Callable[[Lists], np.ndarray | float]
    per_user: bool
    higher_is_better: bool | None
    ignores_order: bool = False


_registered: dict[str, Metric] = {}


def user_metric(
    *, higher_is_better: bool | None, ignores_order: bool = False
) -> Callable[[Callable[[Lists], np.ndarray]], Callable[[Lists], np.ndarray]]:
    """Decorator: register a function that measures every user's list."""

    def register(function: Callable[[Lists], np.ndarray]) -> Callable[[Lists], np.ndarray]:
        _register(Metric(function.__name__, function, True, higher_is_better, ignores_order))
        return function

    return register


def list_metric(*, higher_is_better: bool | None) -> Callable[[Callable[[Lists], float]], Callable[[Lists], float]]:
    """Decorator: register a function that measures all lists together."""

    def register(function: Callable[[Lists], float]) -> Callable[[Lists], float]:
        _register(Metric(function.__name__, function, False, higher_is_better))
        return function

    return register


def _register(metric: Metric) -> None:
    known = _registered.setdefault(metric.name, metric)
    if known.function.__module__ != metric.function.__module__:
        raise UserError(f"there is a metric '{metric.name}' in {known.function.__module__} already; rename this one")


@cache
def metrics() -> dict[str, Metric]:
    """Every metric by name, those of `accuracy` first.

    Files that cannot be imported are passed over (see `recsys.plugins.unusable`), with all that they register.
    """
    assert __package__
    found = plugins.find(__package__, Path(__file__).parent, "*.py")
    files = {name: found[name] for name in sorted(found, key=lambda stem: stem != "accuracy")}
    modules = plugins.load_usable(files, lambda name: plugins.load(files[name]))
    usable = {module.__name__ for module in modules.values()}
    return {name: metric for name, metric in _registered.items() if metric.function.__module__ in usable}


def user_metrics() -> list[str]:
    """Names of the metrics that have a value for every user."""
    return [metric.name for metric in metrics().values() if metric.per_user]


def primary_metrics() -> list[str]:
    """Names of those among them that can tune and judge: of which more is better."""
    return [name for name in user_metrics() if metrics()[name].higher_is_better]


def metric_module(name: str) -> str:
    """The dotted module of a metric's function; KeyError where there is none of that name."""
    return metrics()[name].function.__module__
