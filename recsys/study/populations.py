"""Which users and which items: by activity, by how alike a user's items are, by popularity, by what content lacks."""

from collections.abc import Sequence

import numpy as np

from recsys.content.coherence import coherence
from recsys.content.features import Content
from recsys.data.dataset import Dataset
from recsys.evidence.strata import COLD

HEAD = 0.5
"""Share of the training interactions that head items hold."""
QUARTERS, THIRDS = (0.25, 0.5, 0.75), (1 / 3, 2 / 3)
ACTIVITY, LIKENESS, POPULARITY = "training interactions", "how alike a user's items are by content", "popularity"
Populations = dict[str, np.ndarray]
"""By name, who or what belongs to it in each repeat: bool, shape (n_repeats, n_users) or (n_repeats, n_items)."""


def by_activity(datasets: Sequence[Dataset], users: np.ndarray) -> Populations:
    """Users by quarters of their numbers of training interactions; fewer where many have the same number."""
    counts = np.stack([np.diff(data.train.indptr)[users] for data in datasets])
    edges = np.unique(np.quantile(counts, QUARTERS, method="inverted_cdf"))
    edges = edges[edges < counts.max()].astype(int).tolist()
    lows, highs = [0, *(edge + 1 for edge in edges)], [*edges, int(counts.max())]
    names = [f"{low} to {high}" if low < high else str(low) for low, high in zip(lows, highs, strict=True)]
    if edges:
        names[0], names[-1] = f"up to {edges[0]}", f"more than {edges[-1]}"
    return {
        f"users with {name} training interactions": (counts >= low) & (counts <= high)
        for name, low, high in zip(names, lows, highs, strict=True)
    }


def by_likeness(datasets: Sequence[Dataset], users: np.ndarray, content: Content) -> Populations:
    """Users by thirds of how alike their training items are by content; those of fewer than two items in none."""
    found = np.stack([coherence(data.train[users], content) for data in datasets])
    edges = np.nanquantile(found, THIRDS) if np.isfinite(found).any() else np.zeros(2)
    third = np.where(np.isfinite(found), np.digitize(found, edges), -1)
    names = ("the least alike", "moderately alike", "the most alike")
    return {f"users whose items are {name} by content": third == number for number, name in enumerate(names)}


def by_popularity(datasets: Sequence[Dataset]) -> Populations:
    """Items without a training interaction, those that hold the first half of all interactions, and the others."""
    counts = np.stack([np.asarray(data.train.sum(axis=0)) for data in datasets])
    order = np.argsort(-counts, axis=1, kind="stable")
    before = np.cumsum(np.take_along_axis(counts, order, axis=1), axis=1) - np.take_along_axis(counts, order, axis=1)
    head = np.empty(counts.shape, dtype=bool)
    np.put_along_axis(head, order, before < HEAD * counts.sum(axis=1, keepdims=True), axis=1)
    cold = counts == 0
    return {COLD: cold, "tail items": ~head & ~cold, "head items": head & ~cold}


def by_presence(content: Content, n_repeats: int) -> dict[str, Populations]:
    """By source that some items lack, the items without it and those with it."""
    return {
        source: {
            f"items {'with' if there else 'without'} {source}": np.tile(features.present == there, (n_repeats, 1))
            for there in (False, True)
        }
        for source, features in content.items()
        if not features.present.all()
    }
