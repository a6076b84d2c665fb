"""MGCN: content purified by behaviour, and its preferences split into shared and modality-specific ones."""

from typing import ClassVar

import torch
from pydantic import PositiveInt
from scipy import sparse
from torch import Tensor

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import FirstPoints, Presets, TrainingData
from recsys.training.content import TRAINED
from recsys.training.fusion import CommonAndSpecific
from recsys.training.item_graph import item_graphs
from recsys.training.two_views import TwoViewConfig, TwoViewNetwork


class MGCNConfig(TwoViewConfig):
    """Hyper-parameters of MGCN.

    Attributes:
        n_neighbours: neighbours per item in each source's item graph, including the item itself.
    """

    n_neighbours: PositiveInt = 10

    first_points: ClassVar[FirstPoints] = ({"learning_rate": 3e-3},)


class MGCNNetwork(TwoViewNetwork):
    """Both views, the one by content from the shared and the specific parts of the sources' views."""

    def __init__(self, data: TrainingData, config: MGCNConfig, graph: sparse.csr_array | None = None) -> None:
        """Draw the parameters from the seed; a model on another user-item graph than LightGCN's gives it."""
        super().__init__(data, config, item_graphs(data.content, config.n_neighbours, "cosine"), graph)
        self.fusion = CommonAndSpecific(len(self.graphs), config.n_factors)

    def content_view(self, nodes: Tensor, collaborative: Tensor, views: list[Tensor]) -> Tensor:
        """The shared part, and the specific ones, gated by the collaborative view."""
        return self.fusion(torch.stack(views), self.known[:, nodes], collaborative)


@register
class MGCN(GradientModel):
    """Score: the inner product of sums of two views, a collaborative one (LightGCN) and one by content.

    By a source, an item is the sum over its content neighbours of their embeddings, gated by their mapped, trained
    features, and a user the same over their items. What sources have in common is their mean by attention; what is
    specific to each is the rest, gated by the collaborative view. The content view is the mean of these parts.

    Paper and published code agree. Decided here: for M sources the mean is over M + 1 parts; an item that lacks a
    source has no part of it in attention and mean; with one source all is common and half of it counts, as the formula
    gives. The regulariser divides by the batch's size, also in the last batch. Without content the model is LightGCN,
    regularised after propagation. Defaults and choices are the published ones; on Last.fm a learning rate of 0.003 is
    better and sooner there (validation nDCG@20 .262 after 62 epochs, .248 after 80), so tuning tries it next.
    """

    Config = MGCNConfig
    network = MGCNNetwork
    source = "Yu, Tan, Lu, Bao: Multi-View Graph Convolutional Network for Multimedia Recommendation (MGCN), MM 2023"
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
    bytes_per_view = 128
    presets: ClassVar[Presets] = {
        "published/amazon": {
            "contrast_weight": 0.01,
            "learning_rate": 1e-3,
            "batch_size": 2048,
            "feature_scaling": "raw",
        }
    }
