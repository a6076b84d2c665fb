"""BM3: two views of users, items and content that must predict each other, without negatives."""

from typing import ClassVar

from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import DropRate, FirstPoints, Presets, TrainingData, searched
from recsys.training.content import TRAINED, ContentConfig, Sources
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import embedding_norm_loss, unit
from recsys.training.network import Batch
from recsys.training.randomness import dropout

AS_PUBLISHED = {"batch_size": 2048, "feature_scaling": "raw"}


class BM3Config(ContentConfig):
    """Hyper-parameters of BM3.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        dropout: share of a target view's entries that are hidden from the prediction.
        norm_weight: weight of the norms of the propagated tables (see `embedding_norm_loss`).
        content_weight: weight of the losses that align content with items and with itself.
    """

    n_layers: PositiveInt = searched(1, choices=[1, 2])
    dropout: DropRate = searched(0.5, choices=[0.3, 0.5])
    norm_weight: NonNegativeFloat = searched(0.1, choices=[0.1, 0.01])
    content_weight: NonNegativeFloat = 2.0

    first_points: ClassVar[FirstPoints] = ({"norm_weight": 0.01}, {"n_layers": 2, "dropout": 0.3})


class BM3Network(GraphNetwork):
    """Embeddings, mapped content, and one predictor for all of them."""

    def __init__(self, data: TrainingData, config: BM3Config) -> None:
        """Draw the parameters from the seed; without content only the user-item terms are left."""
        super().__init__(data, config)
        self.config = config
        self.predictor = nn.Linear(config.n_factors, config.n_factors)
        self.sources = Sources(data.content if config.content_weight > 0 else {}, config)
        for linear in (self.predictor, *(source.linear for source in self.sources)):
            nn.init.xavier_normal_(linear.weight)

    @property
    def content_used(self) -> bool:
        """Whether content has a loss."""
        return len(self.sources) > 0

    def loss(self, batch: Batch) -> Tensor:
        """Each view's distance from what the other predicts, over pairs; the negatives are not looked at."""
        users, positives, _ = batch
        user_table, item_table = self._propagated()
        u, p = embedding(users, user_table), embedding(positives, item_table)
        user_target, item_target = self._target(u), self._target(p)
        cosines = self._predicted(u) * item_target + self._predicted(p) * user_target
        loss = (2 - cosines.sum(dim=1)).mean()
        loss = loss + self.config.norm_weight * embedding_norm_loss(user_table, item_table)
        for source in self.sources:
            content, present = source(positives), source.present[positives, 0]
            aligned = 2 - (self._predicted(content) * (item_target + self._target(content))).sum(dim=1)
            loss = loss + self.config.content_weight * (aligned * present).mean()
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """What the predictor makes of both tables."""
        users, items = self._propagated()
        return self.predictor(users), self.predictor(items)

    def _propagated(self) -> tuple[Tensor, Tensor]:
        users, items = self.parted(self.propagated(self.config.n_layers))
        return users, items + self.items

    def _target(self, view: Tensor) -> Tensor:
        """What others are to predict, of length one; its products with what they predict are cosines."""
        return unit(dropout(view.detach(), self.config.dropout))

    def _predicted(self, view: Tensor) -> Tensor:
        return unit(self.predictor(view))


@register
class BM3(GradientModel):
    """Score: q(u) . q(i), with one linear predictor q for users and items propagated by LightGCN, items twice.

    Content acts through the loss alone: each source's mapped, trained features predict the item's embedding and their
    own copy under dropout. A cold item is in no pair, so that its content has no effect and it cannot be scored.

    Paper and published code agree. Decided here: items that lack a source add nothing to its losses, which stay means
    over the batch; dropout is drawn for the batch's rows instead of the whole tables, which is the same in
    expectation. Without content its two user-item terms and the norms are left (SelfCF). Defaults are those published
    for Amazon Baby, choices the published grid.
    """

    Config = BM3Config
    network = BM3Network
    source = (
        "Zhou, Zhou, Liu, Zeng, Miao, Wang, You, Jiang: Bootstrap Latent Representations for Multi-modal "
        "Recommendation (BM3), WWW 2023"
    )
    without_content = "LightGCN"
    bytes_per_feature = TRAINED
    presets: ClassVar[Presets] = {
        "published/baby": AS_PUBLISHED | {"n_layers": 1, "dropout": 0.5, "norm_weight": 0.1},
        "published/sports": AS_PUBLISHED | {"n_layers": 1, "dropout": 0.5, "norm_weight": 0.01},
        "published/electronics": AS_PUBLISHED | {"n_layers": 2, "dropout": 0.3, "norm_weight": 0.1},
    }
