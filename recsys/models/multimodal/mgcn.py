"""MGCN: content purified by what users do, and its preferences split into common and specific ones."""

from typing import ClassVar

import torch
from pydantic import PositiveInt
from torch import Tensor

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, TrainingData
from recsys.training.fusion import CommonAndSpecific
from recsys.training.item_graph import item_graphs
from recsys.training.two_views import TwoViewConfig, TwoViewNetwork


class MGCNConfig(TwoViewConfig):
    """Hyper-parameters of MGCN.

    Attributes:
        n_neighbours: neighbours per item in each source's item graph, including the item itself.
    """

    n_neighbours: PositiveInt = 10


class MGCNNetwork(TwoViewNetwork):
    """Both views, that by content of what the sources have in common and of what is specific to each."""

    def __init__(self, data: TrainingData, config: MGCNConfig) -> None:
        """Draw the parameters from the seed."""
        super().__init__(data, config, item_graphs(data.content, config.n_neighbours, "cosine"))
        self.fusion = CommonAndSpecific(len(self.graphs), config.n_factors)

    def content_view(self, nodes: Tensor, taken: Tensor, views: list[Tensor]) -> Tensor:
        """What is common and what is specific, gated by the view by interactions."""
        return self.fusion(torch.stack(views), self.known[:, nodes], taken)


@register
class MGCN(GradientModel):
    """Score: the inner product of sums of two views, one by interactions (LightGCN), one by content.

    By a source, an item is the sum over its content neighbours of their embeddings, gated by their mapped, trained
    features, and a user the same over their items. What sources have in common is their mean by attention; what is
    specific to each is the rest, gated by the view by interactions. The content view is the mean of these parts.

    Paper and published code agree. Decided here: for M sources the mean is over M + 1 parts; an item that lacks a
    source has no part of it in attention and mean; with one source all is common and half of it counts, as the formula
    gives. The regulariser divides by the batch's size, also in the last batch. Without content the model is LightGCN,
    regularised after propagation. Defaults and choices are the published ones.
    """

    Config = MGCNConfig
    network = MGCNNetwork
    source = "Yu, Tan, Lu, Bao: Multi-View Graph Convolutional Network for Multimedia Recommendation, MM 2023"
    scores_cold_items = True
    without_content = "LightGCN"
    presets: ClassVar[Presets] = {
        "published/amazon": {"contrast_weight": 0.01, "learning_rate": 1e-3, "feature_scaling": "raw"}
    }
