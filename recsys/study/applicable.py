"""Which models can say nothing of a dataset: those of ratings, where all that is known is what users took."""

from typing import Any

from recsys.models import registry

RATED = "rated"
"""The fact of a dataset that says whether its training ratings differ at all."""


def left_out(model: str, dataset: str, facts: dict[str, Any]) -> str:
    """Why a model is left out of a dataset, in one line; empty where it runs, or where the facts do not tell yet."""
    if facts.get(RATED, True) or not registry.find(model).needs_ratings:
        return ""
    return f"{model} is not applicable to {dataset}: it needs ratings, and here there are none, or all are the same"
