"""Which items look alike by their vectors: the quickest way to see whether an encoding makes sense."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.content.features import Features


def nearest(features: Features, items: Sequence[int], k: int = 5) -> pd.DataFrame:
    """The nearest present items by cosine, the item itself left out.

    Args:
        features: vectors of the catalogue's items.
        items: item indices; absent ones have no neighbours.
        k: neighbours of each.

    Returns:
        `item`, `neighbour` (item indices), `rank` (from 1) and `cosine`, nearest first.
    """
    candidates = np.flatnonzero(features.present)
    asked = np.array([item for item in items if features.present[item]], dtype=np.int64)
    unit = _unit(features.matrix[candidates])
    cosine = _unit(features.matrix[asked]) @ unit.T
    cosine[asked[:, None] == candidates] = -np.inf
    depth = min(k, max(len(candidates) - 1, 0))
    order = np.argsort(-cosine, axis=1, kind="stable")[:, :depth]
    return pd.DataFrame(
        {
            "item": np.repeat(asked, depth),
            "neighbour": candidates[order].ravel(),
            "rank": np.tile(np.arange(1, depth + 1), len(asked)),
            "cosine": np.take_along_axis(cosine, order, axis=1).ravel(),
        }
    )


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)
