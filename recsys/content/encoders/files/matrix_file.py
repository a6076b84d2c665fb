"""Vectors that were made elsewhere: the feature files of published studies, or a user's own."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.files._readers import read_ids, read_matrix
from recsys.content.encoders.registry import register
from recsys.content.features import NOT_COMPUTABLE, Features
from recsys.errors import UserError


class MatrixFileOptions(EncoderOptions):
    """Options of `matrix_file`.

    Attributes:
        file: `.npy`, `.npz` or `.safetensors`, relative to the dataset's folder; a row for each item.
        key: name of the matrix in the file, where it holds several of two dimensions.
        ids_file: which item each row is: a text file of one id per line, or `.npy`. Without it the ids that
            the file itself holds count (an array `ids` or `item_ids`), and without those an item's id is its
            row number, as in the published `.inter` data.
    """

    file: str
    key: str | None = None
    ids_file: str | None = None


@register
class MatrixFile(Encoder):
    """Rows of a dense matrix."""

    Options = MatrixFileOptions
    modality: ClassVar[Modality] = "any"
    description = "vectors from a .npy, .npz or .safetensors file"
    quick = True
    licence = "that of the file"

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """The matrix's rows as float32; items without a row, or with one of zeros, are absent.

        So are those whose row cannot be computed with (see `recsys.content.features.computable`).
        """
        path, matrix, ids, where = self._read(context)
        if ids is not None and len(ids) != len(matrix):
            raise UserError(f"{where}: {len(ids)} ids for the {len(matrix)} rows of {path.name}; give one id per row")
        rows = _by_number(items["item_id"], matrix, path) if ids is None else _by_id(items["item_id"], ids, where)
        known = rows >= 0
        aligned = np.zeros((len(items), matrix.shape[1]), dtype=matrix.dtype)
        aligned[known] = matrix[rows[known]]
        features = Features.where(np.any(aligned, axis=1), aligned)
        if features.dropped and not features.present.any():
            raise UserError(
                f"{path}: no row can be used: {len(features.dropped):,} hold {NOT_COMPUTABLE}; scale the matrix, or "
                "fix what wrote it"
            )
        return features

    def width(self, folder: Path | None) -> int | None:
        """Columns of the matrix; UserError where it cannot be read."""
        _, matrix, _, _ = self._read(Context(folder))
        return matrix.shape[1]

    def remarks(self, items: pd.DataFrame, context: Context) -> list[str]:
        """Where ids are row numbers, rows that no item has, or an item table in another order: content may stand off.

        A row before the first or after the last item may belong to an item that cleaning left out, or be for padding,
        so that it is asked about and not refused. A first row of zeros or NaN before items from 1 on is padding.
        """
        path, matrix, ids, _ = self._read(context)
        if ids is not None or not len(items):
            return []
        numbers = pd.to_numeric(items["item_id"])
        first, last, n_rows = int(numbers.min()), int(numbers.max()), len(matrix)
        starts_late = first == 1 and bool(np.nan_to_num(matrix[0]).any())
        doubts = []
        if n_rows != last + 1 or starts_late:
            doubts.append(
                f"{path}: {n_rows:,} rows for {len(items):,} items of ids {first} to {last}; is row 0 item 0? If not, "
                "or if in doubt, name the rows in an `ids_file`"
            )
        if not context.listed_by_id:
            doubts.append(
                f"{path}: row 0 is taken for item 0, row 1 for item 1, and so on, but the item table lists them in "
                "another order; if the rows are in the order of the table, name them in an `ids_file`"
            )
        return doubts

    def _read(self, context: Context) -> tuple[Path, np.ndarray, list[str] | None, Path]:
        """The matrix and its file, the ids of its rows where they are named, and the file that names them."""
        path = context.find(self.options.file)
        matrix, ids = read_matrix(path, self.options.key)
        if self.options.ids_file is None:
            return path, matrix, ids, path
        where = context.find(self.options.ids_file)
        return path, matrix, read_ids(where), where


def _by_number(item_ids: pd.Series, matrix: np.ndarray, path: object) -> np.ndarray:
    wrong = item_ids[~item_ids.str.fullmatch("[0-9]{1,18}")]
    if len(wrong):
        raise UserError(f"{path}: item '{wrong.iloc[0]}' is no row number; name the rows in an `ids_file`")
    numbers = item_ids.astype("int64")
    if numbers.duplicated().any():
        same = item_ids[numbers == numbers[numbers.duplicated()].iloc[0]]
        raise UserError(
            f"{path}: items '{same.iloc[0]}' and '{same.iloc[1]}' are the same row number; name the rows in an "
            "`ids_file`"
        )
    if len(numbers) and numbers.max() >= len(matrix):
        item = item_ids.iloc[int(numbers.to_numpy().argmax())]
        raise UserError(
            f"{path}: has {len(matrix)} rows, and item '{item}' needs row {item}, counted from 0; "
            "give a row for each id from 0, or name the rows in an `ids_file`"
        )
    return numbers.to_numpy()


def _by_id(item_ids: pd.Series, ids: list[str], where: object) -> np.ndarray:
    row_of = {name: row for row, name in enumerate(ids)}
    if len(row_of) < len(ids):
        row = next(row for row, name in enumerate(ids) if row_of[name] != row)
        raise UserError(f"{where}: the id '{ids[row]}' of row {row} stands in row {row_of[ids[row]]} too; keep one")
    rows = item_ids.map(row_of).fillna(-1).to_numpy(dtype=np.int64)
    if not (rows >= 0).any():
        raise UserError(
            f"{where}: holds none of the items; its first id is '{(ids or [''])[0]}', an item's is "
            f"'{item_ids.iloc[0]}'; give the ids that the items have"
        )
    return rows
