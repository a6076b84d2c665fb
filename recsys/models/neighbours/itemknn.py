"""Items like those that a user has."""

from recsys.models.neighbours._similarity import NeighbourConfig, nearest, weighted
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import TrainingData


@register
class ItemKNN(ItemWeightsModel):
    """Score of an item = its similarity to those of its nearest items that the user has, summed."""

    Config = NeighbourConfig
    source = "Sarwar, Karypis, Konstan, Riedl: Item-based collaborative filtering recommendation algorithms, WWW 2001"
    deterministic = True

    def fit(self, data: TrainingData) -> None:
        """Find each item's neighbours."""
        self.train = data.train
        users_of_items = weighted(data.train.T.tocsr(), self.config.weighting)
        self.weights = nearest(users_of_items, self.config).T.tocsr()
