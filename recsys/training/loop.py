"""The loop that trains a model by gradient: epochs, early stopping, the best state kept.

A model's file describes a `Network` (see `recsys.training.network`); everything else is here and the same for all.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recsys.errors import UserError
from recsys.memory import keep_freed_memory
from recsys.recommender import Recommender, TrainingData
from recsys.runtime import device
from recsys.training.network import Batch, FactorNetwork, LoopConfig, Network, Step
from recsys.training.products import FastProducts

DECAY_EPOCHS = 50
"""Epochs to which `learning_rate_decay` refers, as in the published code."""


def train(model: Recommender, network: Network, data: TrainingData) -> None:
    """Train the network and leave the model in its best state on the validation part, with its curve.

    Without `data.validate` it trains for the full number of epochs. Equal seeds give equal results on a CPU with
    one thread. `model.curve` gets a row an epoch; `valid` stands in those that ended with an evaluation. A model for
    which `data.should_prune` says so is stopped and marked as pruned.

    Raises:
        UserError: the loss is NaN or infinite.
    """
    keep_freed_memory()
    config: LoopConfig = model.config
    network.to(device())
    optimisation, products = _Optimisation(network.steps(), config), FastProducts()
    rng = np.random.default_rng((data.seed, 1))  # the initial values were drawn from the seed itself
    best, best_state, n_without_gain = -math.inf, None, 0
    model.curve, model.pruned = [], False
    for epoch in range(1, config.max_epochs + 1):
        with products:
            loss, n_batches = optimisation.epoch(network, epoch, rng)
        if not math.isfinite(loss):
            raise UserError(_diverged(model, epoch, loss))
        model.curve.append({"epoch": epoch, "loss": loss})
        interval = -(-config.steps_between_evaluations // n_batches)
        if data.validate is None or (epoch % interval and epoch < config.max_epochs):
            continue
        state = _publish(model, network)
        valid = model.curve[-1]["valid"] = data.validate(model)
        n_without_gain += 1
        if valid > best:
            best, best_state, n_without_gain = valid, state, 0
        if n_without_gain >= config.patience:
            break
        if data.should_prune is not None and data.should_prune(model.curve, config.max_epochs):
            model.pruned = True
            break
    _finish(model, _publish(model, network) if best_state is None else best_state)


class _Optimisation:
    """The optimisers of a network's steps, and one epoch of them."""

    def __init__(self, steps: Sequence[Step], config: LoopConfig) -> None:
        self.learning_rate, self.decay = config.learning_rate, config.learning_rate_decay
        self.mirror, self.mirror_interval = config.mirror, config.mirror_interval
        self.steps = steps
        self.optimisers = [
            step.optimiser(
                step.parameters,
                lr=config.learning_rate if step.learning_rate is None else step.learning_rate,
                weight_decay=step.weight_decay,
                fused=True,
            )
            for step in steps
        ]

    def epoch(self, network: Network, number: int, rng: np.random.Generator) -> tuple[float, int]:
        """One pass over the batches: the mean over them of the steps' losses, and their number."""
        decayed = self.learning_rate * self.decay ** ((number - 1) / DECAY_EPOCHS)
        for step, optimiser in zip(self.steps, self.optimisers, strict=True):
            for group in optimiser.param_groups if step.learning_rate is None else ():
                group["lr"] = decayed
        network.train()
        network.start_epoch(rng)
        total, n_batches = torch.zeros((), device=network.device), 0
        for batch in network.batches(rng):
            total += self._losses(batch, mirrored=self.mirror > 0 and n_batches % self.mirror_interval == 0)
            n_batches += 1
        return total.item() / n_batches, n_batches

    def _losses(self, batch: Batch, *, mirrored: bool) -> Tensor:
        """Take all steps of one batch, a mirrored one each with its step back: the sum of their losses."""
        losses = []
        for step, optimiser in zip(self.steps, self.optimisers, strict=True):
            losses.append(_take(step, optimiser, batch))
            if mirrored:
                _take(step, optimiser, batch, weight=-self.mirror)
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


def _take(step: Step, optimiser: torch.optim.Optimizer, batch: Batch, weight: float | None = None) -> Tensor:
    """Take one step of an optimiser by a loss, times a weight where one is given: the loss without it."""
    optimiser.zero_grad()
    loss = step.loss(batch)
    (loss if weight is None else weight * loss).backward()
    optimiser.step()
    return loss.detach()


State = dict[str, np.ndarray] | tuple[Tensor, Tensor]
"""What a model is restored from; on a GPU the factors, which stay there until training ends."""


def _publish(model: Recommender, network: Network) -> State:
    """Let the model score as the parameters stand; returns what brings it back to that."""
    network.eval()
    with torch.no_grad():
        if isinstance(network, FactorNetwork) and _ranks_where_it_is(network):
            users, items = network.factors()
            model.device_factors = users.clone(), items.clone()
            return model.device_factors
        arrays = network.arrays()
    model.restore(arrays)
    return arrays


def _ranks_where_it_is(network: Network) -> bool:
    return network.device.type == "cuda"


def _finish(model: Recommender, state: State) -> None:
    model.device_factors = None
    if isinstance(state, tuple):
        users, items = (table.cpu().numpy() for table in state)
        state = {"user_factors": users, "item_factors": items}
    model.restore(state)


def _diverged(model: Recommender, epoch: int, loss: float) -> str:
    params = ", ".join(f"{name}={value}" for name, value in model.config.model_dump(exclude_none=True).items())
    return f"{type(model).__name__}: the loss became {loss} in epoch {epoch} with {params}: lower learning_rate"
