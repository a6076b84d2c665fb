"""A cleaned and split catalogue: the one thing that every model, metric and verdict refers to."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

PARTS = ("train", "valid", "test")
INTERACTIONS, REPEATS = "interactions.parquet", "repeats.parquet"


@dataclass(frozen=True)
class Dataset:
    """Interactions over dense indices, split into parts, with the tables that give the indices meaning.

    Where the split is drawn at random it is drawn anew for each repeat; a dataset stands for one repeat at a time.

    Attributes:
        interactions: one row per (user, item) pair: `user`, `item` (int32 indices), `part` (one of `PARTS`)
            and, where known, `rating` and `timestamp`.
        users: `user_id` (string); row number is the user index.
        items: `item_id`, `title`, `text`, `image_path`, `image_digest` and attributes; row number is the item index.
        quarantine: rows left out, with a reason (see `recsys.data.raw`).
        facts: counts of each step (`counts`), whether the split is drawn at random (`drawn`), whether the source lists
            its items in the order of their ids (`listed_by_id`), planted truth of a synthetic source (`truth`).
        later_parts: the part of each interaction in repeats 2, 3, ..., a column each, named by the repeat; without
            columns where the split is a fact, such as one by time, and the same in all repeats.
    """

    interactions: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame
    quarantine: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    later_parts: pd.DataFrame = field(default_factory=pd.DataFrame)

    def repeat(self, number: int) -> "Dataset":
        """The same interactions with the split of a repeat, from 1; KeyError where that was not drawn."""
        if number == 1 or self.later_parts.empty:
            return self
        return replace(self, interactions=self.interactions.assign(part=self.later_parts[str(number)].to_numpy()))

    @property
    def split_is_drawn(self) -> bool:
        """Whether another repeat would have another split, however many were drawn."""
        return bool(self.facts.get("drawn"))

    @property
    def listed_by_id(self) -> bool:
        """Whether the source lists its items in the order of their ids, as far as it says anything of them."""
        return bool(self.facts.get("listed_by_id", True))

    @property
    def held_out(self) -> float:
        """Test rows to each training row where repeats have splits of their own, else 0 (see `MeanError`)."""
        return self.test.nnz / self.train.nnz if self.split_is_drawn else 0.0

    @property
    def version(self) -> str:
        """Hash of all that a model can learn from or be measured by in this repeat."""
        rows = self.interactions[[name for name in ("user", "item", "part", "rating") if name in self.interactions]]
        digest = hashlib.sha256(f"{self.n_users} {self.n_items} {list(rows.columns)}".encode())
        digest.update(pd.util.hash_pandas_object(rows, index=False, categorize=True).to_numpy().tobytes())
        return digest.hexdigest()

    @property
    def n_users(self) -> int:
        """Number of users, those without a training interaction included."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items, those without a training interaction included."""
        return len(self.items)

    @cached_property
    def train(self) -> sparse.csr_array:
        """Training interactions, binary float32, shape (n_users, n_items)."""
        return self._part("train")

    @cached_property
    def popularity(self) -> np.ndarray:
        """Training interactions of each item, shape (n_items,)."""
        return np.asarray(self.train.sum(axis=0))

    @cached_property
    def valid(self) -> sparse.csr_array:
        """Validation interactions, binary float32, shape (n_users, n_items)."""
        return self._part("valid")

    @cached_property
    def test(self) -> sparse.csr_array:
        """Test interactions, binary float32, shape (n_users, n_items)."""
        return self._part("test")

    @cached_property
    def ratings(self) -> sparse.csr_array | None:
        """What training users gave, float32, stored where `train` is, zeros too; None where all gave the same."""
        rows = self._rows("train")
        if "rating" not in rows or rows["rating"].nunique() < 2:
            return None
        return self._matrix(rows, rows["rating"].to_numpy(np.float32))

    def _part(self, part: str) -> sparse.csr_array:
        rows = self._rows(part)
        return self._matrix(rows, np.ones(len(rows), dtype=np.float32))

    def _rows(self, part: str) -> pd.DataFrame:
        return self.interactions[self.interactions["part"] == part]

    def _matrix(self, rows: pd.DataFrame, values: np.ndarray) -> sparse.csr_array:
        shape = (self.n_users, self.n_items)
        return sparse.csr_array((values, (rows["user"].to_numpy(), rows["item"].to_numpy())), shape=shape)

    def save(self, folder: Path) -> None:
        """Write the tables as Parquet and the facts as JSON into an existing folder."""
        self.interactions.to_parquet(folder / INTERACTIONS, index=False)
        self.later_parts.astype("category").to_parquet(folder / REPEATS, index=False)
        self.users.to_parquet(folder / "users.parquet", index=False)
        self.items.to_parquet(folder / "items.parquet", index=False)
        self.quarantine.astype("string").to_parquet(folder / "quarantine.parquet", index=False)
        (folder / "facts.json").write_text(json.dumps(self.facts, indent=1, sort_keys=True), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Dataset":
        """Read what `save` wrote: missing values as None, relative image paths as paths under `folder`."""
        items = pd.read_parquet(folder / "items.parquet").astype(object)
        items = items.where(items.notna(), None)
        known = items["image_path"].notna()
        items.loc[known, "image_path"] = [str(folder / path) for path in items.loc[known, "image_path"]]
        return cls(
            interactions=pd.read_parquet(folder / INTERACTIONS),
            users=pd.read_parquet(folder / "users.parquet"),
            items=items,
            quarantine=pd.read_parquet(folder / "quarantine.parquet"),
            facts=json.loads((folder / "facts.json").read_text(encoding="utf-8")),
            later_parts=pd.read_parquet(folder / REPEATS),
        )
