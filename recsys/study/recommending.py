"""A person's list: from the fitted model where it was kept, from the stored lists where it was not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.data.dataset import Dataset
from recsys.engine.stored import StoredCell
from recsys.errors import UserError
from recsys.evaluation.protocol import Protocol
from recsys.evaluation.ranking import Ranking, rank
from recsys.recommender import Recommender

SHOWN_HISTORY = 5


@dataclass(frozen=True)
class Recommended:
    """What a user is recommended.

    Attributes:
        items: `rank`, `item_id`, `title`, `score`.
        history: in words, what the user chose in training.
        is_stored: whether they are of a stored list, and a longer one cannot be made.
    """

    items: pd.DataFrame
    history: str
    is_stored: bool


def recommend(data: Dataset, cell: StoredCell, protocol: Protocol, user: str, k: int) -> Recommended:
    """The best k items for a user, without those that the protocol masks at test.

    Raises:
        UserError: there is no such user, or nothing is stored for them.
    """
    known = np.flatnonzero(data.users["user_id"].to_numpy() == user)
    model = cell.model() if len(known) else None
    lists = _stored(data, cell, protocol) if model is None else _ranked(model, data, protocol, known, k)
    at = np.flatnonzero(np.isin(lists.users, known))
    if not len(at):
        example = data.users["user_id"].iloc[int(lists.users[0]) if len(lists.users) else 0]
        reason = (
            "has no stored list, since nothing of theirs was held out and the fitted model was not kept"
            if len(known)
            else "is not in the dataset"
        )
        raise UserError(f"user '{user}' {reason}; try --user {example}")
    items, scores = lists.items[at[0], :k], lists.scores[at[0], :k]
    items, scores = items[items >= 0], scores[items >= 0]
    rows = data.items.iloc[items].reset_index(drop=True)
    listed = pd.DataFrame(
        {
            "rank": np.arange(1, len(items) + 1),
            "item_id": rows["item_id"],
            # As a column of objects: pandas would make a string column of it, with NaN for None.
            "title": rows["title"].astype("object").where(rows["title"].notna(), None),
            "score": scores.astype(float),
        }
    )
    return Recommended(listed, _history(data, int(known[0])), is_stored=model is None)


def _stored(data: Dataset, cell: StoredCell, protocol: Protocol) -> Ranking:
    if protocol.n_negatives is not None:
        raise UserError(
            "the stored lists rank held-out items among sampled ones, which is no recommendation, and the fitted "
            "model was not kept: ask a model of a study with `keep_states: all`, or evaluate among all items"
        )
    lists = cell.lists("test")
    return lists.without(data.valid) if protocol.mask == "seen" else lists


def _ranked(model: Recommender, data: Dataset, protocol: Protocol, users: np.ndarray, k: int) -> Ranking:
    seen = data.train + data.valid if protocol.mask == "seen" else data.train
    return rank(model, users.astype(np.int32), seen, k)


def _history(data: Dataset, user: int) -> str:
    rows = data.interactions[(data.interactions["user"] == user) & (data.interactions["part"] == "train")]
    items = data.items.iloc[rows["item"].to_numpy()]
    names = items["title"].fillna(items["item_id"]).astype(str).tolist()
    more = f" and {len(names) - SHOWN_HISTORY} more" if len(names) > SHOWN_HISTORY else ""
    return f"{'; '.join(names[:SHOWN_HISTORY])}{more}"
