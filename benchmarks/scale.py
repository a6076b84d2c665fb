"""Reading, cleaning and splitting generated interactions: processor time and peak memory of each reader.

python benchmarks/scale.py            # 1 and 10 million interactions
python benchmarks/scale.py 1000000    # one size

Each reader runs in a process of its own, since a process's peak memory never falls.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from _baby import console
from pyarrow import csv
from rich.table import Table

from recsys.data.cleaning import CleaningRules
from recsys.data.prepare import prepare
from recsys.data.readers import read
from recsys.data.splits import SplitRule

SIZES = {1_000_000: (100_000, 50_000), 10_000_000: (500_000, 100_000)}
"""Users and items for each number of interactions."""
COLUMNS = {"user_column": "user", "item_column": "item", "rating_column": "rating", "timestamp_column": "time"}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "table, 5-core, by time": (
        "table",
        {"interactions": "orders.csv", **COLUMNS},
        {"min_rating": 2, "k_core": 5},
        {"protocol": "temporal"},
    ),
    "table, 5-core, by ratio": ("table", {"interactions": "orders.csv", **COLUMNS}, {"k_core": 5}, {}),
    "inter, split by its labels": ("inter", {"file": "market.inter"}, {}, {"protocol": "fixed"}),
}
"""Reader, its options, cleaning and split."""


def write_market(folder: Path, n_interactions: int) -> None:
    """Interactions skewed towards heavy users and popular items, as a CSV with long ids and as an `.inter` file."""
    n_users, n_items = SIZES[n_interactions]
    rng = np.random.default_rng(0)
    users = (n_users * rng.random(n_interactions) ** 1.5).astype(np.int64)
    items = rng.permutation(n_items)[(n_items * rng.random(n_interactions) ** 2.5).astype(np.int64)]
    ratings = rng.integers(1, 6, n_interactions)
    times = rng.integers(1_500_000_000, 1_700_000_000, n_interactions)
    user_ids, item_ids = (
        pa.array([f"{prefix}{i:09d}" for i in range(n)]) for prefix, n in (("USER-", n_users), ("B", n_items))
    )
    orders = pa.table({"user": user_ids.take(users), "item": item_ids.take(items), "rating": ratings, "time": times})
    csv.write_csv(orders, folder / "orders.csv")
    labels = rng.choice(3, n_interactions, p=[0.8, 0.1, 0.1])
    market = pa.table({"userID": users, "itemID": items, "x_label": labels})
    csv.write_csv(market, folder / "market.inter", csv.WriteOptions(delimiter="\t", quoting_style="none"))


def measure(case: str, folder: Path) -> None:
    """Print seconds of processor time for reading and preparing, peak MiB, and what is left, for `main` to read."""
    reader, options, rules, split = CASES[case]
    start = time.process_time()
    raw = read(reader, options, folder, folder)
    ready = time.process_time()
    dataset = prepare(raw, CleaningRules(**rules), SplitRule(**split))
    end = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(ready - start, end - ready, peak / 1024, len(dataset.interactions), dataset.n_users)


def main() -> None:
    """Generate, measure, print."""
    table = Table("interactions", "case", "read, s", "clean, split, s", "peak, MiB", "kept", "users")
    for size in [int(argument) for argument in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as name:
            write_market(Path(name), size)
            for case in CASES:
                command = [sys.executable, __file__, "--measure", case, name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                reading, preparing, peak, kept, users = done.stdout.split()
                figures = f"{float(reading):.1f}", f"{float(preparing):.1f}", f"{float(peak):.0f}"
                table.add_row(f"{size:,}", case, *figures, f"{int(kept):,}", f"{int(users):,}")
    console.print("Processor time of all threads; the peak includes 160 MiB of imported libraries")
    console.print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
