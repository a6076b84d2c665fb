"""Plasmode markets: real interactions, and real vectors permuted among the items, so that no vector says anything.

A draw takes some of the users and their most chosen items, which keeps a study as small as those of the other markets.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.markets import Market, Source
from recsys.content.encoders import encode
from recsys.content.features import Features
from recsys.data.readers import read

N_USERS, N_ITEMS, FEWEST = 400, 250, 5
"""Of a draw; users have so many interactions with its items at least."""


def plasmode(seed: int, folder: Path) -> Market:
    """Draw users of a real catalogue, with its vectors permuted among its items.

    Args:
        seed: of the users and of the permutation, which is the same for all sources and takes the mask with it.
        folder: an `.inter` file, and a `*_feat.npy` for each source.
    """
    rng = np.random.default_rng(seed)
    rows, content = _catalogue(folder)
    items = rows["item_id"].value_counts().index[:N_ITEMS]
    rows = rows[rows["item_id"].isin(items)]
    counts = rows["user_id"].value_counts().sort_index()
    active = counts.index[counts >= FEWEST].to_numpy()
    users = rng.choice(active, min(N_USERS, len(active)), replace=False)
    rows = rows[rows["user_id"].isin(users)]
    numbers = items.astype(int).to_numpy()
    order = rng.permutation(numbers)
    return Market(
        rows.assign(item_id=pd.Index(items).get_indexer(rows["item_id"]).astype(str)).reset_index(drop=True),
        len(items),
        {name: Source(each.matrix[order], each.present[order]) for name, each in content.items()},
    )


@cache
def _catalogue(folder: Path) -> tuple[pd.DataFrame, dict[str, Features]]:
    """Interactions without their split, and every source's vectors by item number, as a study would read them."""
    raw = read("inter", {}, folder, folder)
    files = sorted(folder.glob("*_feat.npy"))
    content = {
        file.name.removesuffix("_feat.npy"): encode("matrix_file", {"file": file.name}, raw.items, folder=folder)
        for file in files
    }
    return raw.interactions[["user_id", "item_id"]], content
