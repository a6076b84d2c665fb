"""Co-clustering: users and items in clusters, and the mean rating of each pair of them."""

import numpy as np
from pydantic import PositiveInt
from scipy import sparse

from recsys.models.registry import register
from recsys.models.scoring import FactorModel
from recsys.recommender import ModelConfig, TrainingData, searched


class CoClusteringConfig(ModelConfig):
    """Hyper-parameters.

    Attributes:
        n_user_clusters: clusters of users.
        n_item_clusters: clusters of items.
        n_epochs: rounds in which users, then items, move to their best cluster.
    """

    n_user_clusters: PositiveInt = searched(3, 1, 1000, log=True)
    n_item_clusters: PositiveInt = searched(3, 1, 100, log=True)
    n_epochs: PositiveInt = 20


@register
class CoClustering(FactorModel):
    """Score = mean of the co-cluster + (user's mean - user cluster's mean) + (item's mean - item cluster's mean).

    Clusters start at random. In each round (algorithm 1) means are taken, every user moves to the cluster of
    least squared error over their ratings, then every item does; means are taken once more between the two, which the
    paper leaves open, so that no move is judged by means that another has made stale. A cluster or pair without
    ratings has the overall mean. As a product of factors: the user's row of co-cluster means against the item's
    cluster, the user's and the item's offsets against one. A user without ratings gets the items' means, an item
    without ratings the user's.
    """

    Config = CoClusteringConfig
    source = "George, Merugu: A scalable collaborative filtering framework based on co-clustering, ICDM 2005"

    def fit(self, data: TrainingData) -> None:
        """Find the clusters and lay the prediction out as factors."""
        ratings = data.need_ratings(self).tocoo()
        clusters = Clusters(ratings, self.config, np.random.default_rng(data.seed))
        for _ in range(self.config.n_epochs):
            clusters.move_users()
            clusters.move_items()
        self.user_factors, self.item_factors = clusters.factors()


class Clusters:
    """Users and items in clusters, with the means of the ratings between them.

    Attributes:
        of_user: cluster of each user, shape (n_users,).
        of_item: cluster of each item, shape (n_items,).
        joint: mean rating of each pair of clusters, shape (n_user_clusters, n_item_clusters).
        by_user: mean rating of each cluster of users.
        by_item: mean rating of each cluster of items.
    """

    def __init__(self, ratings: sparse.coo_array, config: CoClusteringConfig, rng: np.random.Generator) -> None:
        """Draw the clusters."""
        self.users, self.items = ratings.coords
        self.values = ratings.data.astype(np.float64)
        self.n_users, self.n_items = ratings.shape
        self.overall = self.values.mean()
        self.user_means = self._means(self.users, self.n_users)
        self.item_means = self._means(self.items, self.n_items)
        self.shape = (config.n_user_clusters, config.n_item_clusters)
        self.of_user = rng.integers(self.shape[0], size=self.n_users)
        self.of_item = rng.integers(self.shape[1], size=self.n_items)
        self._take_means()

    def move_users(self) -> None:
        """Each user to the cluster of least squared error."""
        rest = self.values - self._offsets()[1][self.items] - self.user_means[self.users]
        levels = self.joint - self.by_user[:, None]
        self.of_user = _nearest_level(self.users, self.of_item[self.items], rest, levels, self.n_users)
        self._take_means()

    def move_items(self) -> None:
        """Each item to the cluster of least squared error."""
        rest = self.values - self._offsets()[0][self.users] - self.item_means[self.items]
        levels = (self.joint - self.by_item).T
        self.of_item = _nearest_level(self.items, self.of_user[self.users], rest, levels, self.n_items)
        self._take_means()

    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Factors of users and items whose product is the prediction, float32."""
        user_offsets, item_offsets = self._offsets()
        known_user = np.bincount(self.users, minlength=self.n_users) > 0
        known_item = np.bincount(self.items, minlength=self.n_items) > 0
        rows = np.where(known_user[:, None], self.joint[self.of_user], self.by_item)
        alone = np.where(known_user, self.by_user[self.of_user], self.overall)
        users = np.column_stack([rows, user_offsets * known_user, alone, np.ones(self.n_users)])
        places = np.eye(self.shape[1])[self.of_item] * known_item[:, None]
        items = np.column_stack([places, np.ones(self.n_items), ~known_item, item_offsets * known_item])
        return users.astype(np.float32), items.astype(np.float32)

    def _offsets(self) -> tuple[np.ndarray, np.ndarray]:
        """How far each user's and each item's mean is from that of their cluster."""
        return self.user_means - self.by_user[self.of_user], self.item_means - self.by_item[self.of_item]

    def _take_means(self) -> None:
        of_user, of_item = self.of_user[self.users], self.of_item[self.items]
        self.joint = self._means(of_user * self.shape[1] + of_item, self.shape[0] * self.shape[1]).reshape(self.shape)
        self.by_user, self.by_item = self._means(of_user, self.shape[0]), self._means(of_item, self.shape[1])

    def _means(self, groups: np.ndarray, n_groups: int) -> np.ndarray:
        counts = np.bincount(groups, minlength=n_groups)
        sums = np.bincount(groups, weights=self.values, minlength=n_groups)
        return np.where(counts > 0, sums / np.maximum(counts, 1), self.overall)


def _nearest_level(
    rows: np.ndarray, columns: np.ndarray, rest: np.ndarray, levels: np.ndarray, n_rows: int
) -> np.ndarray:
    """For each row the l that minimises the sum over its entries of (rest - levels[l, column])^2.

    Args:
        rows: of the entries.
        columns: of the entries, the clusters of the other side.
        rest: what is left of each entry's rating.
        levels: shape (n_clusters, n_columns).
        n_rows: number of rows.
    """
    shape = (n_rows, levels.shape[1])
    sums = sparse.csr_array((rest, (rows, columns)), shape=shape)
    counts = sparse.csr_array((np.ones_like(rest), (rows, columns)), shape=shape)
    return (counts @ (levels**2).T - 2 * (sums @ levels.T)).argmin(axis=1)
