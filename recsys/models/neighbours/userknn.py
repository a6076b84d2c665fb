"""Items of users who are alike."""

from recsys.models.base import TrainingData
from recsys.models.neighbours._similarity import NeighbourConfig, nearest, weighted
from recsys.models.registry import register
from recsys.models.scoring import UserWeightsModel


@register
class UserKNN(UserWeightsModel):
    """Score of an item = similarities of the user's nearest users who have it, summed."""

    Config = NeighbourConfig
    source = "Herlocker, Konstan, Borchers, Riedl: An algorithmic framework for collaborative filtering, SIGIR 1999"
    deterministic = True

    def fit(self, data: TrainingData) -> None:
        """Find each user's neighbours."""
        self.train = data.train
        self.neighbours = nearest(weighted(data.train, self.config.weighting), self.config)
