"""A store of finished batches, so that an extraction that was killed goes on where it was."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.store import PENDING

Column = np.ndarray | Sequence[str]
"""Numbers of shape (n, dim), or n texts."""


class BatchStore:
    """Rows by key, one Parquet file per batch, each renamed into place when it is whole.

    Keys are digests of content, so that equal items are worked on once. A folder belongs to one piece of work:
    one model, one revision, one set of options.
    """

    def __init__(self, folder: Path) -> None:
        """A store in this folder, which is made if need be."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # its time says when it was last used: what no longer is can be freed

    def keys(self) -> set[str]:
        """What is done."""
        return {key for file in self._files() for key in pq.read_table(file, columns=["key"])["key"].to_pylist()}

    def add(self, keys: Sequence[str], columns: dict[str, Column]) -> None:
        """Keep a batch, whole or not at all."""
        self._write(pa.table({"key": pa.array(keys, pa.string()), **{name: _arrow(c) for name, c in columns.items()}}))

    def _write(self, table: pa.Table) -> None:
        pending = self.folder / f"{PENDING}-{uuid4().hex}"
        with pending.open("wb") as stream:
            pq.write_table(table, stream)
            stream.flush()
            os.fsync(stream.fileno())
        pending.replace(self.folder / f"{uuid4().hex}.parquet")

    def forget(self, keys: Collection[str]) -> None:
        """Take these keys out, so that they are worked on again."""
        for file in self._files():
            table = pq.read_table(file)
            stays = [key not in keys for key in table["key"].to_pylist()]
            if not all(stays):
                self._write(table.filter(pa.array(stays)))
                file.unlink()

    def column(self, name: str, keys: Sequence[str]) -> np.ndarray:
        """One column of these keys, in their order: (n, dim), or n texts as objects; KeyError if one is not done."""
        tables = [pq.read_table(file, columns=["key", name]) for file in self._files()]
        done = (key for table in tables for key in table["key"].to_pylist())
        row_of = {key: row for row, key in enumerate(done)}
        wanted = [row_of[key] for key in keys]
        whole = pa.concat_tables(tables)[name].combine_chunks()
        if pa.types.is_fixed_size_list(whole.type):
            return whole.flatten().to_numpy().reshape(-1, whole.type.list_size)[wanted]
        return whole.to_numpy(zero_copy_only=False)[wanted]

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))


def _arrow(column: Column) -> pa.Array:
    if isinstance(column, np.ndarray):
        rows = np.ascontiguousarray(column)
        return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    return pa.array(column, pa.string())
