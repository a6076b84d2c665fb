"""Content as directions: vectors whose inner products compare items."""

from typing import TypeVar

import numpy as np
from scipy import sparse

from recsys.content.features import Content, Features, unit_rows

Rows = TypeVar("Rows", sparse.csr_array, np.ndarray)
ROUNDING = 1e-5
"""A centred row shorter than this share of the mean row is what rounding left of an item like all others."""


def centred(features: Features) -> np.ndarray:
    """Rows of present items less their mean, float32, shape (n_items, dim).

    Rows of absent items, and of items that equal the mean, are zero: constant content points nowhere.
    """
    known = features.matrix[features.present].astype(np.float64)
    rows = np.zeros(features.matrix.shape, dtype=np.float32)
    if len(known):
        difference = known - known.mean(axis=0)
        length = np.linalg.norm(difference, axis=1)
        difference[length <= ROUNDING * np.linalg.norm(known, axis=1).mean()] = 0
        rows[features.present] = difference
    return rows


def directions(features: Features) -> np.ndarray:
    """Centred rows of length 1, so that an inner product is a cosine; float32, shape (n_items, dim)."""
    return unit_rows(centred(features))


def scaled(features: Features) -> np.ndarray:
    """Centred rows divided by the mean length of those present, so that encoders of any width and scale weigh alike.

    Returns:
        float32, shape (n_items, dim); all zero where the content points nowhere.
    """
    rows = centred(features)
    length = np.linalg.norm(rows[features.present], axis=1).mean() if rows.any() else 1
    return rows / np.float32(length)


def side_by_side(content: Content) -> np.ndarray:
    """All sources' columns, scaled so that each source has the same part of an item's mean squared length of about 1.

    Args:
        content: features by source, at least one.

    Returns:
        float32, shape (n_items, sum of the dims); an item that lacks a source has zeros there.
    """
    rows = np.concatenate([scaled(features) for features in content.values()], axis=1)
    return rows / np.float32(np.sqrt(len(content)))


def is_attributes(features: Features) -> bool:
    """Whether the content says what an item has (0 or 1) rather than where it lies."""
    return bool(np.isin(features.matrix, (0, 1)).all())


def user_means(train: sparse.csr_array, rows: Rows, present: np.ndarray) -> Rows:
    """Mean of the rows of each user's items that are present; shape (n_users, dim), zero where there are none."""
    known = train * present[None, :].astype(np.float32)
    n_known = np.maximum(known.sum(axis=1), 1)
    return sparse.diags_array((1 / n_known).astype(np.float32)) @ (known @ rows)
