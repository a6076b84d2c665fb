"""An evaluation while a model trains, beside ranking all users and beside the epoch between two evaluations.

MODALIFT_DATA=... python benchmarks/validation.py

On Amazon Baby, and on 1 million generated interactions of 100,000 users with 50,000 items. One thread, as cells have.
"""

import time

import numpy as np
import pandas as pd
import torch
from _baby import console, market, seconds
from rich.table import Table

from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import Evaluator, validator
from recsys.evaluation.protocol import Protocol
from recsys.memory import keep_freed_memory
from recsys.models.factorisation.bprmf import BPRMF, BPRMFConfig, BPRMFNetwork
from recsys.models.graph.lightgcn import LightGCN, LightGCNConfig, LightGCNNetwork
from recsys.models.scoring import FactorModel
from recsys.recommender import TrainingData
from recsys.training.network import PairwiseNetwork

N_USERS, N_ITEMS, N_INTERACTIONS = 100_000, 50_000, 1_000_000
MAX_STEPS = 60
"""Steps of an epoch that are timed; the rest would take as long each."""


def generated() -> Dataset:
    """A market of the large size, a tenth of its rows for validation and a tenth for test."""
    rng = np.random.default_rng(0)
    users = (N_USERS * rng.random(N_INTERACTIONS) ** 1.5).astype(np.int32)
    items = (N_ITEMS * rng.random(N_INTERACTIONS) ** 2.5).astype(np.int32)
    rows = pd.DataFrame({"user": users, "item": items}).drop_duplicates(ignore_index=True)
    rows["part"] = rng.choice(["train", "valid", "test"], len(rows), p=[0.8, 0.1, 0.1])
    tables = pd.DataFrame(index=range(N_USERS)), pd.DataFrame(index=range(N_ITEMS))
    return Dataset(rows, *tables, quarantine=pd.DataFrame())


def epoch_seconds(network: PairwiseNetwork) -> float:
    """Time of an epoch, from its first steps."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    start, n_steps = time.perf_counter(), 0
    for batch in network.batches(np.random.default_rng(0)):
        optimiser.zero_grad()
        network.loss(batch).backward()
        optimiser.step()
        n_steps += 1
        if n_steps == MAX_STEPS:
            break
    return (time.perf_counter() - start) / n_steps * len(network.sampler)


def row(name: str, dataset: Dataset, model: FactorModel, network: PairwiseNetwork) -> list[str]:
    """Measure a model on a market."""
    epoch = epoch_seconds(network)
    network.eval()
    with torch.no_grad():
        model.restore(network.arrays())
    evaluator, validate = Evaluator(dataset, "valid", Protocol()), validator(dataset, Protocol())
    everyone, during = (
        seconds(lambda: evaluator.primary(evaluator.rank(model)), 2),
        seconds(lambda: validate(model), 2),
    )
    figures = (f"{value:.2f}" for value in (epoch, everyone, during, during / everyone))
    return [name, type(model).__name__, f"{len(evaluator.users):,}", *figures]


def main() -> None:
    """Time and print."""
    torch.set_num_threads(1)
    keep_freed_memory()
    table = Table("market", "model", "users", "epoch, s", "all users, s", "as training ranks, s", "share")
    for name, dataset in (("Baby", market()), ("generated", generated())):
        data = TrainingData(dataset.train)
        table.add_row(*row(name, dataset, LightGCN(), LightGCNNetwork(data, LightGCNConfig())))
        table.add_row(*row(name, dataset, BPRMF(), BPRMFNetwork(data, BPRMFConfig())))
    console.print(table)


if __name__ == "__main__":
    main()
