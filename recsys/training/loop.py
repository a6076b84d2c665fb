"""The loop that trains a model by gradient: epochs, early stopping, the best state kept.

A model's file describes a `Network`: what an epoch's batches are, their loss, and the arrays that scoring needs.
Everything else is here and the same for all of them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt
from scipy import sparse
from torch import Tensor, nn

from recsys.errors import UserError
from recsys.recommender import ModelConfig, Recommender, TrainingData, searched
from recsys.training.memory import keep_freed_memory
from recsys.training.sampling import PairSampler


class LoopConfig(ModelConfig):
    """Hyper-parameters of training by gradient.

    Attributes:
        learning_rate: of Adam.
        batch_size: training pairs a step.
        max_epochs: the most passes over the training pairs.
        patience: evaluations without gain after which training stops.
        steps_between_evaluations: at least so many, rounded up to epochs. On a small catalogue an evaluation costs
            more than an epoch, and tells as little.
    """

    learning_rate: PositiveFloat = searched(1e-3, 1e-3, 1e-2, log=True)
    batch_size: PositiveInt = 2048
    max_epochs: PositiveInt = 300
    patience: PositiveInt = 10
    steps_between_evaluations: PositiveInt = 20


class TrainedConfig(LoopConfig):
    """Those of training embeddings.

    Attributes:
        n_factors: size of the embeddings.
    """

    n_factors: PositiveInt = 64


class Network(nn.Module, ABC):
    """What the loop needs to know of a model while it trains."""

    @abstractmethod
    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        """The batches of one epoch, on the network's device."""

    @abstractmethod
    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Loss of one batch, a scalar."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What the model's `restore` takes, as the parameters stand."""


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

    def __init__(self, train: sparse.csr_array, batch_size: int) -> None:
        """Prepare the sampling from `train`, shape (n_users, n_items)."""
        super().__init__()
        self.sampler = PairSampler(train, batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        """An epoch of triples."""
        device = next(self.parameters()).device
        for triples in self.sampler.epoch(rng):
            yield tuple(torch.from_numpy(part).to(device) for part in triples)


def device() -> torch.device:
    """Where networks train: a GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(model: Recommender, network: Network, data: TrainingData) -> None:
    """Train the network and leave the model in its best state on the validation part, with its curve.

    Without `data.validate` it trains for the full number of epochs. Equal seeds give equal results on a CPU with
    one thread. `model.curve` gets a row an epoch; `valid` stands in those that ended with an evaluation. A model that
    `data.hopeless` gives up is marked as pruned.

    Raises:
        UserError: the loss is no longer a number.
    """
    keep_freed_memory()
    config: LoopConfig = model.config
    network.to(device())
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    rng = np.random.default_rng((data.seed, 1))  # the initial values were drawn from the seed itself
    best, best_arrays, n_without_gain = -math.inf, None, 0
    model.curve, model.pruned = [], False
    for epoch in range(1, config.max_epochs + 1):
        loss, n_steps = _epoch(network, optimiser, rng)
        if not math.isfinite(loss):
            raise UserError(_diverged(model, epoch, loss))
        model.curve.append({"epoch": epoch, "loss": loss})
        interval = -(-config.steps_between_evaluations // n_steps)
        if data.validate is None or (epoch % interval and epoch < config.max_epochs):
            continue
        arrays = _publish(model, network)
        valid = model.curve[-1]["valid"] = data.validate(model)
        n_without_gain += 1
        if valid > best:
            best, best_arrays, n_without_gain = valid, arrays, 0
        if n_without_gain >= config.patience:
            break
        if data.hopeless is not None and data.hopeless(model.curve, config.max_epochs):
            model.pruned = True
            break
    if best_arrays is None:
        _publish(model, network)
    else:
        model.restore(best_arrays)


def _epoch(network: Network, optimiser: torch.optim.Optimizer, rng: np.random.Generator) -> tuple[float, int]:
    """One pass over the batches: the mean loss of its steps, and their number."""
    network.train()
    total, n_steps = torch.zeros((), device=device()), 0
    for batch in network.batches(rng):
        optimiser.zero_grad()
        loss = network.loss(batch)
        loss.backward()
        optimiser.step()
        total += loss.detach()
        n_steps += 1
    return total.item() / n_steps, n_steps


def _publish(model: Recommender, network: Network) -> dict[str, np.ndarray]:
    network.eval()
    with torch.no_grad():
        arrays = network.arrays()
    model.restore(arrays)
    return arrays


def _diverged(model: Recommender, epoch: int, loss: float) -> str:
    params = ", ".join(f"{name}={value}" for name, value in model.config.model_dump().items())
    return f"{type(model).__name__}: the loss became {loss} in epoch {epoch} with {params}: lower learning_rate"
