"""What the training loop needs to know of a model: its batches, their losses, and what scoring needs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn

from recsys.recommender import LearningRate, ModelConfig, Share, searched
from recsys.training.sampling import PairSampler

Batch = tuple[Tensor, ...]
SMALLEST_BATCH, LARGEST_BATCH = 2048, 16_384
STEPS_IN_AN_EPOCH = 256


class LoopConfig(ModelConfig):
    """Hyper-parameters of training by gradient.

    Attributes:
        learning_rate: Adam's learning rate.
        learning_rate_decay: factor by which the learning rate falls over 50 epochs, a little after each; 1 keeps it.
            A step that has a learning rate of its own keeps that (see `Step`).
        mirror: weight of Mirror Gradient, 0 for none (Zhong et al., Mirror Gradient: Towards Robust Multimodal
            Recommender Systems via Exploring Flat Local Minima, WWW 2024): after the step of the first batch of an
            epoch, and of every `mirror_interval`-th from there, the loss of the same batch is computed anew, and a
            second step is taken on it times minus this weight, by the same optimiser with the same moments. Published
            with 0.1, 0.2 and 0.3.
        mirror_interval: batches from one such step to the next.
        batch_size: training pairs per step; None: by the number of training pairs (see `batch_size_for`).
        max_epochs: largest number of passes over the training pairs.
        patience: evaluations without gain after which training stops.
        steps_between_evaluations: at least so many, rounded up to epochs. On a small catalogue an evaluation costs
            more than an epoch, and tells as little.
    """

    learning_rate: LearningRate = searched(1e-3, 1e-3, 1e-2, log=True)
    learning_rate_decay: PositiveFloat = 1.0
    mirror: Share = 0.0
    mirror_interval: PositiveInt = 3
    batch_size: PositiveInt | None = None
    max_epochs: PositiveInt = 300
    patience: PositiveInt = 10
    steps_between_evaluations: PositiveInt = 20


class TrainedConfig(LoopConfig):
    """Hyper-parameters of training embeddings.

    Attributes:
        n_factors: size of the embeddings.
    """

    n_factors: PositiveInt = 64


def batch_size_for(n_pairs: int) -> int:
    """The default batch: the power of two that makes an epoch at most 256 steps, from 2048 to 16,384.

    A step of a graph model costs a pass over the whole graph whatever the batch, so that more steps are paid for
    with more passes. Half a million training pairs and fewer keep the 2048 of the published tables.
    """
    wanted = 2 ** max(-(-n_pairs // STEPS_IN_AN_EPOCH) - 1, 0).bit_length()
    return min(max(wanted, SMALLEST_BATCH), LARGEST_BATCH)


@dataclass(frozen=True)
class Step:
    """One optimiser's share of a batch: a loss, and the parameters that it moves.

    Attributes:
        loss: of one batch, a scalar.
        parameters: which this step updates.
        optimiser: class from `torch.optim` that takes `lr`, `weight_decay` and `fused`.
        learning_rate: constant over all epochs; None: that of the config, which decays.
        weight_decay: the optimiser's weight decay.
    """

    loss: Callable[[Batch], Tensor]
    parameters: Sequence[nn.Parameter]
    optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.Adam
    learning_rate: float | None = None
    weight_decay: float = 0.0


class Network(nn.Module, ABC):
    """The trainable part of a model."""

    @abstractmethod
    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch, on the network's device."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Loss of one batch, a scalar."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What the model's `restore` takes, as the parameters stand."""

    def start_epoch(self, rng: np.random.Generator) -> None:
        """What is to be made anew before each epoch, such as a thinned graph."""

    def steps(self) -> list[Step]:
        """What is done with each batch, in this order: one step of Adam on all parameters unless a model says more."""
        return [Step(self.loss, list(self.parameters()))]

    @property
    def content_used(self) -> bool:
        """Whether the content shown has a way into the scores."""
        return True

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


class FactorNetwork(Network):
    """A network that scores by an inner product, for a `FactorModel`."""

    @abstractmethod
    def factors(self) -> tuple[Tensor, Tensor]:
        """Factors of all users and of all items, of one width."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The factors by the names of `FactorModel`."""
        users, items = (np.array(table.detach().cpu()) for table in self.factors())
        return {"user_factors": users, "item_factors": items}


class PairwiseNetwork(FactorNetwork):
    """One that learns from (user, positive, negative) triples."""

    def __init__(self, train: sparse.csr_array, config: LoopConfig) -> None:
        """Prepare the sampling from `train`, shape (n_users, n_items)."""
        super().__init__()
        self.sampler = PairSampler(train, config.batch_size or batch_size_for(train.nnz))

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """An epoch of triples."""
        for triples in self.sampler.epoch(rng):
            yield tuple(torch.from_numpy(part).to(self.device) for part in triples)
