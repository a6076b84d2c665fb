"""A small market whose pattern is known: users and items fall into blocks, and content names the block."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recsys.content.features import Content, Features

N_BLOCKS, N_USERS, N_ITEMS = 4, 60, 40
COLD_USER = N_USERS - 1
COLD_ITEMS = np.arange(N_ITEMS - N_BLOCKS, N_ITEMS)
"""One item of each block without an interaction."""
BLOCK_OF_USER = np.arange(N_USERS) % N_BLOCKS
BLOCK_OF_ITEM = np.arange(N_ITEMS) % N_BLOCKS


@dataclass(frozen=True)
class Planted:
    """Training and held-out interactions with content and ratings that agree with the blocks.

    Attributes:
        train: what users took, shape (N_USERS, N_ITEMS).
        held_out: what else they took, same shape.
        content: two sources.
        ratings: of the training interactions.
        audio: a third source.
    """

    train: sparse.csr_array
    held_out: sparse.csr_array
    content: Content
    ratings: sparse.csr_array
    audio: Features


def planted_market(seed: int = 7) -> Planted:
    """Users take 60 % of their block's items, of which two are held out, and 4 % of the others, liked less."""
    rng = np.random.default_rng(seed)
    own = BLOCK_OF_USER[:, None] == BLOCK_OF_ITEM[None, :]
    touched = rng.random((N_USERS, N_ITEMS)) < np.where(own, 0.6, 0.04)
    touched[:, COLD_ITEMS] = False
    held_out = np.zeros_like(touched)
    for user in range(N_USERS):
        favourites = np.flatnonzero(touched[user] & own[user])
        held_out[user, rng.permutation(favourites)[:2]] = True
    train = touched & ~held_out
    train[COLD_USER] = False
    content = {"text": _features(rng, 8), "image": _features(rng, 6)}
    given = np.where(own, rng.choice([3.5, 4.0, 4.5, 5.0], own.shape), rng.choice([0.5, 1.0, 2.0, 3.0], own.shape))
    return Planted(_csr(train), _csr(held_out), content, _csr(train * given), _features(rng, 5))


def with_missing(content: Content) -> Content:
    """The same content where every third item lacks its text and every fourth its image."""
    every = {"text": 3, "image": 4}
    holes: Content = {}
    for source, features in content.items():
        present = np.arange(N_ITEMS) % every[source] != 0
        holes[source] = Features(np.where(present[:, None], features.matrix, np.float32(0)), present)
    return holes


def nobody_s(features: Features) -> Features:
    """A source of the same width that no item has."""
    return Features(np.zeros_like(features.matrix), np.zeros_like(features.present))


def _csr(dense: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(dense.astype(np.float32))


def _features(rng: np.random.Generator, dim: int) -> Features:
    centres = rng.standard_normal((N_BLOCKS, dim)) * 2
    matrix = centres[BLOCK_OF_ITEM] + 0.5 * rng.standard_normal((N_ITEMS, dim))
    return Features(matrix.astype(np.float32), np.ones(N_ITEMS, dtype=bool))
