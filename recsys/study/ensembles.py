"""Ensembles of stored lists: one model a source of content, their scores or ranks added with weights.

Scores of different models have different scales, so that each user's list is brought to the range from 0 to 1 first;
or ranks are used in their place, 1 / (60 + rank) (Cormack, Clarke and Büttcher, Reciprocal Rank Fusion Outperforms
Condorcet and Individual Rank Learning Methods, SIGIR 2009). An item that a model does not list gets nothing from it.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Literal

import numpy as np
from scipy import sparse

from recsys.arrays import entries
from recsys.evaluation.ranking import Ranking

Scale = Literal["scores", "ranks"]
SCALES: tuple[Scale, ...] = ("scores", "ranks")
RANK_OFFSET = 60
LEAST = 1e-9
STEPS = {2: 4, 3: 3}
"""Into how many parts the weights are divided, by the number of models; 2 for more of them."""


def combine(lists: Sequence[Ranking], weights: Sequence[float], scale: Scale, n_items: int) -> Ranking:
    """One list a user, as long as the longest of the models', best first.

    Args:
        lists: of each model, all of the same users in the same order.
        weights: of each model.
        scale: what is added.
        n_items: of the catalogue.
    """
    total = sparse.csr_array((len(lists[0].users), n_items), dtype=np.float64)
    for ranking, weight in zip(lists, weights, strict=True):
        if weight:
            total = total + weight * _worth(ranking, scale, n_items)
    rows, items = entries(total)
    order = np.lexsort((items, -total.data, rows))
    depth = max(each.items.shape[1] for each in lists)
    place = np.arange(len(rows)) - np.repeat(total.indptr[:-1], np.diff(total.indptr))
    kept = place < depth
    shape = (len(lists[0].users), depth)
    best, scores = np.full(shape, -1, dtype=np.int32), np.full(shape, -np.inf, dtype=np.float32)
    best[rows[kept], place[kept]] = items[order][kept]
    scores[rows[kept], place[kept]] = total.data[order][kept]
    return Ranking(lists[0].users, best, scores)


def weightings(n_models: int) -> Iterator[tuple[float, ...]]:
    """Weights that add up to 1, on a grid that is coarser the more models there are."""
    steps = STEPS.get(n_models, 2)
    for parts in product(range(steps + 1), repeat=n_models):
        if sum(parts) == steps:
            yield tuple(part / steps for part in parts)


def _worth(ranking: Ranking, scale: Scale, n_items: int) -> sparse.csr_array:
    """What each listed item is worth, shape (n lists, n_items)."""
    listed = ranking.items >= 0
    if scale == "ranks":
        worth = np.broadcast_to(1 / (RANK_OFFSET + 1 + np.arange(ranking.items.shape[1])), listed.shape)
    else:
        last = np.maximum(listed.sum(axis=1, keepdims=True) - 1, 0)
        scores = np.where(listed, ranking.scores.astype(np.float64), 0.0)
        low, high = np.take_along_axis(scores, last, axis=1), scores[:, :1]
        spread = np.where(high > low, high - low, 1)
        # The last of a list is still better than what is not listed.
        worth = np.where(high > low, np.maximum((scores - low) / spread, LEAST), 1.0)
    rows, places = np.nonzero(listed)
    values = worth[rows, places]
    return sparse.csr_array((values, (rows, ranking.items[rows, places])), shape=(len(listed), n_items))
