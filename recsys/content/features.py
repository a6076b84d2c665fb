"""Content as numbers: one row an item, and which items have any."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from recsys.errors import UserError

FEATURES = "features.safetensors"
"""The file of an embedding set."""
LARGEST, SMALLEST = 1e15, 1e-15
"""Sizes of numbers that can be computed with: models square them, add the squares up over rows and columns and divide
by the sums, and squares of larger ones overflow float32, those of smaller ones vanish."""
NOT_COMPUTABLE = f"NaN, an infinity, a number above {LARGEST:.0e} or none above {SMALLEST:.0e}".replace("e+", "e")
"""What a row that is dropped holds, in words."""


@dataclass(frozen=True)
class Features:
    """Vectors of a catalogue's items, in item order.

    Attributes:
        matrix: float32, shape (n_items, dim); rows of absent items are zero.
        present: bool, shape (n_items,); False where the item lacks this modality.
        dropped: items whose row could not be computed with (see `computable`), ascending; known where features are
            made, and not saved.
    """

    matrix: np.ndarray
    present: np.ndarray
    dropped: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse types and shapes that do not belong together, and values that are not numbers."""
        if self.matrix.dtype != np.float32 or self.present.dtype != np.bool_:
            raise UserError(
                f"features of type {self.matrix.dtype} with a mask of type {self.present.dtype}: "
                "expected float32 and bool"
            )
        if self.matrix.ndim != 2 or self.present.shape != (len(self.matrix),):
            raise UserError(
                f"features of shape {self.matrix.shape} with a mask of shape {self.present.shape}: "
                "expected (n_items, dim) and (n_items,)"
            )
        if not np.isfinite(self.matrix).all():
            row = int(np.flatnonzero(~np.isfinite(self.matrix).all(axis=1))[0])
            raise UserError(f"features hold a value that is not finite, first in row {row}: fix or drop that item")
        if self.matrix[~self.present].any():
            row = int(np.flatnonzero(~self.present & self.matrix.any(axis=1))[0])
            raise UserError(f"features hold values for an item marked absent, first in row {row}: set them to zero")

    @classmethod
    def where(cls, present: np.ndarray, matrix: np.ndarray) -> "Features":
        """Features of any numeric type as float32, with the rows of absent items set to zero.

        An item whose row cannot be computed with is absent too. One such row would otherwise decide the mean length of
        all, which `recsys.training.content` divides by, and leave no trace of the others.
        """
        fit = computable(matrix)
        rows, kept = np.zeros(matrix.shape, dtype=np.float32), present & fit
        rows[kept] = matrix[kept]
        return cls(rows, kept, tuple(np.flatnonzero(present & ~fit).tolist()))

    def checked(self) -> "Features":
        """The same, or those that `where` makes of them if it drops any row."""
        return self if computable(self.matrix).all() else Features.where(self.present, self.matrix)

    @property
    def dim(self) -> int:
        """Number of columns."""
        return self.matrix.shape[1]

    @property
    def tells_items_apart(self) -> bool:
        """Whether rows differ among the items that have this content."""
        rows = self.matrix[self.present]
        return len(rows) > 0 and bool((rows != rows[:1]).any())

    def keys(self) -> list[bytes | None]:
        """The bytes of each item's row, which tell whether two are the same; None where the item is absent."""
        rows = zip(self.matrix, self.present, strict=True)
        return [row.tobytes() if present else None for row, present in rows]

    @property
    def digest(self) -> str:
        """Hash of the values and the mask: item graphs and caches are keyed by it."""
        state = hashlib.blake2b(self.matrix.tobytes(), digest_size=16)
        state.update(self.present.tobytes())
        state.update(str(self.matrix.shape).encode())
        return state.hexdigest()

    def save(self, path: Path, item_ids: list[str]) -> None:
        """Write one safetensors file that names its items."""
        tensors = {"matrix": np.ascontiguousarray(self.matrix), "present": np.ascontiguousarray(self.present)}
        save_file(tensors, path, metadata={"item_ids": json.dumps(item_ids)})

    @classmethod
    def load(cls, path: Path) -> "Features":
        """Read what `save` wrote; the ids in it serve other programs, and `matrix_file`."""
        with safe_open(path, framework="numpy") as file:
            return cls(file.get_tensor("matrix"), file.get_tensor("present"))


def computable(matrix: np.ndarray) -> np.ndarray:
    """Whether all numbers of a row are finite, and its largest is of a size that float32 can square; bool, shape (n,).

    A row of zeros is, whatever it means.
    """
    above, below = (edge.astype(np.float64) for edge in (matrix.max(axis=1, initial=0), matrix.min(axis=1, initial=0)))
    largest = np.maximum(above, -below)
    return (largest == 0) | ((largest >= SMALLEST) & (largest <= LARGEST))


def of_one_width(first: Features, second: Features) -> list[np.ndarray]:
    """Two matrices of the same items with as many columns: features that no item has are a column of zeros."""
    width = max(first.dim, second.dim)
    return [np.broadcast_to(each.matrix, (len(each.present), width)) for each in (first, second)]


def mean_of_each(rows: np.ndarray, sizes: Sequence[int], *, unit: bool = False) -> np.ndarray:
    """A row for each item that has several: their mean. The one row of an item stays as it is, to the last bit.

    Args:
        rows: those of all items in their order, shape (sum of sizes, dim).
        sizes: how many each item has, one at least.
        unit: scale the several rows of an item to unit length first, and their mean after.
    """
    counts = np.asarray(sizes, dtype=np.int64)
    if not len(counts) or counts.max() == 1:
        return rows
    starts, several = np.cumsum(counts) - counts, counts > 1
    if unit:
        rows = np.where(np.repeat(several, counts)[:, None], unit_rows(rows), rows)
    weights = np.repeat(1 / counts, counts).astype(rows.dtype)
    means = np.add.reduceat(rows * weights[:, None], starts, axis=0)
    return np.where(several[:, None], unit_rows(means), means) if unit else means


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, so that an inner product is a cosine; those of nought stay so."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


Content = dict[str, Features]
"""What a model is shown: features by source (`text`, `image`, `descriptions`, ...); empty means interactions only."""


def source_shares(sources: Collection[str], image_weight: float) -> dict[str, float]:
    """What part each source has in a weighted sum of all; parts sum to one.

    Args:
        sources: their names.
        image_weight: of the image where exactly text and image are shown; otherwise sources weigh the same.
    """
    if set(sources) == {"text", "image"}:
        return {source: image_weight if source == "image" else 1 - image_weight for source in sources}
    return {source: 1 / len(sources) for source in sources}
