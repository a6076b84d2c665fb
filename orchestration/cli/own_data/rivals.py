"""Which models a study of own data runs: strong rivals, and their twins with content, as many as fit the time.

A verdict compares the best model with content with the best one without. It is fair only where the strongest rivals
have a form with content beside them: EASE has CEASE and AddEASE, ItemKNN has AttributeItemKNN and HybridItemKNN,
UserKNN has AttributeUserKNN.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recsys.models import registry

CORE = ("Random", "TopPop", "ItemKNN", "AttributeItemKNN", "HybridItemKNN")
MORE = (("EASE", "CEASE"), ("AddEASE",), ("UserKNN", "AttributeUserKNN"), ("RP3beta",), ("IALS",))
"""What is added, in this order, while the time allows."""
NEIGHBOURS = ("ItemKNN", "UserKNN", "AttributeItemKNN", "HybridItemKNN", "AttributeUserKNN")
"""Models that search neighbours, and share what is fixed of it."""
MOST_SECONDS = 2 * 3600.0
"""Of all trainings together on this machine's workers; beyond it models, then trials are left out."""
FEWER_TRIALS = (15, 10)


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


def choose(seconds: Mapping[str, float | None], workers: int) -> Rivals:
    """The models that fit the time.

    Args:
        seconds: of all trainings of a model one after another; None for a model that does not fit in memory.
        workers: trainings that run side by side.
    """
    chosen = [model for model in CORE if seconds.get(model) is not None]
    left_out: dict[str, str] = {}
    spent = sum(seconds[model] or 0 for model in chosen)
    for group in MORE:
        for model in (each for each in group if each in seconds):
            needed = seconds[model]
            if needed is None:
                left_out[model] = "it needs more memory than is free"
            elif (spent + needed) / workers > MOST_SECONDS:
                left_out[model] = f"it takes about {needed / workers / 60:.0f} minutes more"
            else:
                chosen.append(model)
                spent += needed
    trials = next((n for n in FEWER_TRIALS if spent / workers * n / 30 <= MOST_SECONDS), FEWER_TRIALS[-1])
    return Rivals(_in_order(chosen), None if spent / workers <= MOST_SECONDS else trials, left_out)


def _in_order(chosen: Sequence[str]) -> tuple[str, ...]:
    """Baselines, models without content, models with it."""
    plain = [model for model in chosen if not registry.find(model).takes_content]
    return (*plain, *(model for model in chosen if model not in plain))
