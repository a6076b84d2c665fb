"""Models that are trained by gradient: each names its network, and fitting is the same for all."""

from typing import ClassVar

from recsys.models.scoring import FactorModel
from recsys.recommender import Recommender, TrainingData
from recsys.training.loop import train
from recsys.training.network import Network
from recsys.training.randomness import seeded_region


class LearnsByGradient(Recommender):
    """A model whose scores come from a trained network.

    Attributes:
        network: class of the network, made from the data and the config.
    """

    network: ClassVar[type[Network]]

    def fit(self, data: TrainingData) -> None:
        """Build the network and train it, all from the seed."""
        with seeded_region(data.seed):
            network = self.new_network(data)
            self._content_used = bool(data.content) and network.content_used
            train(self, network, data)

    def new_network(self, data: TrainingData) -> Network:
        """An untrained network for the data."""
        return self.network(data, self.config)


class GradientModel(LearnsByGradient, FactorModel):
    """One whose score is the inner product of a user's and an item's vector, as nearly all are."""
