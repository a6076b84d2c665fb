"""Lists of several models added up, with weights that are chosen by what the sum is worth.

Scores of different models have different scales, so that those of each user's best 100 are brought to the range from 0
to 1 first (Fox and Shaw, Combination of Multiple Searches, TREC-2, 1994); or ranks are used in their place,
1 / (60 + rank) (Cormack, Clarke and Buettcher, Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank
Learning Methods, SIGIR 2009). An item that a model does not list gets nothing from it.

Weights are found by ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, Ensemble Selection
from Libraries of Models, ICML 2004): ten times the member is taken in with which the sum is best, and the best of all
sums on the way is kept. A member alone is among them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from recsys.arrays import top_k
from recsys.evaluation.evaluate import LIST_DEPTH
from recsys.evaluation.ranking import Ranking

Scale = Literal["scores", "ranks"]
SCALES: tuple[Scale, ...] = ("scores", "ranks")
RANK_OFFSET = 60
LEAST = 1e-9
ROUNDS = 10
"""Members that are taken in, the same one as often as it is best: weights are tenths or coarser."""
Weighting = tuple[Scale, tuple[float, ...]]
"""What is added, and the weight of each member."""


class Added:
    """The lists of all members over the items that any of them lists, so that only the weights are open."""

    def __init__(self, lists: Sequence[Ranking], scale: Scale) -> None:
        """Lists of the same users in the same order."""
        self._lists = lists
        self._depth = max(each.items.shape[1] for each in lists)
        n_items = 1 + max(int(each.items.max(initial=0)) for each in lists)
        keys = [_keys(each, n_items) for each in lists]
        union = np.sort(np.concatenate(keys))
        union = union[np.diff(union, prepend=-1) > 0]
        rows, items = np.divmod(union, n_items)
        counts = np.bincount(rows, minlength=len(lists[0].users))
        places = np.arange(len(union)) - np.repeat(np.cumsum(counts) - counts, counts)
        # Of a user the items in their order, so that equal sums are listed in it.
        self._items = np.full((len(counts), max(self._depth, counts.max(initial=0))), -1, dtype=np.int32)
        self._items[rows, places] = items
        self._worths = []
        for ranking, own in zip(lists, keys, strict=True):
            at, worth = np.searchsorted(union, own), np.zeros(self._items.shape, dtype=np.float32)
            worth[rows[at], places[at]] = _worth(ranking, scale)[ranking.items >= 0]
            self._worths.append(worth)

    def combine(self, weights: Sequence[float]) -> Ranking:
        """One list per user, as long as the longest of the members', best first; a member alone keeps its own."""
        counting = [place for place, weight in enumerate(weights) if weight]
        if len(counting) == 1:
            return self._lists[counting[0]]
        total = sum(np.float32(weights[place]) * self._worths[place] for place in counting)
        assert isinstance(total, np.ndarray)
        total[total <= 0] = -np.inf
        places, scores = top_k(total, self._depth)
        items = np.take_along_axis(self._items, np.maximum(places, 0), axis=1)
        return Ranking(self._lists[0].users, np.where(places < 0, np.int32(-1), items), scores)


def _keys(ranking: Ranking, n_items: int) -> np.ndarray:
    """A number for each listed (user, item), in the order of the lists."""
    rows = np.arange(len(ranking.items), dtype=np.int64)[:, None] * n_items + ranking.items
    return rows[ranking.items >= 0]


def _worth(ranking: Ranking, scale: Scale) -> np.ndarray:
    """What each place of the lists is worth, their shape."""
    listed, places = ranking.items >= 0, np.arange(ranking.items.shape[1])
    # Test lists are longer than those of validation; the places that both have are worth the same in both.
    if scale == "ranks":
        return np.broadcast_to(np.where(places < LIST_DEPTH, 1 / (RANK_OFFSET + 1 + places), LEAST), listed.shape)
    last = np.clip(listed.sum(axis=1, keepdims=True), 1, LIST_DEPTH) - 1
    scores = np.where(listed, ranking.scores.astype(np.float64), 0.0)
    low, high = np.take_along_axis(scores, last, axis=1), scores[:, :1]
    spread = np.where(high > low, high - low, 1)
    # The last of a list is still better than what is not listed.
    return np.where(high > low, np.maximum((scores - low) / spread, LEAST), 1.0)


def choose(
    lists: Sequence[Ranking], value: Callable[[Ranking], float], scales: Sequence[Scale] = SCALES
) -> dict[Weighting, float]:
    """Every weighting that was tried and its value, in their order; the first of the best is to be taken.

    Args:
        lists: of each member on the validation part.
        value: what lists are worth there, higher is better.
        scales: what may be added.
    """
    tried: dict[Weighting, float] = {}
    for scale in scales:
        added, counts = Added(lists, scale), (0,) * len(lists)
        for n_taken in range(1, (ROUNDS if len(lists) > 1 else 1) + 1):
            grown: dict[tuple[int, ...], float] = {}
            for member in range(len(lists)):
                now = tuple(count + (place == member) for place, count in enumerate(counts))
                weights = tuple(count / n_taken for count in now)
                if (scale, weights) not in tried:
                    tried[scale, weights] = value(added.combine(weights))
                grown[now] = tried[scale, weights]
            counts = max(grown, key=lambda each: grown[each])
    return tried


def best_of(tried: Mapping[Weighting, float]) -> Weighting:
    """The weighting to be taken."""
    return max(tried, key=lambda each: tried[each])
