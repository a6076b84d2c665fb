"""What lists as a whole are like: how much of the catalogue they show, how evenly, and how popular it is."""

from collections.abc import Sequence

import numpy as np

from recsys.evaluation.ranking import Ranking


def list_metrics(ranking: Ranking, popularity: np.ndarray, ks: Sequence[int]) -> dict[str, float]:
    """Metrics over all lists together.

    Args:
        ranking: lists.
        popularity: training interactions of each item, shape (n_items,).
        ks: cut-offs.

    Returns:
        For each cut-off `coverage_at_k` (share of the catalogue in any list), `gini_at_k` (0: all items shown
        equally often; towards 1: one item fills the lists), `popularity_at_k` (mean popularity of the shown items)
        and `novelty_at_k` (mean self-information, -log2 of the item's share of interactions, in bits; an item
        without interactions counts as having one; Vargas and Castells, RecSys 2011).
    """
    known = np.maximum(popularity, 1)
    information = -np.log2(known / known.sum())
    metrics: dict[str, float] = {}
    for k in ks:
        shown = ranking.items[:, :k]
        counts = np.bincount(shown[shown >= 0], minlength=len(popularity))
        total = max(int(counts.sum()), 1)
        metrics[f"coverage_at_{k}"] = float((counts > 0).mean())
        metrics[f"gini_at_{k}"] = gini(counts)
        metrics[f"popularity_at_{k}"] = float(counts @ popularity / total)
        metrics[f"novelty_at_{k}"] = float(counts @ information / total)
    return metrics


def gini(counts: np.ndarray) -> float:
    """Gini coefficient of non-negative counts: 0 where all are equal, (n - 1) / n where one has everything."""
    n, total = len(counts), counts.sum()
    if total == 0:
        return 0.0
    place = np.arange(1, n + 1)
    return float((2 * place - n - 1) @ np.sort(counts) / (n * total))
