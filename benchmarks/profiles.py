"""What an epoch of a model trained by gradient is spent on, by kinds of operation, and what an evaluation.

MODALIFT_DATA=... python benchmarks/profiles.py VBPR FREEDOM                # on Baby, as beside_mmrec.py trains it
MODALIFT_DATA=... python benchmarks/profiles.py --write docs/multimodal.md

The third epoch counts, in one thread on a machine that does nothing else: the first one has what is done once, and in
the second the profiler warms up. torch's profiler gives the seconds of each operation without those that it calls; the
rest is Python's and numpy's, most of it sampling. An evaluation is of the validation part, without what makes the
vectors that are ranked by; its product is the one of users and items.
"""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer
from _baby import console, features, published
from _mmrec_rows import ROWS, Row
from beside_mmrec import BATCH, SOURCES
from calibration.page import with_section
from torch.profiler import ProfilerActivity, profile, schedule

from recsys.content.features import Content
from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import Recommender, TrainingData
from recsys.wording import whole_percent

N_EPOCHS = 3
N_EVALUATIONS = 5
KINDS = {
    "graph products": ("_embedding_bag", "sparse", "spmm"),
    "dense products": ("mm", "linear", "einsum"),
    "optimiser": ("adam",),
    "rows read and added": ("index", "embedding", "gather", "scatter", "select", "cat"),
}
"""Kinds by parts of an operation's name, the first that fits; all else goes through whole tables entry by entry."""
PROTOCOL = Protocol(ks=(20,), primary="recall_at_20", mask="train")
REST, OUTSIDE = "entry by entry", "outside torch"


def kind(operation: str) -> str:
    """Kind of an operation of torch."""
    name = operation.lower()
    return next((each for each, parts in KINDS.items() if any(part in name for part in parts)), REST)


def spent(row: Row, dataset: Dataset, content: Content) -> tuple[Recommender, float, Counter[str]]:
    """A trained model, seconds of its last epoch, and of its kinds of operation."""
    epochs = _LastEpoch()
    settings = {"max_epochs": N_EPOCHS, "batch_size": BATCH, "learning_rate": row.learning_rate}
    model = registry.load(row.model).from_params(**settings, steps_between_evaluations=1, **row.ours)
    model.fit(TrainingData(dataset.train, content, 0, validate=epochs))
    seconds: Counter[str] = Counter()
    for operation in epochs.profiler.key_averages():
        seconds[kind(operation.key)] += operation.self_cpu_time_total / 1e6
    return model, epochs.seconds, seconds


def evaluated(model: Recommender, dataset: Dataset) -> tuple[float, float]:
    """Seconds of the quickest evaluation of a few, and of its products."""
    score, inside = model.score, 0.0

    def timed(users: np.ndarray) -> np.ndarray:
        nonlocal inside
        start = time.perf_counter()
        scores = score(users)
        inside += time.perf_counter() - start
        return scores

    model.score = timed  # type: ignore[method-assign]
    found = []
    for _ in range(N_EVALUATIONS):
        inside, start = 0.0, time.perf_counter()
        evaluate(model, dataset, "valid", PROTOCOL)
        found.append((time.perf_counter() - start, inside))
    return min(found)


class _LastEpoch:
    """Called at the end of each epoch in place of a validation: profiles the last."""

    def __init__(self) -> None:
        plan = schedule(wait=N_EPOCHS - 2, warmup=1, active=1)
        self.profiler = profile(activities=[ProfilerActivity.CPU], schedule=plan)
        self.profiler.start()
        self.started = self.seconds = 0.0

    def __call__(self, _: Recommender) -> float:
        self.seconds, self.started = time.perf_counter() - self.started, time.perf_counter()
        self.profiler.step()
        return 0.0


def main(
    models: Annotated[list[str] | None, typer.Argument(help="By our names; all unless said.")] = None,
    data: Annotated[str, typer.Option(help=f"One of {', '.join(SOURCES)}.")] = "baby",
    write: Annotated[Path | None, typer.Option(help="A page whose section of profiles is written anew.")] = None,
) -> None:
    """Profile model by model, and print the shares."""
    if not os.environ.get("MODALIFT_DATA"):
        raise typer.BadParameter("MODALIFT_DATA names no folder")
    torch.set_num_threads(1)
    dataset = published(data)
    assert dataset is not None
    content = features(data, SOURCES[data])
    lines = []
    for row in ROWS:
        if models and row.model not in models:
            continue
        model, whole, seconds = spent(row, dataset, content if registry.find(row.model).takes_content else {})
        evaluation, product = evaluated(model, dataset)
        shares = {name: whole_percent(seconds[name] / whole) for name in (*KINDS, REST)}
        outside = whole_percent(1 - seconds.total() / whole)
        shares |= {
            OUTSIDE: outside,
            "s an evaluation": f"{evaluation:.2f}",
            "its product": whole_percent(product / evaluation),
        }
        lines.append({"model": row.model, "s an epoch": f"{whole:.2f}"} | shares)
        console.print(lines[-1])
    table = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    console.print(table, soft_wrap=True)
    if write:
        write.write_text(with_section(write.read_text(encoding="utf-8"), "profiles", table), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
