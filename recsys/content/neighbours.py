"""Which items look alike by their vectors: the quickest way to see whether an encoding makes sense."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.content.features import Features, unit_rows

BLOCK = 128
"""Items compared with all others at a time."""


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
    unit = unit_rows(features.matrix[candidates])
    cosine = unit_rows(features.matrix[asked]) @ unit.T
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


def share_with_twin(features: Features, n_sampled: int = 2048, cosine: float = 0.999) -> float:
    """Share of the present items whose nearest other item has a cosine of at least this, about the mean vector.

    Centring matters: vectors of some encoders share a direction, and all of them are near each other without it.

    Args:
        features: vectors of the catalogue's items.
        n_sampled: items asked about, evenly spaced; all are compared with.
        cosine: from which two items count as twins.
    """
    rows = features.matrix[features.present]
    if len(rows) < 2:
        return 0.0
    unit = unit_rows(rows - rows.mean(axis=0))
    asked = np.linspace(0, len(rows) - 1, min(len(rows), n_sampled)).astype(np.int64)
    n_twins = 0
    for block in np.array_split(asked, -(-len(asked) // BLOCK)):
        found = unit[block] @ unit.T
        found[np.arange(len(block)), block] = -np.inf
        n_twins += int((found.max(axis=1) >= cosine).sum())
    return n_twins / len(asked)
