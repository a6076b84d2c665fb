"""What one cell of each model takes: seconds, and its peak of memory beside what the model says it needs.

python benchmarks/model_costs.py                                 # all models at all sizes, hours
python benchmarks/model_costs.py EASE IALS                       # some models
python benchmarks/model_costs.py --write docs/multimodal.md      # models with content, one epoch of the largest size

The seconds of the first size, of processor time, stand in `recsys.study.measured_costs`. A model trained by gradient
trains for a few epochs, and at the first size it is taken to go on to EPOCHS at the same pace, with content and
without. Each fit runs in a process of its own with one thread.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import psutil
import torch
import typer
from _baby import console
from calibration.page import rows_of_section, with_section

from recsys.content.features import Features
from recsys.data.dataset import Dataset
from recsys.evaluation.evaluate import evaluate, validator
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import DataSize, Recommender, TrainingData
from recsys.study.measured_costs import EPOCHS, REFERENCE

N_TASTES = 50


@dataclass(frozen=True)
class Size:
    """Data to be generated, and the epochs that a model trained by gradient has on them."""

    n_users: int
    n_items: int
    n_interactions: int
    widths: Mapping[str, int]
    epochs: int


SIZES = (
    Size(8_000, 3_000, 100_000, {"text": 64}, 3),
    Size(8_000, 3_000, 100_000, {}, 3),
    Size(30_000, 8_000, 500_000, {"text": 64}, 3),
    Size(39_387, 23_033, 219_000, {"text": 384, "image": 4096}, 1),
)
"""The first without content too, and the last that of Amazon Clothing with its published features."""


def generated(n_users: int, n_items: int, n_interactions: int) -> Dataset:
    """A market whose users and items share tastes, with ratings; a tenth of the rows is for validation."""
    rng = np.random.default_rng(0)
    users = (n_users * rng.random(n_interactions) ** 1.5).astype(np.int32)
    rank = (n_items * rng.random(n_interactions) ** 2.5).astype(np.int32)
    own = rng.random(n_interactions) < 2 / 3
    items = np.where(own, (rank - rank % N_TASTES + users % N_TASTES) % n_items, rank).astype(np.int32)
    rows = pd.DataFrame({"user": users, "item": items}).drop_duplicates(ignore_index=True)
    rows["rating"] = rng.integers(1, 6, len(rows)).astype(float)
    rows["part"] = rng.choice(["train", "valid"], len(rows), p=[0.9, 0.1])
    tables = pd.DataFrame(index=range(n_users)), pd.DataFrame(index=range(n_items))
    return Dataset(rows, *tables, quarantine=pd.DataFrame())


def measure(name: str, place: int) -> None:
    """Fit and evaluate; print seconds, MiB of the fit and MiB by the model's own estimate."""
    torch.set_num_threads(1)
    file = registry.find(name)
    cls = registry.load(name)
    size = SIZES[place]
    dataset = generated(size.n_users, size.n_items, size.n_interactions)
    config = cls.Config.model_validate({"max_epochs": size.epochs} if file.is_trained else {})
    shown = {}
    if file.takes_content:
        rng, present = np.random.default_rng(1), np.ones(dataset.n_items, dtype=bool)
        for source, width in size.widths.items():
            shown[source] = Features(rng.standard_normal((dataset.n_items, width), dtype=np.float32), present)
    ended: list[float] = []
    value = validator(dataset, Protocol())

    def validate(fitted: Recommender) -> float:
        ended.append(time.process_time())
        return value(fitted)

    data = TrainingData(
        dataset.train,
        shown,
        validate=validate,
        ratings=dataset.ratings if file.needs_ratings else None,
    )
    data_size = DataSize(*dataset.train.shape, dataset.train.nnz, sum(size.widths.values()) if shown else 0)
    model = cls(config)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten, which Linux alone can
    before = psutil.Process().memory_info().rss
    start = time.process_time()
    model.fit(data)
    peak = 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    evaluate(model, dataset, "valid", Protocol())
    seconds = time.process_time() - start
    if file.is_trained and size.n_users == REFERENCE.n_users:
        # From one evaluation to the next, so that what is made but once is not counted again.
        seconds += (EPOCHS - size.epochs) * (ended[-1] - ended[0]) / (len(ended) - 1)
    print(json.dumps([seconds, (peak - before) / 2**20, cls.memory(config, data_size) / 2**20]))


def fit_apart(name: str, place: int) -> tuple[float, float, float] | None:
    """What `measure` prints, from a process of its own; None, and a line, where that failed."""
    command = [sys.executable, __file__, "--measure", str(place), name]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        console.print(f"{name}: {(done.stderr.strip().splitlines() or [f'ended with {done.returncode}'])[-1]}")
        return None
    seconds, peak, estimate = json.loads(done.stdout)
    return seconds, peak, estimate


def write_row(page: Path, name: str) -> None:
    """Measure one model at the largest size, and write its row; those of other models stay."""
    found = fit_apart(name, len(SIZES) - 1)
    if found is None:
        return
    seconds, peak, estimate = found
    text = page.read_text(encoding="utf-8")
    row = {
        "model": name,
        "s of processor time": f"{seconds:.0f}",
        "GiB at the peak": f"{peak / 1024:.1f}",
        "GiB estimated": f"{estimate / 1024:.1f}",
    }
    rows = rows_of_section(text, "clothing") | {name: row}
    table = pd.DataFrame([rows[each] for each in sorted(rows)]).to_markdown(index=False)
    page.write_text(with_section(text, "clothing", table), encoding="utf-8")


def main(
    models: Annotated[list[str] | None, typer.Argument(help="All unless said.")] = None,
    write: Annotated[Path | None, typer.Option(help="A page whose rows of models with content are written.")] = None,
    measure_at: Annotated[int | None, typer.Option("--measure", hidden=True)] = None,
) -> None:
    """Measure and print."""
    names = models or [name for name in registry.load_all() if registry.find(name).takes_content or not write]
    if measure_at is not None:
        measure(names[0], measure_at)
        return
    if write:
        for name in names:
            write_row(write, name)
        return
    console.print("model, users, items, interactions: seconds, MiB at the peak, MiB estimated, ratio")
    for name in names:
        learns_without = registry.find(name).is_trained and registry.find(name).takes_content
        for place, size in enumerate(SIZES):
            if not size.widths and not learns_without:
                continue
            if found := fit_apart(name, place):
                seconds, peak, estimate = found
                console.print(
                    f"{name}, {size.n_users}, {size.n_items}, {size.n_interactions}: "
                    f"{seconds:.1f}, {peak:.0f}, {estimate:.0f}, {estimate / max(peak, 1):.2f}"
                )


if __name__ == "__main__":
    typer.run(main)
