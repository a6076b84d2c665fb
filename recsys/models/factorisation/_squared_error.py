"""What FunkSVD and AsySVD share: they predict 1 for what a user chose, and 0 for some of what they did not."""

from abc import abstractmethod
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding

from recsys.recommender import LearningRate, TrainingData, searched
from recsys.training.network import Batch, PairwiseNetwork, TrainedConfig


class SquaredErrorConfig(TrainedConfig):
    """Hyper-parameters.

    Attributes:
        use_bias: predict by the mean of what is learnt and by a bias of each user and each item, too.
        negative_share: of the training examples; without any, all that could be learnt is to predict 1.
        user_l2: weight of half the squares of what a user's vector is made of.
        item_l2: weight of half the squares of an item's vector.
    """

    n_factors: PositiveInt = searched(10, 1, 200, log=True)
    use_bias: bool = searched(True, choices=[True, False])
    negative_share: Annotated[float, Field(ge=0, le=0.5)] = searched(0.2, 0.0, 0.5)
    user_l2: NonNegativeFloat = searched(1e-4, 1e-5, 1e-2, log=True)
    item_l2: NonNegativeFloat = searched(1e-4, 1e-5, 1e-2, log=True)
    learning_rate: LearningRate = searched(1e-3, 1e-4, 1e-1, log=True)


class SquaredErrorNetwork(PairwiseNetwork):
    """Vectors and biases of items, biases of users; where the users' vectors come from is each model's own."""

    def __init__(self, data: TrainingData, config: SquaredErrorConfig, items: Tensor) -> None:
        """Take the items' first vectors, shape (n_items, n_factors); biases start at zero."""
        super().__init__(data.train, config)
        self.config = config
        self.mean = 1 - config.negative_share
        n_users, n_items = data.train.shape
        self.items = nn.Parameter(items)
        self.user_bias, self.item_bias = nn.Parameter(torch.zeros(n_users)), nn.Parameter(torch.zeros(n_items))

    @abstractmethod
    def user_vectors(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of users, shape (batch, n_factors), and the squares that `user_l2` weighs, shape (batch,)."""

    def loss(self, batch: Batch) -> Tensor:
        """Half the squared errors and penalties, a mean over the positives and their share of negatives."""
        users, positives, negatives = batch
        n_negatives = round(len(users) * self.config.negative_share / (1 - self.config.negative_share))
        users, items = torch.cat([users, users[:n_negatives]]), torch.cat([positives, negatives[:n_negatives]])
        targets = (torch.arange(len(users), device=users.device) < len(positives)).float()
        user_vectors, user_squares = self.user_vectors(users)
        item_vectors = embedding(items, self.items)
        predicted = (user_vectors * item_vectors).sum(dim=1)
        if self.config.use_bias:
            predicted = predicted + self.mean + self.user_bias[users] + self.item_bias[items]
        penalties = self.config.user_l2 * user_squares + self.config.item_l2 * item_vectors.square().sum(dim=1)
        return ((predicted - targets).square() + penalties).mean() / 2

    def factors(self) -> tuple[Tensor, Tensor]:
        """Vectors, and in two more columns the mean and the biases."""
        users, _ = self.user_vectors(torch.arange(len(self.user_bias), device=self.items.device))
        if not self.config.use_bias:
            return users, self.items
        levels, biases = self.mean + self.user_bias[:, None], self.item_bias[:, None]
        users = torch.cat([users, levels, torch.ones_like(levels)], dim=1)
        return users, torch.cat([self.items, torch.ones_like(biases), biases], dim=1)
