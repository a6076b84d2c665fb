"""What the benchmarks share: Amazon Baby or a random market of its size, and a way to time and print."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from recsys.content.features import Content, Features
from recsys.data.dataset import Dataset

N_USERS, N_ITEMS, N_INTERACTIONS = 19_445, 7_050, 160_792
console = Console()


def market() -> Dataset:
    """Amazon Baby from the folder named by MODALIFT_DATA, or, without it, a random market of its size."""
    baby = published("baby")
    if baby is not None:
        console.print("Amazon Baby")
        return baby
    console.print("MODALIFT_DATA is not set: a random market of the size of Amazon Baby")
    rng = np.random.default_rng(0)
    # Skewed towards heavy users and popular items, as real markets are.
    drawn = {
        "user": (N_USERS * rng.random(N_INTERACTIONS) ** 1.5).astype(np.int32),
        "item": (N_ITEMS * rng.random(N_INTERACTIONS) ** 2.5).astype(np.int32),
    }
    rows = pd.DataFrame(drawn).drop_duplicates(ignore_index=True)
    rows["part"] = rng.choice(["train", "valid", "test"], len(rows), p=[0.74, 0.13, 0.13])
    return _dataset(rows, N_USERS, N_ITEMS)


def published(name: str) -> Dataset | None:
    """A published split from the folder named by MODALIFT_DATA; None without it."""
    folder = os.environ.get("MODALIFT_DATA")
    if not folder:
        return None
    rows = pd.read_csv(Path(folder) / name / f"{name}.inter", sep="\t")
    rows = rows.rename(columns={"userID": "user", "itemID": "item"})
    rows["part"] = rows["x_label"].map({0: "train", 1: "valid", 2: "test"})
    return _dataset(rows, rows["user"].max() + 1, rows["item"].max() + 1)


def features(name: str, files: Mapping[str, str]) -> Content:
    """Features of a published split by source, from files of the same folder; a row of zeros counts as missing."""
    folder = Path(os.environ["MODALIFT_DATA"]) / name
    matrices = {source: np.load(folder / file).astype(np.float32) for source, file in files.items()}
    return {source: Features(matrix, matrix.any(axis=1)) for source, matrix in matrices.items()}


def _dataset(rows: pd.DataFrame, n_users: int, n_items: int) -> Dataset:
    users, items = pd.DataFrame(index=range(n_users)), pd.DataFrame(index=range(n_items))
    return Dataset(rows, users, items, quarantine=pd.DataFrame())


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Least time of a few runs: what other work on the machine adds is left out."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(title: str, rows: list[tuple[str, float, str, float]]) -> None:
    """Print rows of: what, our seconds, the plain way, its seconds."""
    table = Table("", "seconds", "plain way", "its seconds", "ratio", title=title)
    for what, ours, plain, theirs in rows:
        table.add_row(what, f"{ours:.2f}", plain, f"{theirs:.2f}", f"{theirs / ours:.1f} x")
    console.print(table)
