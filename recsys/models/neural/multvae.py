"""Mult-VAE: a variational autoencoder of profiles, with a multinomial likelihood."""

from collections.abc import Iterator

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import linear

from recsys.models.gradient import GradientModel
from recsys.models.neural._profiles import ProfileNetwork, Profiles, owners
from recsys.models.registry import register
from recsys.recommender import FIXED_MEMORY, TORCH_MEMORY, DataSize, DropRate, LearningRate, TrainingData, searched
from recsys.training.embeddings import xavier_projection
from recsys.training.network import TrainedConfig
from recsys.training.randomness import generator


class MultVAEConfig(TrainedConfig):
    """Hyper-parameters of Mult-VAE.

    Attributes:
        n_hidden: size of the hidden layer on either side of the code; the time of a step grows with it.
        n_factors: size of the code.
        dropout: share of a profile hidden from the encoder.
        kl_weight: weight of the divergence in the end, beta in the paper.
        annealing_steps: over which that weight would grow from zero to one; it stops at `kl_weight`.
        l2: weight of the squares of all matrices; published as zero, for which the least of the range stands.
        batch_size: users a step.
    """

    n_hidden: PositiveInt = 600
    n_factors: PositiveInt = 200
    dropout: DropRate = 0.5
    kl_weight: NonNegativeFloat = 0.2
    annealing_steps: PositiveInt = searched(200_000, 1_000, 1_000_000, log=True)
    l2: NonNegativeFloat = searched(1e-10, 1e-10, 1e-1, log=True)
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-2, log=True)
    batch_size: PositiveInt = 500


class MultVAENetwork(ProfileNetwork):
    """Profile, hidden layer, mean and variance of a code, hidden layer, logits of all items.

    Attributes:
        items_in: what an item of the profile adds to the first hidden layer, shape (n_items, n_hidden).
        items_out: what the last hidden layer is multiplied with for an item's logit, same shape.
        to_code, from_code: the matrices between, one row an output.
        biases: of the four layers, in the order of the pass.
    """

    def __init__(self, data: TrainingData, config: MultVAEConfig) -> None:
        """Draw the matrices from the seed; biases start at zero."""
        super().__init__(data, config.batch_size, config.dropout)
        self.config, self.n_steps = config, 0
        n_items, draws = data.train.shape[1], generator(data.seed)
        n_hidden, n_codes = config.n_hidden, config.n_factors
        self.items_in = nn.Parameter(xavier_projection(n_items, n_hidden, draws))
        self.to_code = nn.Parameter(xavier_projection(2 * n_codes, n_hidden, draws))
        self.from_code = nn.Parameter(xavier_projection(n_hidden, n_codes, draws))
        self.items_out = nn.Parameter(xavier_projection(n_items, n_hidden, draws))
        sizes = (n_hidden, 2 * n_codes, n_hidden, n_items)
        self.biases = nn.ParameterList([torch.zeros(size) for size in sizes])

    def batches(self, rng: np.random.Generator) -> Iterator[Profiles]:
        """All users in a new order; the divergence weighs more with each batch."""
        for profiles in super().batches(rng):
            yield profiles
            self.n_steps += 1

    def loss(self, batch: Profiles) -> Tensor:
        """The negative evidence lower bound, its divergence weighted, and the squares of the matrices."""
        items, starts = batch
        mean, log_variance = self.encode(batch)
        noise = torch.randn(mean.shape, generator=self.draws, device=mean.device)
        hidden = self.decode(mean + noise * (log_variance / 2).exp())
        log_probabilities = linear(hidden, self.items_out, self.biases[3]).log_softmax(dim=1)
        likelihood = log_probabilities[owners(starts), items].sum()
        divergence = (log_variance.exp() + mean.square() - 1 - log_variance).sum() / 2
        weight = min(self.config.kl_weight, self.n_steps / self.config.annealing_steps)
        matrices = (self.items_in, self.to_code, self.from_code, self.items_out)
        squares = torch.stack([matrix.square().sum() for matrix in matrices]).sum()
        return (weight * divergence - likelihood) / len(mean) + self.config.l2 * squares

    def encode(self, profiles: Profiles) -> tuple[Tensor, Tensor]:
        """Means and log-variances of the codes, both of shape (n_users, n_factors)."""
        _, starts = profiles
        unit = starts.diff().rsqrt()[owners(starts)]
        hidden = (self.first_layer(profiles, unit, self.items_in) + self.biases[0]).tanh()
        mean, log_variance = linear(hidden, self.to_code, self.biases[1]).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, codes: Tensor) -> Tensor:
        """The last hidden layer, shape (n_users, n_hidden)."""
        return linear(codes, self.from_code, self.biases[2]).tanh()

    def factors(self) -> tuple[Tensor, Tensor]:
        """The last hidden layer at the codes' means, and the matrix to the logits; their biases as one more column."""
        hidden = self.decode(self.encode(self.profiles(self.train_matrix))[0])
        users = torch.cat([hidden, torch.ones_like(hidden[:, :1])], dim=1)
        return users, torch.cat([self.items_out, self.biases[3][:, None]], dim=1)


@register
class MultVAE(GradientModel):
    """Score of an item: its logit, where the profile is encoded whole and its code is the mean.

    As the logits are linear in the last hidden layer, that layer is the user's vector. Published with 200,000 steps of
    annealing, made for large data sets: where training takes fewer steps, the divergence weighs less than
    `kl_weight` to the end, and tuning tells whether that is right.
    """

    Config = MultVAEConfig
    network = MultVAENetwork
    source = "Liang, Krishnan, Hoffman, Jebara: Variational autoencoders for collaborative filtering, WWW 2018"

    @classmethod
    def memory(cls, config: MultVAEConfig, size: DataSize) -> float:
        """Two tables of items with gradients and moments, a batch's logits, and the users' last layer."""
        tables = 50 * config.n_hidden * size.n_items + 12 * config.n_hidden * size.n_users
        return FIXED_MEMORY + TORCH_MEMORY + 60 * size.n_interactions + tables + 20 * config.batch_size * size.n_items
