"""Plasmode markets: real interactions, and real vectors permuted among the items, so that no vector says anything.

A draw takes some of the most active users and their most chosen items: a study stays as small as on other markets, and
there is enough to learn from that a personal model beats the most popular items. Or the whole catalogue is taken, with
its published split.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.markets import Market, Source
from recsys.content.encoders import encode
from recsys.content.features import Features
from recsys.data.readers import read

N_ACTIVE, FEWEST = 1200, 8
"""Users from whom a draw's are drawn, at most, and interactions that these have with its items, at least."""


@dataclass(frozen=True)
class Size:
    """Users and items of a draw."""

    n_users: int
    n_items: int


def plasmode(seed: int, folder: Path, size: Size) -> Market:
    """Draw users of a real catalogue, with its vectors permuted among its items.

    Args:
        seed: of the users and of the permutation, which is the same for all sources and takes the mask with it.
        folder: an `.inter` file, and a `*_feat.npy` for each source.
        size: of the draw.
    """
    rng = np.random.default_rng(seed)
    rows, content = _catalogue(folder)
    rows, items = _dense(rows[["user_id", "item_id"]], size.n_items)
    users = rng.choice(rows["user_id"].unique(), size.n_users, replace=False)
    rows = rows[rows["user_id"].isin(users)]
    numbers = items.astype(int).to_numpy()
    order = rng.permutation(numbers)
    return Market(
        rows.assign(item_id=pd.Index(items).get_indexer(rows["item_id"]).astype(str)).reset_index(drop=True),
        len(items),
        {name: Source(each.matrix[order], each.present[order]) for name, each in content.items()},
    )


def permuted(seed: int, folder: Path) -> Market:
    """A whole real catalogue in its published split, with its vectors permuted among its items.

    Args:
        seed: of the permutation, which is the same for all sources and takes the mask with it.
        folder: an `.inter` file, and a `*_feat.npy` for each source.
    """
    rows, content = _catalogue(folder)
    n_items = len(next(iter(content.values())).present)
    order = np.random.default_rng(seed).permutation(n_items)
    return Market(
        rows, n_items, {name: Source(each.matrix[order], each.present[order]) for name, each in content.items()}
    )


def _dense(rows: pd.DataFrame, n_items: int) -> tuple[pd.DataFrame, pd.Index]:
    """The interactions of active users with the items that they choose most, and these items."""
    users = rows["user_id"].value_counts().index
    for _ in range(3):
        items = rows.loc[rows["user_id"].isin(users), "item_id"].value_counts().index[:n_items]
        users = rows.loc[rows["item_id"].isin(items), "user_id"].value_counts().index[:N_ACTIVE]
    dense = rows[rows["item_id"].isin(items) & rows["user_id"].isin(users)]
    counts = dense["user_id"].value_counts()
    return dense[dense["user_id"].isin(counts.index[counts >= FEWEST])], items


@cache
def _catalogue(folder: Path) -> tuple[pd.DataFrame, dict[str, Features]]:
    """Interactions without their split, and every source's vectors by item number, as a study would read them."""
    raw = read("inter", {}, folder, folder)
    files = sorted(folder.glob("*_feat.npy"))
    content = {
        file.name.removesuffix("_feat.npy"): encode("matrix_file", {"file": file.name}, raw.items, folder=folder)
        for file in files
    }
    return raw.interactions[["user_id", "item_id", "part"]], content
