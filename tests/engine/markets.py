"""The planted market as a saved dataset with its content, for tests that run real cells."""

from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.dataset import Dataset
from recsys.data.splits import SplitRule, assign_parts, of_repeat
from recsys.testing.market import planted_market

SOURCES = ("text", "image")


def market(n_repeats: int = 1, *, drawn: bool = True, seed: int = 1) -> Dataset:
    """The planted market split by ratio, for each repeat anew where the split is drawn."""
    planted = planted_market()
    user, item = (planted.train + planted.held_out).nonzero()
    rows = pd.DataFrame({"user": user, "item": item}).sort_values(["user", "item"], ignore_index=True)
    n_users, n_items = planted.train.shape
    repeats = range(2, n_repeats + 1) if drawn else ()
    return Dataset(
        interactions=rows.assign(part=assign_parts(rows, SplitRule(seed=seed))),
        users=pd.DataFrame({"user_id": np.arange(n_users).astype(str)}),
        items=pd.DataFrame({"item_id": np.arange(n_items).astype(str), "image_path": None}),
        quarantine=pd.DataFrame(),
        facts={"drawn": drawn},
        later_parts=pd.DataFrame({str(n): assign_parts(rows, of_repeat(SplitRule(seed=seed), n)) for n in repeats}),
    )


def save_content(folder: Path) -> dict[str, Path]:
    """The market's sources of content, each in a file."""
    files = {}
    for source, features in planted_market().content.items():
        files[source] = folder / f"{source}.safetensors"
        features.save(files[source], [str(item) for item in range(len(features.matrix))])
    return files
