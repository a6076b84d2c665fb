"""DRAGON: DualGNN's encodings side by side, smoothed among users by what they took and among items by content."""

from typing import ClassVar

from pydantic import PositiveInt

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, Share, TrainingData, searched
from recsys.training.content import FROZEN
from recsys.training.preference_encoder import PreferenceConfig, WeightedSources

AS_PUBLISHED = {"batch_size": 2048, "learning_rate": 1e-4, "feature_scaling": "raw"}


class DRAGONConfig(PreferenceConfig):
    """Hyper-parameters of DRAGON.

    Attributes:
        n_user_neighbours: neighbours per user in the graph of users, those with the most items in common.
        n_neighbours: neighbours per item in the item graph, including the item itself.
        image_weight: weight of the image graph where exactly text and image are shown; otherwise sources weigh the
            same.
    """

    n_user_neighbours: PositiveInt = 40
    n_neighbours: PositiveInt = 10
    image_weight: Share = searched(0.1, choices=[0.1, 0.5, 0.9], needs="text_and_image")


class DRAGONNetwork(WeightedSources):
    """The encodings of all sources side by side, and the graphs of users and of items."""

    def __init__(self, data: TrainingData, config: DRAGONConfig) -> None:
        """Draw the parameters from the seed and lay out the graphs."""
        super().__init__(data, config)
        self.add_user_graph(data, config.n_user_neighbours)
        self.add_item_graph(data, config.n_neighbours, config.image_weight)


@register
class DRAGON(GradientModel):
    """Score: (r_u + sum_j s_uj r_j) . (z_i + sum_k t_ik z_k) with r_u = [w_um z_um for each source m].

    z are DualGNN's encodings, here side by side: see there for them, for the graph s of users, and for the loss. The
    graph t of items is FREEDOM's, frozen, of the features as given.

    Paper and published code agree but for what the latter makes and does not use. Decided here: weights of the item
    graphs of what is shown sum to one (see FREEDOM), and what DualGNN decides. Without content it is DualGNN without
    content: one learned table of items, and the graph of users. Sizes are the published ones; the published learning
    rate, 1e-4, is a tenth of the default and in the presets.
    """

    Config = DRAGONConfig
    network = DRAGONNetwork
    source = (
        "Zhou, Zhou, Zhang, Shen: Enhancing Dyadic Relations with Homogeneous Graphs for Multimodal Recommendation "
        "(DRAGON), ECAI 2023"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        "published/baby": AS_PUBLISHED | {"preference_l2": 1e-3},
        "published/sports": AS_PUBLISHED | {"preference_l2": 1e-3},
        "published/clothing": AS_PUBLISHED | {"preference_l2": 1e-1},
    }
