"""From raw tables to a dataset: cleaned, indexed, split, counted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.cleaning import Cleaned, CleaningRules, clean
from recsys.data.dataset import PARTS, Dataset
from recsys.data.ids import spelt_twice
from recsys.data.images import counts_of_pictures
from recsys.data.quarantine import INTERACTION_KEY, RowFilter, collect, quarantine_of
from recsys.data.raw import ITEM_COLUMNS, RawData
from recsys.data.splits import SplitRule, assign_parts, is_drawn, needs_times, of_repeat
from recsys.errors import UserError

MIN_TESTED = 2
"""Fewer users in the test part say nothing of the differences between users."""
UNDATED = (
    "no time that can be read (of another unit than most, before 1900, after 2099, the first day of 1900 or 1970 for "
    "one that is not known, or no time)"
)
COLUMNS = ("user", "item", "part", "rating", "timestamp")
"""Columns of a dataset's interactions, the last two where the source has them."""


def prepare(raw: RawData, rules: CleaningRules, split: SplitRule, n_repeats: int = 1) -> Dataset:
    """Clean, index and split a catalogue.

    Users and items are numbered by their ids: by value where all ids are whole numbers, so that row i of a
    feature file made for ids 0, 1, ... is item i, else in alphabetical order. Validation and test rows of users
    without a training row are quarantined; the users keep their index.

    Args:
        raw: what was read.
        rules: of cleaning.
        split: how interactions are split.
        n_repeats: splits that are drawn, where the protocol draws one.

    Raises:
        UserError: cleaning leaves nothing, the split cannot be made (see `clean` and `assign_parts`), or there are
            too few users in the test part to compare models by.
    """
    cleaned = clean(_dated(raw, split), rules)
    users = pd.DataFrame({"user_id": in_order(cleaned.raw.interactions["user_id"].unique())})
    items = _indexed_items(cleaned.raw.items)
    rows = _indexed(cleaned.raw.interactions, users, items)
    rows["part"] = assign_parts(rows, split)
    kept, cold = _without_cold_users(rows, users, items)
    _refuse_too_little(kept, split, len(users))
    quarantine = collect([cleaned.raw.quarantine, cold])
    kept = kept[[name for name in COLUMNS if name in kept]]
    later, drawn = pd.DataFrame(), is_drawn(split, kept)
    if drawn:
        # A drawn split leaves every user a training row, so that no row was lost above, nor is one here.
        later = pd.DataFrame({str(n): assign_parts(kept, of_repeat(split, n)) for n in range(2, n_repeats + 1)})
    facts = {
        "counts": _counts(cleaned, kept, users, items, quarantine),
        "truth": raw.truth,
        "drawn": drawn,
        "listed_by_id": _listed_by_id(raw.items),
        "notes": [*raw.notes, *spelt_twice(raw.interactions["user_id"]), *_undated(kept)],
    }
    return Dataset(kept, users, items, quarantine, facts, later)


def _dated(raw: RawData, split: SplitRule) -> RawData:
    """Without the rows whose time cannot be read, where the split needs times."""
    if not needs_times(split, raw.interactions):
        return raw
    undated = raw.interactions["timestamp"].isna()
    if undated.all() and len(undated):
        raise UserError(
            f"split '{split.protocol}' needs times, and none of {len(undated):,} can be read; name the right column "
            "as the timestamp, or choose the protocol 'ratio'"
        )
    row_filter = RowFilter("interactions", raw.interactions, INTERACTION_KEY, raw.interactions.get("row"))
    row_filter.reject(undated, f"{UNDATED}, and the split needs one")
    return replace(raw, interactions=row_filter.kept, quarantine=collect([raw.quarantine, row_filter.quarantine()]))


def _undated(interactions: pd.DataFrame) -> list[str]:
    n = int(interactions["timestamp"].isna().sum()) if "timestamp" in interactions else 0
    return [f"{n:,} of {len(interactions):,} interactions: {UNDATED}; the split needs none"] if n else []


def _without_cold_users(
    rows: pd.DataFrame, users: pd.DataFrame, items: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of users who have a training row, and the quarantine of all others."""
    warm = np.zeros(len(users), dtype=bool)
    warm[rows["user"].to_numpy()[(rows["part"] == "train").to_numpy()]] = True
    left_out = ~warm[rows["user"].to_numpy()]
    kept, cold = (rows[~left_out].reset_index(drop=True), rows[left_out]) if left_out.any() else (rows, rows[:0])
    named = cold.assign(
        user_id=users["user_id"].to_numpy()[cold["user"]], item_id=items["item_id"].to_numpy()[cold["item"]]
    )
    reason = "user without training interaction"
    return kept, quarantine_of("interactions", named, INTERACTION_KEY, reason, named.get("row"))


def _refuse_too_little(interactions: pd.DataFrame, split: SplitRule, n_users: int) -> None:
    for part in PARTS:
        if not (interactions["part"] == part).any():
            raise UserError(
                f"split '{split.protocol}' leaves the {part} part without a user who has training rows; "
                "choose another protocol such as 'temporal'"
            )
    n_tested = interactions["user"][interactions["part"] == "test"].nunique()
    if n_tested < MIN_TESTED:
        raise UserError(
            f"the test part has {n_tested} user{'s' * (n_tested != 1)} (of {n_users}), and models are compared over "
            f"users: give interactions of {MIN_TESTED} or more who have enough for the split, or lower 'k_core'"
        )


def in_order(ids: np.ndarray | pd.Series) -> np.ndarray:
    """Ids by value where all are whole numbers, else in alphabetical order."""
    names = np.asarray(ids, dtype=object)
    if all(name.isascii() and name.isdigit() for name in names):
        return np.asarray(sorted(names, key=lambda name: (int(name), name)), dtype=object)
    return np.asarray(sorted(names), dtype=object)


def _listed_by_id(items: pd.DataFrame) -> bool:
    """Whether a source lists its items in the order of their ids, those too that cleaning leaves out.

    So does a table that holds only ids.
    """
    if not items.drop(columns="item_id").notna().any(axis=None):
        return True
    ids = items["item_id"].dropna().drop_duplicates()
    return bool((ids.to_numpy() == in_order(ids)).all())


def _indexed_items(items: pd.DataFrame) -> pd.DataFrame:
    ordered = items.set_index("item_id", drop=False).loc[in_order(items["item_id"])]
    attributes = [name for name in ordered if name not in ITEM_COLUMNS]
    return ordered[[*ITEM_COLUMNS, *attributes]].reset_index(drop=True)


def _indexed(interactions: pd.DataFrame, users: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Interactions with int32 `user` and `item` instead of ids, in the order of these."""
    user, item = _codes(interactions["user_id"], users["user_id"]), _codes(interactions["item_id"], items["item_id"])
    order = np.lexsort((item, user))
    rest = interactions.drop(columns=list(INTERACTION_KEY)).iloc[order].reset_index(drop=True)
    return rest.assign(user=user[order], item=item[order])


def _codes(ids: pd.Series, known: pd.Series) -> np.ndarray:
    """Where each id stands in `known`, int32, shape (len(ids),)."""
    first_seen, unique = pd.factorize(ids)
    return pd.Index(known).get_indexer(unique).astype(np.int32)[first_seen]


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
        **counts_of_pictures(items),
        "with_text": int(items["text"].notna().sum()),
        "steps": cleaned.steps,
        "quarantined": {str(reason): int(n) for reason, n in quarantine["reason"].value_counts().items()},
    }
