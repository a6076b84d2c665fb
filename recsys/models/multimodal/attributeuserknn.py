"""AttributeUserKNN: items of users who are alike by their items and by the content of these."""

from scipy import sparse

from recsys.models.multimodal._attributes import AttributeConfig, nearest_described
from recsys.models.multimodal._vectors import centred, is_attributes, user_means
from recsys.models.neighbours._similarity import neighbour_memory
from recsys.models.registry import register
from recsys.models.scoring import UserWeightsModel
from recsys.recommender import DataSize, TrainingData


@register
class AttributeUserKNN(UserWeightsModel):
    """UserKNN over a user's items and, times `content_weight`, the user's content profile, side by side.

    The profile is the mean of the content of those of the user's items that have any: of attributes (0 or 1, such as
    keywords of descriptions) the share of items with each, of other content the mean of centred vectors. Without
    content this is UserKNN.
    """

    Config = AttributeConfig
    source = "Gantner, Rendle, Freudenthaler, Schmidt-Thieme: MyMediaLite, RecSys 2011 (attribute-based user kNN)"
    deterministic = True
    without_content = "UserKNN"

    @classmethod
    def memory(cls, config: AttributeConfig, size: DataSize) -> float:
        """See `neighbour_memory`."""
        return neighbour_memory(size.n_users, size.user_pairs, config.n_neighbours, size, width=size.width)

    def fit(self, data: TrainingData) -> None:
        """Describe the users, and find each one's neighbours."""
        self.train = data.train
        sources = data.content.values()
        attributes = [
            user_means(data.train, sparse.csr_array(f.matrix), f.present) for f in sources if is_attributes(f)
        ]
        embeddings = [user_means(data.train, centred(f), f.present) for f in sources if not is_attributes(f)]
        self._content_used = bool(attributes) or any(rows.any() for rows in embeddings)
        self.neighbours = nearest_described(data.train, attributes, embeddings, self.config).T.tocsr()
