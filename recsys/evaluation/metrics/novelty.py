"""How little known the items of a user's list are."""

import numpy as np

from recsys.evaluation.metrics.registry import Lists, user_metric


@user_metric(higher_is_better=None)
def novelty(lists: Lists) -> np.ndarray:
    """Mean self-information of the items listed, -log2 of their share of interactions, in bits; 0 for an empty list.

    An item without interactions counts as having one (Vargas and Castells, RecSys 2011).
    """
    known = np.maximum(lists.popularity, 1)
    bits = -np.log2(known / known.sum())
    listed = lists.items >= 0
    return np.where(listed, bits[lists.items], 0.0).sum(axis=1) / np.maximum(listed.sum(axis=1), 1)
