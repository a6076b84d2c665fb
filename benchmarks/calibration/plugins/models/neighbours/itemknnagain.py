"""ItemKNN under another name, and with a search of its own: luck of the search must not make a difference."""

from recsys.models.neighbours._similarity import NeighbourConfig
from recsys.models.neighbours.itemknn import ItemKNN
from recsys.models.registry import register
from recsys.recommender import searched


class ItemKNNAgainConfig(NeighbourConfig):
    """Hyper-parameters of ItemKNN, and one that does nothing but draw the search elsewhere.

    Attributes:
        idle: means nothing.
    """

    idle: float = searched(0.5, 0.0, 1.0)


@register
class ItemKNNAgain(ItemKNN):
    """ItemKNN, of whose family it is: what either chooses is tried on the other."""

    Config = ItemKNNAgainConfig
    source = "See ItemKNN"
    deterministic = True
    without_content = "ItemKNN"
