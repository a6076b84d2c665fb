"""The markets on which models are measured beside their peers, each as one file of training and one of test pairs."""

import numpy as np
import pandas as pd
from _baby import market, published
from scipy import sparse

from recsys.data.dataset import Dataset

N_USERS, N_ITEMS, N_TASTES, N_DRAWS = 60_000, 15_000, 200, 1_150_000
Parts = tuple[sparse.csr_array, sparse.csr_array]
"""Training and test interactions, both of shape (n_users, n_items)."""


def baby() -> Parts:
    """Amazon Baby, or a random market of its size."""
    return _parts(market())


def douyin() -> Parts | None:
    """Douyin from the folder named by MODALIFT_DATA; None without it."""
    dataset = published("douyin")
    return _parts(dataset) if dataset else None


def larger() -> Parts:
    """A synthetic market: heavy users, popular items, and tastes that users and items share.

    Two of three draws come from the items of the user's taste, the others from all items; an item's chance falls
    with its rank. Of each user's items a fifth is held out, never the first.
    """
    rng = np.random.default_rng(0)
    users = (N_USERS * rng.random(N_DRAWS) ** 1.5).astype(np.int64)
    users = np.concatenate([np.arange(N_USERS), users])
    rank = (N_ITEMS * rng.random(len(users)) ** 2.5).astype(np.int64)
    taste_of_user = rng.integers(N_TASTES, size=N_USERS)
    own = rng.random(len(users)) < 2 / 3
    # Items of one taste are N_TASTES ranks apart: the nearest such rank keeps the skew.
    near = rank - rank % N_TASTES + taste_of_user[users]
    items = rng.permutation(N_ITEMS)[np.where(own, near, rank)]
    pairs = pd.DataFrame({"user": users, "item": items}).drop_duplicates(ignore_index=True)
    held_out = (rng.random(len(pairs)) < 0.2) & pairs["user"].duplicated().to_numpy()
    train, test = (
        _matrix(part["user"].to_numpy(), part["item"].to_numpy(), (N_USERS, N_ITEMS))
        for part in (pairs[~held_out], pairs[held_out])
    )
    return train, test


MARKETS = {"baby": baby, "douyin": douyin, "larger": larger}


def _parts(dataset: Dataset) -> Parts:
    train, test = (part.tocoo() for part in (dataset.train, dataset.test))
    return _matrix(train.row, train.col, train.shape), _matrix(test.row, test.col, test.shape)


def _matrix(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    indices = users.astype(np.int32), items.astype(np.int32)  # as the tables of a study hold them
    return sparse.csr_array((np.ones(len(users), dtype=np.float32), indices), shape=shape)
