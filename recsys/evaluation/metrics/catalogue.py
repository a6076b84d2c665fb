"""What lists as a whole are like: how much of the catalogue they show, how evenly, and how popular it is."""

import numpy as np

from recsys.evaluation.metrics.registry import Lists, list_metric


@list_metric(higher_is_better=True)
def coverage(lists: Lists) -> float:
    """Share of the catalogue in any list."""
    return float((lists.shown > 0).mean())


@list_metric(higher_is_better=False)
def gini(lists: Lists) -> float:
    """Gini coefficient of how often items are shown; 0: all equally often, towards 1: one item fills the lists."""
    return gini_coefficient(lists.shown)


@list_metric(higher_is_better=None)
def popularity(lists: Lists) -> float:
    """Mean popularity, in training interactions, of the items shown."""
    counts = lists.shown
    return float(counts @ lists.popularity / max(int(counts.sum()), 1))


def gini_coefficient(counts: np.ndarray) -> float:
    """Gini coefficient of non-negative counts: 0 where all are equal, (n - 1) / n where one has everything."""
    n, total = len(counts), counts.sum()
    if total == 0:
        return 0.0
    rank = np.arange(1, n + 1)
    return float((2 * rank - n - 1) @ np.sort(counts) / (n * total))
