"""Description corpora that a user brings: what a vision-language model wrote about each item, as a table."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.raw import QUARANTINE_COLUMNS
from recsys.errors import UserError

ID_NAMES = ("itemid", "movieid", "asin", "parentasin", "id", "item", "imagename", "image", "filename")
TEXT_NAMES = ("answer", "text", "keywords", "description", "descriptions", "caption", "response", "output")


@dataclass(frozen=True)
class Corpus:
    """Descriptions of items.

    Attributes:
        answers: `item_id` (unique) and `answer`, as the model gave it.
        quarantine: rows set aside: `table`, `row` (of the file, the header being row 1), `key`, `reason`.
    """

    answers: pd.DataFrame
    quarantine: pd.DataFrame


def read_corpus(file: Path, *, id_column: str | None = None, text_column: str | None = None) -> Corpus:
    """Read a CSV, TSV or Parquet file of one answer an item; of several answers for an item the first is kept.

    Args:
        file: its columns are found by name (`item_id`, `Image Name`, ...; `text`, `Keywords`, ...) unless given.
        id_column: the column that names the item; an image's file name loses its extension.
        text_column: the column with the answer.

    Raises:
        UserError: the file cannot be read, or which of its columns are meant cannot be told.
    """
    table = _read(file)
    columns = [str(column) for column in table]
    ids = _pick(file, columns, id_column, ID_NAMES, "id_column")
    text = _pick(file, [column for column in columns if column != ids], text_column, TEXT_NAMES, "text_column")
    names = table[ids].fillna("").str.strip().str.replace(r"\.(jpe?g|png|webp|gif)$", "", regex=True, case=False)
    answers = table[text].fillna("")
    nameless, empty = names == "", answers.str.strip() == ""
    repeated = names.where(~empty).duplicated()
    reasons = ["the item id is empty", "the answer is empty", "a second answer for this item; the first is kept"]
    reason = pd.Series(np.select([nameless, empty, repeated], reasons, default=""), index=table.index)
    kept = reason == ""
    aside = table.index[~kept]
    cells = ["descriptions"] * len(aside), aside + 2, names[aside], reason[aside]
    quarantine = pd.DataFrame(dict(zip(QUARANTINE_COLUMNS, cells, strict=True))).reset_index(drop=True)
    found = pd.DataFrame({"item_id": names[kept], "answer": answers[kept]}).reset_index(drop=True)
    return Corpus(found, quarantine)


def _read(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise UserError(f"{file}: there is no such file; give a CSV or Parquet file of descriptions")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file).astype("string").astype("object")
        separator = "\t" if file.suffix == ".tsv" else ","
        table = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:  # pandas' and Arrow's errors are ValueErrors
        first = str(error).strip().splitlines()[0]
        raise UserError(f"{file}: cannot be read ({first}); give UTF-8 CSV or Parquet with a header") from None
    if not isinstance(table.index, pd.RangeIndex):  # what pandas makes of rows longer than the header
        raise UserError(f"{file}: its rows have more cells than its header; put answers with commas in quotes")
    return table


def _pick(file: Path, columns: list[str], wanted: str | None, usual: tuple[str, ...], option: str) -> str:
    """The column asked for, else the first of the usual names, else the only one there is."""
    if wanted is not None:
        if wanted in columns:
            return wanted
        raise UserError(f"{file}: has no column '{wanted}' ({option}); it has: {', '.join(columns)}")
    plain = {re.sub(r"[^a-z]", "", column.lower()): column for column in columns}
    for name in usual:
        if name in plain:
            return plain[name]
    if len(columns) == 1:
        return columns[0]
    raise UserError(f"{file}: cannot tell which column is meant; set {option} to one of: {', '.join(columns)}")
