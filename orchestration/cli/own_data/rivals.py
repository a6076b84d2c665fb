"""Which models a study of own data runs: strong rivals, and their twins with content, as many as fit the time.

A verdict compares the best model with content with the best one without. It is fair only where the strongest rivals
have a form with content beside them: EASE has CEASE and AddEASE, ItemKNN has AttributeItemKNN and HybridItemKNN,
UserKNN has AttributeUserKNN.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from recsys.models import registry

CORE = ("Random", "TopPop", "ItemKNN", "AttributeItemKNN", "HybridItemKNN")
MORE = (("EASE", "CEASE"), ("AddEASE",), ("UserKNN", "AttributeUserKNN"), ("RP3beta",), ("IALS",))
"""What is added, in this order, while the time allows: a model and its twin together. For the first, trials are given
up: a strong rival without a twin would make content look worse than it is."""
NEIGHBOURS = ("ItemKNN", "UserKNN", "AttributeItemKNN", "HybridItemKNN", "AttributeUserKNN")
"""Models that search neighbours, and share what is fixed of it."""
MOST_SECONDS = 2 * 3600.0
"""Time of all trainings together on this machine's workers."""
TRIALS = (None, 15, 10)
"""Trials of each model and arm, None for the usual budget: the first at which the core and the first of `MORE` fit."""


@dataclass(frozen=True)
class Rivals:
    """The models and their budget.

    Attributes:
        models: in the order of tables.
        trials: of each model and arm; None: the usual budget.
        left_out: models that would take too long or too much memory, each with the reason.
    """

    models: tuple[str, ...]
    trials: int | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


def candidates(has_content: bool) -> list[str]:
    """All models that may be run; without content only those that need none."""
    every = [*CORE, *(model for group in MORE for model in group)]
    return [model for model in every if has_content or not registry.find(model).takes_content]


def choose(seconds: Callable[[int | None], Mapping[str, float | None]], workers: int) -> Rivals:
    """The models that fit the time.

    Args:
        seconds: gives for a number of trials what all trainings of each model take one after another; None for a
            model that does not fit in memory.
        workers: trainings that run side by side.
    """
    most = MOST_SECONDS * workers
    for trials in TRIALS:
        taken = seconds(trials)
        if _sum(taken, (*CORE, *MORE[0])) <= most:
            break
    chosen = [model for model in CORE if taken.get(model) is not None]
    left_out = {model: "it needs more memory than is free" for model, each in taken.items() if each is None}
    for group in MORE:
        known = [model for model in group if model in taken]
        fitting = [model for model in known if taken[model] is not None]
        if _sum(taken, [*chosen, *fitting]) <= most:
            chosen += fitting
        else:
            minutes = _sum(taken, fitting) / workers / 60
            beside = f" with {' and '.join(fitting)}" if len(fitting) > 1 else ""
            left_out |= dict.fromkeys(fitting, f"the study would take about {minutes:.0f} minutes more{beside}")
    return Rivals(_in_order(chosen), trials, left_out)


def _sum(seconds: Mapping[str, float | None], models: Sequence[str]) -> float:
    return sum(seconds.get(model) or 0.0 for model in models)


def _in_order(chosen: Sequence[str]) -> tuple[str, ...]:
    """Baselines, models without content, models with it."""
    plain = [model for model in chosen if not registry.find(model).takes_content]
    return (*plain, *(model for model in chosen if model not in plain))
