"""Items like those that a user has."""

from recsys.models.neighbours._similarity import NeighbourConfig, nearest, neighbour_memory, weighted
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, TrainingData


@register
class ItemKNN(ItemWeightsModel):
    """Score of an item = its similarity to those of its nearest items that the user has, summed."""

    Config = NeighbourConfig
    source = "Sarwar, Karypis, Konstan, Riedl: Item-based collaborative filtering recommendation algorithms, WWW 2001"
    deterministic = True

    @classmethod
    def memory(cls, config: NeighbourConfig, size: DataSize) -> float:
        """See `neighbour_memory`."""
        return neighbour_memory(size.n_items, size.item_pairs, config.n_neighbours, size)

    def fit(self, data: TrainingData) -> None:
        """Find each item's neighbours."""
        self.train = data.train
        users_of_items = weighted(data.train.T.tocsr(), self.config.weighting)
        self.weights = nearest(users_of_items, self.config).T.tocsr()
