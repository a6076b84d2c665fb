"""MMSSL: a graph network with each source's users and items beside it, and an adversary that aligns both."""

from functools import partial
from typing import Annotated, ClassVar

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.multimodal._adversary import Discriminator, real_rows, similarity_rows
from recsys.models.registry import register
from recsys.recommender import DataSize, DropRate, LearningRate, Presets, TrainingData, searched
from recsys.training.content import FROZEN, ContentConfig, Sources
from recsys.training.embeddings import initial_embeddings
from recsys.training.graph import adjacency
from recsys.training.losses import factor_bpr_loss, squared_l2_loss, unit
from recsys.training.network import Batch, PairwiseNetwork, Step, batch_size_for
from recsys.training.operators import SparseOperator
from recsys.training.randomness import dropout, generator
from recsys.training.sampling import UserSampler

DISCRIMINATOR_RATE = 3e-4  # constant: the published code lets only the main rate decay


class MMSSLConfig(ContentConfig):
    """Hyper-parameters of MMSSL.

    Attributes:
        n_layers: propagation steps on the user-item graph.
        content_share: length of each source's vectors in the sum that scores.
        dropout: dropout rate of the mapped features.
        l2: weight of half the squared norms of the batch's vectors, and of the sources' vectors.
        adversary_weight: weight of the adversarial loss; zero: there is no discriminator.
        n_hidden: width of the discriminator.
        weight_decay: AdamW's weight decay, on all parameters but the discriminator's.
    """

    n_layers: PositiveInt = 2
    content_share: NonNegativeFloat = searched(0.55, 0.05, 2.0, log=True, needs="content")
    dropout: DropRate = 0.2
    l2: NonNegativeFloat = 1e-5
    adversary_weight: NonNegativeFloat = searched(0.0, choices=[0.0, 1e-4], needs="content")
    n_hidden: Annotated[int, Field(ge=2)] = 64
    weight_decay: NonNegativeFloat = 0.01
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-2, log=True)
    learning_rate_decay: PositiveFloat = 0.96
    batch_size: PositiveInt | None = 1024


class MMSSLNetwork(PairwiseNetwork):
    """Embeddings, the sources' mapped features, one graph from items to users and one back, and a discriminator."""

    taken: Tensor  # nodes with an interaction, bool, shape (n_users + n_items, 1)

    def __init__(self, data: TrainingData, config: MMSSLConfig) -> None:
        """Draw the parameters from the seed."""
        super().__init__(data.train, config)
        self.config, (n_users, n_items) = config, data.train.shape
        self.sampler = UserSampler(data.train, self.sampler.batch_size)
        tables = initial_embeddings(data.train, config.n_factors, generator(data.seed))
        self.users, self.items = map(nn.Parameter, tables)
        self.register_buffer("taken", torch.cat(tables).any(dim=1, keepdim=True), persistent=False)
        graph = adjacency(data.train, left=0.5, right=0)
        self.to_users = SparseOperator(graph[:n_users, n_users:])
        self.to_items = SparseOperator(graph[n_users:, :n_users])
        content = data.content
        self.sources = Sources(content, config, trained=False)
        for source in self.sources:
            nn.init.xavier_uniform_(source.linear.weight)
        self.discriminator: Discriminator | None = None
        if content and config.adversary_weight > 0:
            self.discriminator = Discriminator(n_items, config.n_hidden)

    def steps(self) -> list[Step]:
        """One of the discriminator where there is one, and one of all else."""
        parameters = [self.users, self.items, *self.sources.parameters()]
        main = Step(self.loss, parameters, torch.optim.AdamW, weight_decay=self.config.weight_decay)
        if self.discriminator is None:
            return [main]
        adam = partial(torch.optim.Adam, betas=(0.5, 0.9))
        return [Step(self._discriminator_loss, list(self.discriminator.parameters()), adam, DISCRIMINATOR_RATE), main]

    def loss(self, batch: Batch) -> Tensor:
        """BPR, squared norms, and the adversarial loss of the sources' similarities."""
        views = self._views()
        users, items = self._summed(views)
        u, p, n = (embedding(part, table) for part, table in zip(batch, (users, items, items), strict=True))
        square = sum((squared_l2_loss(*view) for view in views), start=squared_l2_loss(u, p, n))
        loss = factor_bpr_loss(u, p, n) + self.config.l2 * square
        if self.discriminator is not None:
            rows = similarity_rows(batch[0], self._history(batch[0]), views)
            loss = loss - self.config.adversary_weight * self.discriminator(rows).mean()
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Users and items with the sources' vectors."""
        return self._summed(self._views())

    def _views(self) -> list[tuple[Tensor, Tensor]]:
        """Users and items by each source: sums of the items taken, and of their users."""
        hidden = self.config.dropout
        users = [self.to_users @ dropout(source(), hidden, self.training) for source in self.sources]
        return [(view, self.to_items @ view) for view in users]

    def _summed(self, views: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Means of the layers, of which the last is a softmax of each row, and the sources' directions."""
        layers: list[tuple[Tensor, Tensor]] = [(self.users, self.items)]
        for number in range(1, self.config.n_layers + 1):
            squash = partial(torch.softmax, dim=1) if number == self.config.n_layers else nn.Identity()
            users = squash(self.to_users @ layers[-1][1])
            layers.append((users, squash(self.to_items @ users)))
        nodes = torch.stack([torch.cat(layer) for layer in layers]).mean(dim=0) * self.taken
        users, items = nodes.tensor_split([len(self.users)])
        for user_view, item_view in views:
            users = users + self.config.content_share * unit(user_view)
            items = items + self.config.content_share * unit(item_view)
        return users, items

    def _discriminator_loss(self, batch: Batch) -> Tensor:
        """The sources' rows are fake; real ones are made of the final vectors and the users' interactions."""
        assert self.discriminator is not None
        users, history = batch[0], self._history(batch[0])
        with torch.no_grad():
            views = self._views()
            fakes = similarity_rows(users, history, views)
            real = real_rows(similarity_rows(users, history, [self._summed(views)]), history)
        return self.discriminator.loss(fakes, real.repeat(len(views), 1))

    def _history(self, users: Tensor) -> Tensor:
        """Which items the users took, 0 or 1, shape (len(users), n_items)."""
        places, edges = self.to_users.edges(users)
        history = self.users.new_zeros(len(users), len(self.items))
        history[places, self.to_users.rows.columns[edges]] = 1
        return history


@register
class MMSSL(GradientModel):
    """Score: (u + .55 sum_m a_um / |a_um|) . (i + .55 sum_m b_im / |b_im|).

    With P = D_u^-1/2 R and Q = D_i^-1/2 R^T, a_m = P (W_m F_m + c_m) and b_m = Q a_m. u and i are the means of the
    layers u_l = P i_(l-1), i_l = Q u_l over embeddings, the last of them a softmax of each row. A batch holds distinct
    users, each with a random item. The adversary (WGAN-GP): fake rows are those of a_u . b_i over all items, real rows
    those of the final vectors' inner products and the user's interactions.

    Published code differs from the paper: on small catalogues its attention over sources takes in zeros and its
    contrast is constant from the second batch on; neither is here. Its discriminator has n_items^2 / 4 weights and, by
    a slope of 1, nothing but linear maps: a wider one can represent nothing more, so that its width is fixed here
    (`n_hidden`), and no array grows with items squared; its learning rate does not decay, as published. The default is
    no adversary, whose rows over all items made a step take eleven times as long on Last.fm; the published weight is
    1e-4.

    Decided here: nodes without an interaction stay zero, where the softmax would give them a vector. Content reaches
    an item through its users alone, so that cold items have no score. Without content the embeddings' part is left,
    which is LightGCN but for the softmax, one half of the weights, and items that follow users within a layer.
    """

    Config = MMSSLConfig
    network = MMSSLNetwork
    source = "Wei, Huang, Xia, Zhang: Multi-Modal Self-Supervised Learning for Recommendation (MMSSL), WWW 2023"
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        "published/baby": {
            "batch_size": 1024,
            "learning_rate": 5.5e-4,
            "adversary_weight": 1e-4,
            "feature_scaling": "raw",
        }
    }

    @classmethod
    def memory(cls, config: MMSSLConfig, size: DataSize) -> float:
        """With a batch's rows over all items that an adversary sees of two sources, and their gradients."""
        memory = super().memory(config, size)
        if not size.width or config.adversary_weight == 0:
            return memory
        return memory + 48 * (config.batch_size or batch_size_for(size.n_interactions)) * size.n_items
