"""AttributeItemKNN: items like those that a user has, alike by their users and their content, side by side."""

from scipy import sparse

from recsys.models.multimodal._attributes import AttributeConfig, nearest_described
from recsys.models.multimodal._vectors import centred, is_attributes
from recsys.models.neighbours._similarity import neighbour_memory
from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import DataSize, TrainingData


@register
class AttributeItemKNN(ItemWeightsModel):
    """ItemKNN over an item's users and, times `content_weight`, its content, side by side.

    Attributes (0 or 1, such as keywords of descriptions) are columns like those of the users. Other content is
    centred. Without content this is ItemKNN.
    """

    Config = AttributeConfig
    source = "Gantner, Rendle, Freudenthaler, Schmidt-Thieme: MyMediaLite, RecSys 2011 (attribute-based item kNN)"
    deterministic = True
    scores_cold_items = True
    without_content = "ItemKNN"

    @classmethod
    def memory(cls, config: AttributeConfig, size: DataSize) -> float:
        """See `neighbour_memory`."""
        return neighbour_memory(size.n_items, size.item_pairs, config.n_neighbours, size, width=size.width)

    def fit(self, data: TrainingData) -> None:
        """Find each item's neighbours."""
        self.train = data.train
        attributes = [sparse.csr_array(f.matrix) for f in data.content.values() if is_attributes(f)]
        embeddings = [centred(f) for f in data.content.values() if not is_attributes(f)]
        self._content_used = bool(attributes) or any(rows.any() for rows in embeddings)
        self.weights = nearest_described(data.train.T.tocsr(), attributes, embeddings, self.config).T.tocsr()
