"""FunkSVD: matrix factorisation by squared error, with biases."""

from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.models.factorisation._squared_error import SquaredErrorConfig, SquaredErrorNetwork
from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import TrainingData
from recsys.training.embeddings import initial_embeddings
from recsys.training.randomness import generator


class FunkSVDNetwork(SquaredErrorNetwork):
    """A table of users' vectors beside the items'."""

    def __init__(self, data: TrainingData, config: SquaredErrorConfig) -> None:
        """Draw both tables from the seed."""
        users, items = initial_embeddings(data.train, config.n_factors, generator(data.seed))
        super().__init__(data, config, items)
        self.users = nn.Parameter(users)

    def user_vectors(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the table and their squared norms."""
        vectors = embedding(users, self.users)
        return vectors, vectors.square().sum(dim=1)


@register
class FunkSVD(GradientModel):
    """Score: mean + bias of the user + bias of the item + inner product of their vectors.

    The code of the published comparisons penalises items by another model's hyper-parameter, which is zero, and
    takes the share of negatives for that of positives; here both do what their names say, with the defaults and
    ranges of those comparisons. There the overall mean is learnt; here it follows from the share of negatives.
    """

    Config = SquaredErrorConfig
    network = FunkSVDNetwork
    source = "Funk: Netflix update: Try this at home, 2006; Koren, Bell, Volinsky: Matrix factorization, Computer 2009"
