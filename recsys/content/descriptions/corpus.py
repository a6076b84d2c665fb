"""Description corpora that a user brings: what a vision-language model wrote about each item, as a table."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.decoding import SUFFIXES
from recsys.data.ids import normalised
from recsys.data.quarantine import collect, quarantine_of
from recsys.data.readers.tables import read_table
from recsys.errors import UserError, hint

ID_NAMES = ("itemid", "movieid", "asin", "parentasin", "id", "item", "imagename", "image", "filename")
TEXT_NAMES = ("answer", "text", "keywords", "description", "descriptions", "caption", "response", "output")


TABLE = "descriptions"
MAX_UNUSABLE = 0.1
"""With more rows than this that cannot be read, the file is written in another way than it is read."""
SUFFIX = rf"\.({'|'.join(suffix[1:] for suffix in sorted(SUFFIXES))})$"


@dataclass(frozen=True)
class Corpus:
    """Descriptions of items.

    Attributes:
        answers: `item_id` (unique) and `answer`, as the model gave it.
        quarantine: quarantined rows: `table`, `row` (of the file, the header being row 1), `key`, `reason`.
    """

    answers: pd.DataFrame
    quarantine: pd.DataFrame


def read_corpus(file: Path, *, id_column: str | None = None, text_column: str | None = None) -> Corpus:
    """Read a table of one answer an item, of any kind that `read_table` reads; of several answers the first is kept.

    Args:
        file: its columns are found by name (`item_id`, `Image Name`, ...; `text`, `Keywords`, ...) unless given.
        id_column: the column that names the item; an image's file name loses its extension.
        text_column: the column with the answer.

    Raises:
        UserError: the file cannot be read, or which of its columns are meant cannot be told.
    """
    if not file.is_file():
        raise UserError(f"{file}: there is no such file; give a CSV, JSON lines or Parquet file of descriptions")
    table = read_table(file, TABLE)
    if len(table.quarantine) > MAX_UNUSABLE * (len(table.frame) + len(table.quarantine)):
        row, reason = table.quarantine.loc[0, ["row", "reason"]]
        raise UserError(
            f"{file}: {len(table.quarantine)} of {len(table.quarantine) + len(table.frame)} rows cannot be used "
            f"(line {row}: {reason}); put answers with commas in quotes"
        )
    columns = [str(column) for column in table.frame]
    ids = _pick(file, columns, id_column, ID_NAMES, "id_column")
    text = _pick(file, [column for column in columns if column != ids], text_column, TEXT_NAMES, "text_column")
    names = table.frame[ids].astype("str").str.strip().str.replace(SUFFIX, "", regex=True, case=False)
    names = normalised(names).fillna("")
    answers = table.frame[text].map(_joined, na_action="ignore").fillna("").astype("str")
    nameless, empty = names == "", answers.str.strip() == ""
    repeated = names.where(~empty).duplicated()
    reasons = ["the item id is empty", "the answer is empty", "a second answer for this item; the first is kept"]
    reason = pd.Series(np.select([nameless, empty, repeated], reasons, default=""), index=names.index)
    kept = reason == ""
    aside = table.frame.assign(item_id=names)[~kept]
    quarantine = collect(
        [table.quarantine, quarantine_of(TABLE, aside, ("item_id",), reason[~kept].tolist(), table.rows)]
    )
    found = pd.DataFrame({"item_id": names[kept], "answer": answers[kept]}).reset_index(drop=True)
    return Corpus(found, quarantine)


def _joined(answer: object) -> str:
    return answer if isinstance(answer, str) else "\n".join(map(str, np.asarray(answer)))


def _pick(file: Path, columns: list[str], wanted: str | None, usual: tuple[str, ...], option: str) -> str:
    """The column asked for, else the first of the usual names, else the only one there is."""
    if wanted is not None:
        if wanted in columns:
            return wanted
        raise UserError(f"{file}: has no column '{wanted}', which {option} names{hint(wanted, columns)}")
    plain = {re.sub(r"[^a-z]", "", column.lower()): column for column in columns}
    for name in usual:
        if name in plain:
            return plain[name]
    if len(columns) == 1:
        return columns[0]
    raise UserError(f"{file}: cannot tell which column is meant; set {option} to one of: {', '.join(columns)}")
