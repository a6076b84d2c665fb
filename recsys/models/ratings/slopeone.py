"""Slope One: how much better the users of two items like the one than the other."""

import numpy as np
from scipy import sparse

from recsys.arrays import entries, pack_sparse, unpack_sparse
from recsys.models.registry import register
from recsys.recommender import FIXED_MEMORY, DataSize, ModelConfig, Recommender, TrainingData


@register
class SlopeOne(Recommender):
    """Score of item j = the user's mean rating + mean of dev(j, i) over their items i that share a user with j.

    dev(j, i) is the mean of (rating of j - rating of i) over the users who rated both. This is the form for which
    the paper assumes that the user's items are those i (the mean stands for their ratings), as common libraries have
    it. An item that shares no user with any of theirs gets the user's mean, and a user without ratings gets the
    overall mean for all items.
    """

    source = "Lemire, Maclachlan: Slope One predictors for online rating-based collaborative filtering, SDM 2005"
    deterministic = True

    profiles: sparse.csr_array
    means: np.ndarray
    deviations: sparse.csr_array

    @classmethod
    def memory(cls, config: ModelConfig, size: DataSize) -> float:
        """Three products with an entry for each pair of items, and what sorts them."""
        return FIXED_MEMORY + 60 * size.n_interactions + 70 * size.item_pairs

    def fit(self, data: TrainingData) -> None:
        """Take the mean differences of all pairs of items."""
        ratings = data.need_ratings(self).astype(np.float64)
        self.profiles = data.train
        counts = np.diff(ratings.indptr)
        totals = np.asarray(ratings.sum(axis=1))
        self.means = np.where(counts > 0, totals / np.maximum(counts, 1), ratings.data.mean()).astype(np.float32)
        self.deviations = _mean_differences(ratings)

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of all items, float32, shape (len(users), n_items)."""
        profiles = self.profiles[users]
        stored = self.deviations
        shared = sparse.csr_array((np.ones_like(stored.data), stored.indices, stored.indptr), shape=stored.shape)
        sums, counts = (profiles @ stored).toarray(), (profiles @ shared).toarray()
        return self.means[users, None] + sums / np.maximum(counts, 1)

    def state(self) -> dict[str, np.ndarray]:
        """Profiles, means and deviations."""
        return (
            pack_sparse("profiles", self.profiles) | {"means": self.means} | pack_sparse("deviations", self.deviations)
        )

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.means = state["means"]
        self.profiles, self.deviations = unpack_sparse("profiles", state), unpack_sparse("deviations", state)


def _mean_differences(ratings: sparse.csr_array) -> sparse.csr_array:
    """At (i, j) the mean of (rating of j - rating of i) over users of both, float32; the diagonal is empty."""
    parts = (ratings.indices, ratings.indptr)
    taken = sparse.csr_array((np.ones_like(ratings.data), *parts), shape=ratings.shape)
    # Shifted so that no sum is zero and all three products store the same entries; differences stay what they are.
    shifted = sparse.csr_array((ratings.data - ratings.data.min() + 1, *parts), shape=ratings.shape)
    of_j = sparse.csr_array(taken.T @ shifted)
    of_i, common = sparse.csr_array(of_j.T), sparse.csr_array(taken.T @ taken)
    for matrix in (of_j, of_i, common):
        matrix.sort_indices()
    i, j = entries(common)
    different = i != j
    means = ((of_j.data - of_i.data) / common.data).astype(np.float32)
    return sparse.csr_array((means[different], (i[different], j[different])), shape=common.shape)
