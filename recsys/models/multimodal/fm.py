"""FM: a factorisation machine over the user, the item and the columns of its content."""

import torch
from pydantic import NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import embedding, pad

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import TrainingData, searched
from recsys.training.content import FROZEN, ContentConfig, mapped_rows, scaled_features
from recsys.training.embeddings import initial_embeddings, xavier_projection
from recsys.training.losses import bpr_loss, squared_l2_loss
from recsys.training.network import Batch, PairwiseNetwork
from recsys.training.randomness import generator


class FMConfig(ContentConfig):
    """Hyper-parameters of the factorisation machine.

    Attributes:
        l2: weight of half the squared norm of a pair's parameters: its rows of users and items, and all of content's.
    """

    l2: NonNegativeFloat = searched(1e-4, 1e-6, 1e-1, log=True)


class FMNetwork(PairwiseNetwork):
    """A weight and a vector for each feature: users, items, and columns of content.

    Attributes:
        items: vectors of items, the last column their weights.
        columns: vectors of content's columns, the last column their weights.
    """

    features: Tensor

    def __init__(self, data: TrainingData, config: FMConfig) -> None:
        """Draw the vectors from the seed; weights start at zero."""
        super().__init__(data.train, config)
        self.l2 = config.l2
        draws = generator(data.seed)
        users, items = initial_embeddings(data.train, config.n_factors, draws)
        self.users, self.items = nn.Parameter(users), nn.Parameter(_with_weights(items))
        sources = [scaled_features(features, config.feature_scaling) for features in data.content.values()]
        self.register_buffer("features", torch.cat([torch.empty(len(items), 0), *sources], dim=1))
        shape = self.features.shape[1], config.n_factors
        columns = xavier_projection(*shape, draws) if data.content else torch.empty(shape)
        self.columns = nn.Parameter(_with_weights(columns))

    def loss(self, batch: Batch) -> Tensor:
        """BPR, and the squared norms of what a pair touches; every pair touches all of content's columns."""
        users, positives, negatives = batch
        u, chosen = embedding(users, self.users), torch.cat([positives, negatives])
        p, n = self._items(chosen).chunk(2)
        ranking = bpr_loss(_score(u, p), _score(u, n))
        rows = squared_l2_loss(u, *embedding(chosen, self.items).chunk(2))
        return ranking + self.l2 * (rows + self.columns.square().sum() / 2)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Users' vectors with a one behind them, items' sums of vectors with their user-independent part."""
        everything = torch.arange(len(self.items), device=self.items.device)
        return pad(self.users, (0, 1), value=1.0), self._items(everything)

    def _items(self, items: Tensor) -> Tensor:
        """The sum of each item's feature vectors, and its weights with the pairs among its own features.

        The pairs are summed in linear time (lemma 3.1): half of |sum of vectors|^2 less the sum of their |vector|^2.
        """
        own, content = embedding(items, self.items), mapped_rows(items, self.features, self._content)
        total, squares = own + content[:, :-1], own[:, :-1].square().sum(dim=1) + content[:, -1]
        pairs = (total[:, :-1].square().sum(dim=1) - squares) / 2
        return torch.cat([total[:, :-1], (total[:, -1] + pairs)[:, None]], dim=1)

    def _content(self, features: Tensor) -> Tensor:
        """Sums of vectors and weights of content's columns, and behind them the sums of the vectors' squares."""
        squares = features.square() @ self.columns[:, :-1].square().sum(dim=1)
        return torch.cat([features @ self.columns, squares[:, None]], dim=1)


@register
class FM(GradientModel):
    """Score: the factorisation machine of degree 2 (equation 1) over one user, one item and the item's content.

    Of its terms those stay that can change a user's order of items: the weights of item and content, and the products
    of all pairs of user, item and content vectors. The overall weight and the user's cancel in BPR's differences, of
    which the network learns. Features are scaled (see `scaled_features`), and a missing source adds nothing. Items
    never seen in training have neither vector nor weight of their own. Without content the model is matrix
    factorisation with item biases.
    """

    Config = FMConfig
    network = FMNetwork
    source = "Rendle: Factorization machines, ICDM 2010"
    scores_cold_items = True
    without_content = "BPRMF"
    bytes_per_feature = FROZEN


def _with_weights(vectors: Tensor) -> Tensor:
    """Vectors with a column of zeros for the features' weights."""
    return pad(vectors, (0, 1))


def _score(users: Tensor, items: Tensor) -> Tensor:
    return (users * items[:, :-1]).sum(dim=1) + items[:, -1]
