"""From raw tables to a dataset: cleaned, indexed, split, counted."""

from typing import Any

import numpy as np
import pandas as pd

from recsys.data.cleaning import Cleaned, CleaningRules, clean
from recsys.data.dataset import PARTS, Dataset
from recsys.data.quarantine import INTERACTION_KEY, Sieve, collect
from recsys.data.raw import ITEM_COLUMNS, RawData
from recsys.data.splits import SplitRule, assign_parts
from recsys.errors import UserError


def prepare(raw: RawData, rules: CleaningRules, split: SplitRule) -> Dataset:
    """Clean, index and split a catalogue.

    Users and items are numbered by their ids: by value where all ids are whole numbers, so that row i of a
    feature file made for ids 0, 1, ... is item i, else in alphabetical order. Validation and test rows of users
    without a training row are set aside; the users keep their index.

    Raises:
        UserError: cleaning leaves nothing, or the split cannot be made (see `clean` and `assign_parts`).
    """
    cleaned = clean(raw, rules)
    users = pd.DataFrame({"user_id": in_order(cleaned.raw.interactions["user_id"].unique())})
    items = _indexed_items(cleaned.raw.items)
    interactions = _indexed(cleaned.raw.interactions, users, items)
    sieve = Sieve("interactions", interactions.assign(part=assign_parts(interactions, split)), INTERACTION_KEY)
    warm = sieve.kept.loc[sieve.kept["part"] == "train", "user"].unique()
    sieve.reject(~sieve.kept["user"].isin(warm), "user without training interaction")
    for part in PARTS:
        if not (sieve.kept["part"] == part).any():
            raise UserError(
                f"split '{split.protocol}' leaves the {part} part without a user who has training rows; "
                "choose another protocol such as 'temporal'"
            )
    columns = [name for name in ("user", "item", "part", "rating", "timestamp") if name in sieve.kept]
    kept = sieve.kept[columns].reset_index(drop=True)
    quarantine = collect([cleaned.raw.quarantine, sieve.quarantine()])
    facts = {"counts": _counts(cleaned, kept, users, items, quarantine), "truth": raw.truth}
    return Dataset(kept, users, items, quarantine, facts)


def in_order(ids: np.ndarray | pd.Series) -> np.ndarray:
    """Ids by value where all are whole numbers, else in alphabetical order."""
    names = np.asarray(ids, dtype=object)
    if all(name.isascii() and name.isdigit() for name in names):
        return np.asarray(sorted(names, key=lambda name: (int(name), name)), dtype=object)
    return np.asarray(sorted(names), dtype=object)


def _indexed_items(items: pd.DataFrame) -> pd.DataFrame:
    ordered = items.set_index("item_id", drop=False).loc[in_order(items["item_id"])]
    attributes = [name for name in ordered if name not in ITEM_COLUMNS]
    return ordered[[*ITEM_COLUMNS, *attributes]].reset_index(drop=True)


def _indexed(interactions: pd.DataFrame, users: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Interactions with int32 `user` and `item`, in the order of these."""
    user = pd.Index(users["user_id"]).get_indexer(interactions["user_id"]).astype(np.int32)
    item = pd.Index(items["item_id"]).get_indexer(interactions["item_id"]).astype(np.int32)
    return interactions.assign(user=user, item=item).sort_values(["user", "item"], ignore_index=True)


def _counts(
    cleaned: Cleaned, interactions: pd.DataFrame, users: pd.DataFrame, items: pd.DataFrame, quarantine: pd.DataFrame
) -> dict[str, Any]:
    parts = interactions["part"].value_counts()
    return {
        "users": len(users),
        "items": len(items),
        "interactions": len(interactions),
        **{part: int(parts[part]) for part in PARTS},
        "density": len(interactions) / (len(users) * len(items)),
        "with_image": int(items["image_path"].notna().sum()),
        "with_text": int(items["text"].notna().sum()),
        "steps": cleaned.steps,
        "quarantined": {str(reason): int(n) for reason, n in quarantine["reason"].value_counts().items()},
    }
