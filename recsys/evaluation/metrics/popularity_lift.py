"""How much more popular than a user's own items the recommended ones are."""

import numpy as np

from recsys.evaluation.metrics.registry import Lists, user_metric


@user_metric(higher_is_better=None)
def popularity_lift(lists: Lists) -> np.ndarray:
    """Mean popularity of the list relative to that of the user's training items, less 1.

    0: the list is as popular as what the user took; 1: twice as popular (Abdollahpouri et al., The Connection between
    Popularity Bias, Calibration, and Fairness in Recommendation, RecSys 2020, there of groups of users). A user
    without a training item is compared with the mean training interaction. 0 for an empty list.
    """
    listed = lists.items >= 0
    shown = np.where(listed, lists.popularity[lists.items], 0.0).sum(axis=1) / np.maximum(listed.sum(axis=1), 1)
    popularity = lists.popularity.astype(np.float64)
    taken = lists.train[lists.users]
    n_taken = np.diff(taken.indptr)
    overall = popularity @ popularity / max(popularity.sum(), 1)
    own = np.where(n_taken > 0, taken @ popularity / np.maximum(n_taken, 1), overall)
    return np.where(listed.any(axis=1) & (own > 0), shown / np.where(own > 0, own, 1) - 1, 0.0)
