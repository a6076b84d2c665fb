"""Stored test lists of a (model, arm) as scores: any metric, cut-off and mask, over all test items or some of them.

Final cells keep longer lists than any cut-off, so nothing is ranked anew. Where they mask the training items alone,
the lists of the mask `seen` are theirs without the validation items.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import sparse

from recsys.arrays import entries
from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import Part, lists_at
from recsys.evaluation.metrics.registry import metrics
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking
from recsys.evidence.scores import Scores

Mask = Literal["seen", "train"]


@dataclass(frozen=True)
class StoredLists:
    """The lists of one (model, arm) on one part, one ranking per repeat.

    Attributes:
        scores: its primary metric, which knows the users and how repeats differ.
        rankings: as they were stored.
        datasets: of the repeats.
        part: whose held-out items count.
        protocol: of the study.
    """

    scores: Scores
    rankings: Sequence[Ranking]
    datasets: Sequence[Dataset]
    part: Part
    protocol: Protocol

    @cached_property
    def masks(self) -> tuple[Mask, ...]:
        """What the lists can be had under: with training items alone masked only where they were stored so."""
        pairs = zip(self.rankings, self.datasets, strict=True)
        return ("seen", "train") if any(_lists_any(lists, data.valid) for lists, data in pairs) else ("seen",)

    def masked(self, mask: Mask) -> list[Ranking]:
        """The lists under a mask; on the validation part there is but one."""
        return list(self.rankings) if mask == "train" or self.part == "valid" else self._seen

    @cached_property
    def _seen(self) -> list[Ranking]:
        return [lists.without(data.valid) for lists, data in zip(self.rankings, self.datasets, strict=True)]

    def measure(
        self,
        names: Sequence[str],
        *,
        mask: Mask | None = None,
        items: Sequence[np.ndarray] | None = None,
        rankings: Sequence[Ranking] | None = None,
    ) -> dict[str, Scores]:
        """Scores by metric.

        Args:
            names: such as `ndcg_at_20`.
            mask: None: the protocol's.
            items: of each repeat, bool of shape (n_items,): only these count as relevant. Users without any in a
                repeat score 0 there (see `n_rows`).
            rankings: to measure in the place of the stored ones, masked already.
        """
        lists = self.masked(mask or self.protocol.mask) if rankings is None else rankings
        ks = sorted({_split(name)[1] for name in names})
        values = {name: np.zeros((len(lists), len(self.scores.users))) for name in names}
        for repeat, (ranking, data) in enumerate(zip(lists, self.datasets, strict=True)):
            truth = self._truth(repeat, items)
            views = lists_at(ranking, truth, data.train, ks, self.protocol)
            at, known = _positions(self.scores.users, views[ks[0]].users)
            for name in names:
                metric, k = _split(name)
                values[name][repeat, at] = np.asarray(metrics()[metric].function(views[k]))[known]
        return {name: replace(self.scores, values=each) for name, each in values.items()}

    def n_rows(self, items: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """Held-out items of each user, of these items only where they are given, shape (n_repeats, n_users)."""
        counts = [np.diff(self._truth(repeat, items).indptr) for repeat in range(len(self.datasets))]
        return np.stack([each[self.scores.users] for each in counts])

    def _truth(self, repeat: int, items: Sequence[np.ndarray] | None) -> sparse.csr_array:
        data = self.datasets[repeat]
        truth = data.test if self.part == "test" else data.valid
        return truth if items is None else only_items(truth, items[repeat])


def only_items(rows: sparse.csr_array, items: np.ndarray) -> sparse.csr_array:
    """The entries in some columns; `items` is bool, one a column."""
    users, columns = entries(rows)
    kept = items[columns]
    return sparse.csr_array((rows.data[kept], (users[kept], columns[kept])), shape=rows.shape)


def _split(name: str) -> tuple[str, int]:
    metric, _, k = name.rpartition("_at_")
    return metric, int(k)


def _positions(users: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where found users stand among all, and which of them do."""
    order = np.argsort(users)
    at = order[np.searchsorted(users, found, sorter=order).clip(max=len(users) - 1)]
    known = users[at] == found
    return at[known], known


def _lists_any(ranking: Ranking, held: sparse.csr_array) -> bool:
    """Whether any list holds any of its user's entries."""
    rows, items = entries(held[ranking.users])
    return bool((ranking.items[rows] == items[:, None]).any())
