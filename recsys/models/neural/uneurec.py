"""U-NeuRec: a deep network turns a user's profile into the vector of a factorisation."""

from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from recsys.models.gradient import GradientModel
from recsys.models.neural._profiles import ProfileNetwork, Profiles, owners
from recsys.models.registry import register
from recsys.recommender import DropRate, LearningRate, TrainingData, searched
from recsys.training.embeddings import initial_embeddings
from recsys.training.network import TrainedConfig
from recsys.training.randomness import generator

N_HIDDEN_LAYERS = 4


class UNeuRecConfig(TrainedConfig):
    """Hyper-parameters of U-NeuRec.

    Attributes:
        n_neurons: size of each of the four hidden layers.
        n_factors: size of the vectors.
        dropout: share of a profile hidden from the network in a step.
        l2: weight of half the squares of matrices and item vectors beside a batch's sum of squared errors.
        batch_size: users a step.
    """

    n_neurons: PositiveInt = searched(100, 3, 500, log=True)
    n_factors: PositiveInt = searched(10, 2, 100, log=True)
    dropout: DropRate = searched(0.1, 0.0, 0.3)
    l2: NonNegativeFloat = searched(1e-2, 1e-4, 10.0, log=True)
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-1, log=True)
    batch_size: PositiveInt = 500


class UNeuRecNetwork(ProfileNetwork):
    """Profile, four hidden layers, vector; and a table of item vectors."""

    def __init__(self, data: TrainingData, config: UNeuRecConfig) -> None:
        """Draw matrices and table from the seed; biases start at zero."""
        super().__init__(data, config.batch_size, config.dropout)
        self.config = config
        draws = generator(data.seed)
        sizes = [data.train.shape[1], *[config.n_neurons] * N_HIDDEN_LAYERS, config.n_factors]
        # Four times the usual range: what keeps signals through logistic layers (Glorot and Bengio, AISTATS 2010).
        shapes = [torch.empty(*shape) for shape in pairwise(sizes)]
        self.matrices = nn.ParameterList([nn.init.xavier_uniform_(shape, gain=4, generator=draws) for shape in shapes])
        self.biases = nn.ParameterList([torch.zeros(n_outputs) for n_outputs in sizes[1:]])
        self.items = nn.Parameter(initial_embeddings(data.train, config.n_factors, draws)[1])

    def loss(self, batch: Profiles) -> Tensor:
        """Squared errors of all cells of the users' rows, seen or not, and the squares of what is learnt.

        With targets of 1 and 0 the errors are d_u - 2 sum of p.q over the profile + p'(Q'Q)p, so that no cell but
        the profile's is visited.
        """
        items, starts = batch
        users = self.user_vectors(batch)
        seen = (users[owners(starts)] * self.items[items]).sum()
        errors = ((users @ (self.items.T @ self.items)) * users).sum() - 2 * seen + len(items)
        squares = sum((matrix.square().sum() for matrix in self.matrices), start=self.items.square().sum())
        return (errors + self.config.l2 / 2 * squares) / (len(starts) - 1)

    def user_vectors(self, profiles: Profiles) -> Tensor:
        """What the network makes of profiles, shape (n_users, n_factors)."""
        items, _ = profiles
        ones = torch.ones(len(items), device=items.device)
        vectors = (self.first_layer(profiles, ones, self.matrices[0]) + self.biases[0]).sigmoid()
        for matrix, bias in zip(self.matrices[1:], self.biases[1:], strict=True):
            vectors = (vectors @ matrix + bias).sigmoid()
        return vectors

    def factors(self) -> tuple[Tensor, Tensor]:
        """Vectors of whole profiles, and the table."""
        return self.user_vectors(self.profiles(self.train_matrix)), self.items


@register
class UNeuRec(GradientModel):
    """Score: item vector times the output of five logistic layers that read the user's profile.

    The published code visits all cells of the matrix one by one in each epoch. Here a step has the same sum over
    whole rows, computed from the second moments of the item vectors, as implicit ALS does. As it penalises once for
    each 1,024 cells and here a step holds millions, the same `l2` is the weaker here. Its starting values of the
    matrices, of unit variance, saturate the layers; narrower ones are drawn.
    """

    Config = UNeuRecConfig
    network = UNeuRecNetwork
    source = (
        "Zhang, Yao, Sun, Wang, Long, Dong: NeuRec: On nonlinear transformation for personalized ranking, IJCAI 2018"
    )
