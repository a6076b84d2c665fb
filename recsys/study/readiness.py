"""Whether a dataset's question is ready to be answered: its gates, and whether content made any difference at all."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.content.features import Features
from recsys.data.dataset import Dataset
from recsys.evaluation.ranking import Ranking
from recsys.evidence.gates import Gate
from recsys.study.measuring import CellOf, UserScores
from recsys.study.results import ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Study

SAME_LISTS = 0.99
"""Share of users with the same list from which on content was not chosen."""


@dataclass(frozen=True)
class Readiness:
    """What was found before the verdict.

    Attributes:
        gates: red, amber, then green.
        unchanged: whether the chosen model recommends the same without its content.
    """

    gates: list[Gate]
    unchanged: bool


def assess(
    study: Study,
    name: str,
    chosen: Selection,
    results: ModelResult,
    scores: UserScores,
    data: Dataset,
    features: Mapping[str, Features],
    cell: CellOf,
) -> Readiness:
    """Stub"""
    return Readiness([], _unchanged(chosen, results, cell, study.evaluation.primary_k))


def _unchanged(chosen: Selection, results: ModelResult, cell: CellOf, k: int) -> bool:
    content = results.find(chosen.content)
    removed = results.find(chosen.removed) if chosen.removed else None
    if content is None or removed is None:
        return False
    same = [
        same_lists(cell(ours).lists("test"), cell(theirs).lists("test"), k)
        for ours, theirs in zip(content.finals, removed.finals, strict=True)
    ]
    return bool(np.mean(same) >= SAME_LISTS)


def same_lists(a: Ranking, b: Ranking, k: int) -> float:
    """Share of users whose first k items are the same, in the same order."""
    return float((a.items[:, :k] == b.items[:, :k]).all(axis=1).mean())
