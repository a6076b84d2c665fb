"""P3alpha: what a random walk of three steps from a user reaches."""

from recsys.models.graph._walks import WalkConfig, walk_weights
from recsys.models.neighbours._similarity import neighbour_memory
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, TrainingData


@register
class P3alpha(ItemWeightsModel):
    """W = P_iu P_ui, the entries of both raised to alpha; score = X W.

    P_iu goes from items to their users, P_ui from users to their items. The first of the walk's three steps, from a
    user to one of their items, is the same for all items of the user and left to X.
    """

    Config = WalkConfig
    source = "Cooper, Lee, Radzik, Siantos: Random walks in recommender systems, WWW 2014 companion"
    deterministic = True

    @classmethod
    def memory(cls, config: WalkConfig, size: DataSize) -> float:
        """See `neighbour_memory`."""
        return neighbour_memory(size.n_items, size.item_pairs, config.n_neighbours, size)

    def fit(self, data: TrainingData) -> None:
        """Weigh the walks between items."""
        self.train = data.train
        self.weights = walk_weights(data.train, self.config)
