"""What the users of the market choose, and when."""

import numpy as np
import pandas as pd

FEWEST = 5
"""Interactions that every user has at least, so that each has something in every part of a split."""
OPENING = 1_577_836_800
"""First moment of the market: 2020-01-01, in seconds since 1970."""
YEARS_OPEN = 3


def choose(utility: np.ndarray, mean_interactions: float, rng: np.random.Generator) -> pd.DataFrame:
    """Draw each user's items without replacement, with probability softmax of their utility.

    The items of greatest utility plus standard Gumbel noise are such a draw (Kool et al., Stochastic Beams and
    Where to Find Them, ICML 2019).

    Args:
        utility: shape (n_users, n_items).
        mean_interactions: mean number of a user's interactions.
        rng: source of the draw.

    Returns:
        Strings `user_id` and `item_id`, and `timestamp`, in the order of users and times.
    """
    n_users, n_items = utility.shape
    n_chosen = np.minimum(FEWEST + rng.poisson(max(mean_interactions - FEWEST, 0), n_users), n_items)
    order = np.argsort(-(utility + rng.gumbel(size=utility.shape)), axis=1)
    users, ranks = np.nonzero(np.arange(n_items) < n_chosen[:, None])
    moments = OPENING + rng.integers(YEARS_OPEN * 365 * 86_400, size=len(users))
    choices = pd.DataFrame({"user": users, "item": order[users, ranks], "timestamp": moments})
    choices = choices.sort_values(["user", "timestamp", "item"], ignore_index=True)
    return pd.DataFrame(
        {
            "user_id": choices["user"].astype("str"),
            "item_id": choices["item"].astype("str"),
            "timestamp": choices["timestamp"].astype("int64"),
        }
    )
