"""MGCL: interactions and sources as dimensions with their own user tables, aligned by a contrast."""

from itertools import combinations
from typing import Annotated, ClassVar, cast

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import Presets, TrainingData, searched
from recsys.training.content import FROZEN
from recsys.training.contrast import mutual_info_nce_loss
from recsys.training.dimensions import DimensionsConfig, DimensionsNetwork, Preferences
from recsys.training.network import Batch, Step
from recsys.training.randomness import generator


class MGCLConfig(DimensionsConfig):
    """Hyper-parameters of MGCL.

    Attributes:
        contrast_rate: learning rate of the contrast between dimensions, which has an optimiser of its own; 0: none.
        temperature: temperature of that contrast.
    """

    contrast_rate: NonNegativeFloat = searched(1e-4, choices=[0.0, 1e-5, 1e-4, 1e-3], needs="content")
    temperature: Annotated[float, Field(ge=0.025)] = 0.04


class MGCLNetwork(DimensionsNetwork):
    """A dimension of interactions, and one of a single layer for each source."""

    config: MGCLConfig

    def __init__(self, data: TrainingData, config: MGCLConfig) -> None:
        """Draw the parameters from the seed."""
        draws = generator(data.seed)
        super().__init__(data, config, draws)
        if self.content_used:
            self.preferences.append(
                Preferences(data, config.n_factors, len(self.sources), config.column_power, 1, draws)
            )

    def steps(self) -> list[Step]:
        """The ranking, and on the same batch the contrast, each with an optimiser of its own."""
        parameters, rate = list(self.parameters()), self.config.contrast_rate
        steps = [Step(self.loss, parameters)]
        return [*steps, Step(self.contrast, parameters, learning_rate=rate)] if self.content_used and rate else steps

    def loss(self, batch: Batch) -> Tensor:
        """The ranking losses of all dimensions."""
        return self.ranking_loss(batch)[0]

    def contrast(self, batch: Batch) -> Tensor:
        """InfoNCE of the batch's users, and of their items, between every two dimensions before propagation.

        An item that lacks a source is left out of the pairs with its dimension.
        """
        users, items = batch[0].unique(), batch[1].unique()
        preferences = embedding(users, cast(Preferences, self.preferences[0]).users)
        user_views = [embedding(users, self.users), *preferences.split(self.config.n_factors, dim=1)]
        losses = [mutual_info_nce_loss(*pair, self.config.temperature) for pair in combinations(user_views, 2)]
        item_views = [(embedding(items, self.items), torch.ones_like(items, dtype=torch.bool))]
        item_views += [(source(items), source.present[items, 0]) for source in self.sources]
        for (one, has_one), (other, has_other) in combinations(item_views, 2):
            both = has_one & has_other
            losses.append(mutual_info_nce_loss(one[both], other[both], self.config.temperature))
        return torch.stack(losses).sum()


@register
class MGCL(GradientModel):
    """Score: u . i + sum_m w_m u_m . i_m, the sum over the sources m with w = `image_weight` for images, else 1.

    u and i are the last layer of embeddings over D^-1/2 (A + I) D^-p; u_m and i_m that of users' preferences in m and
    the items' mapped, frozen features after one layer. Each dimension has its own BPR. On each batch a second
    optimiser, at `contrast_rate`, published as a tenth of the learning rate, then aligns the vectors before
    propagation across dimensions: InfoNCE among the batch's users, and among their items, for every ordered pair of
    dimensions.

    In the published code two of the twelve contrasts have the denominator of another pair; here all follow the paper.
    Decided here: batches are of all pairs, where the published code draws 2048 distinct users with an item each, and
    the contrast is that of the batch's distinct users and items, a mean where theirs is a sum: Adam does not see the
    scale; an item that lacks a source takes no part in its contrast. Without content the dimension of interactions is
    left: the last layer of LightGCN with self-loops. Defaults are those published for Amazon Beauty, the presets of
    Baby and Douyin those of a later comparison. Published figures are of 99 sampled negatives, or of training on train
    and validation; on Taobao their text is the images again.
    """

    Config = MGCLConfig
    network = MGCLNetwork
    source = (
        "Liu, Xue, Guo, Sun, Qian, Hong: Multimodal Graph Contrastive Learning for Multimedia-Based Recommendation "
        "(MGCL), TMM 2023"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        f"published/{name}": {
            "batch_size": 2048,
            "n_layers": layers,
            "column_power": power,
            "image_weight": 0.4,
            "feature_scaling": "raw",
        }
        for name, layers, power in (("beauty", 4, 0.4), ("baby", 5, 0.4), ("douyin", 5, 0.4))
    }
