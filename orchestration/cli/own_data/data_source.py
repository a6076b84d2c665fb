"""Where the data come from: two tables whose columns are guessed, or a folder whose layout is known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from orchestration.cli.own_data import values
from orchestration.cli.own_data.guess import Given, Roles, guess
from orchestration.cli.own_data.losses import sign
from orchestration.cli.own_data.pictures import find_pictures
from orchestration.cli.own_data.places import common_folder, relative
from recsys.data.images import n_pictures
from recsys.data.options import Reading
from recsys.data.raw import RawData
from recsys.data.readers import read, recognise
from recsys.data.readers.catalogue import FileOptions
from recsys.data.readers.structured import LEFT_OUT
from recsys.data.readers.tables import Table, read_table
from recsys.errors import UserError
from recsys.wording import count

AS_FOUND = FileOptions()
_FEATURES = "_feat.npy"
_LOST = 0.5
"""Share of a file's rows that may be quarantined before anything is guessed of the rest."""

_NO_LOSS = ("the same ", "a further ")
"""How reasons begin of what is there already, or is more of it than is used."""


@dataclass(frozen=True)
class DataSource:
    """What a study says of where its data are, and what was read there.

    Attributes:
        options: of the study's `source`: reader, folder, and the reader's own.
        raw: what the reader gives.
        reasons: each guess and why, one line each; a warning begins with `!`.
        is_count: whether the ratings count actions.
        feedback: what the layout says that an interaction is; empty where it does not.
        min_rating: the layout's own threshold; None where it has none.
        features: content that comes as matrices beside the data, by source.
    """

    options: dict[str, Any]
    raw: RawData
    reasons: tuple[str, ...]
    is_count: bool = False
    feedback: str = ""
    min_rating: float | None = None
    features: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def from_tables(
    interactions: Path,
    items: Path,
    images: Path | None,
    given: Given,
    images_by: Reading | None = None,
    written: FileOptions = AS_FOUND,
) -> DataSource:
    """Read both tables and guess their columns; UserError where that cannot be done for sure.

    Args:
        interactions: who took what.
        items: what there is to take.
        images: a folder of pictures.
        given: columns that the user named.
        images_by: whose picture a file is.
        written: how both tables are written, as far as the user said it.
    """
    tables = [_table(interactions, "interactions", written), _table(items, "items", written)]
    numbered = any(note.startswith("no header") for note in tables[0].notes)
    frames = [values.flat(table.frame) for table in tables]
    try:
        _refuse_one_column(tables, written.delimiter)
        roles = guess(frames[0], frames[1], [str(interactions), str(items)], given, numbered)
    except UserError as error:
        nested = [(table.path, note) for table in tables for note in table.notes if note.startswith(LEFT_OUT)]
        further = "".join(f"; {path} has further columns, {note}" for path, note in nested)
        raise UserError(f"{error}{further}") from None
    folder = common_folder([interactions, items, *([images] if images else [])])
    pictures, said = find_pictures(roles, tables[1].frame, folder, images, images_by)
    options = {"interactions": relative(interactions, folder), "items": relative(items, folder)}
    options |= _columns(roles, set(map(str, frames[1]))) | pictures | written.model_dump(exclude_none=True)
    raw = _read("table", options, folder)
    return DataSource(
        {"reader": "table", "folder": str(folder), **options},
        raw,
        (*raw.notes, *roles.reasons, *said, *_read_and_quarantined(raw)),
        is_count=roles.is_count,
    )


def from_folder(folder: Path, layout: str | None) -> DataSource:
    """Read a folder in a published layout.

    Args:
        folder: as it was downloaded.
        layout: name of its reader, where the user said one.

    Raises:
        UserError: it is in no known layout, in several, or not in the one that was named.
    """
    found = [each for each in recognise(folder) if layout in (None, each.reader)]
    if not found:
        said = f"is not in the layout '{layout}'" if layout else "is in no known layout"
        raise UserError(f"{folder}: {said}; give its files with --interactions and --items")
    if len(found) > 1:
        shown = "; ".join(f"'{each.reader}' ({each.why})" for each in found)
        raise UserError(f"{folder}: is in several layouts: {shown}; name one with --layout")
    known = found[0]
    place = folder.absolute()
    raw = _read(known.reader, known.options, place)
    features = _features(place, raw) if known.reader == "mmrec" else {}
    matrices = [f"content: '{name}' from {content['file']}" for name, content in features.items()]
    return DataSource(
        {"reader": known.reader, "folder": str(place), **known.options},
        raw,
        (f"layout: {known.reader}, since {known.why}", *raw.notes, *matrices, *_read_and_quarantined(raw)),
        feedback=known.feedback,
        min_rating=known.min_rating,
        features=features,
    )


def _features(folder: Path, raw: RawData) -> dict[str, dict[str, Any]]:
    """Matrices of a folder that have a row for every item, whose ids are numbers of rows."""
    needed = int(pd.to_numeric(raw.items["item_id"]).max()) + 1
    found = {}
    for file in sorted(folder.glob(f"*{_FEATURES}")):
        try:
            shape = np.load(file, mmap_mode="r", allow_pickle=False).shape
        except (OSError, ValueError) as error:
            raise UserError(f"{file}: cannot be read ({error}); fix the file or take it away") from None
        if len(shape) == 2 and shape[0] >= needed:
            found[file.name.removesuffix(_FEATURES)] = {"encoder": "matrix_file", "file": file.name}
    return found


def _table(file: Path, what: str, written: FileOptions) -> Table:
    if not file.exists():
        raise UserError(f"{file}: there is no such file; --{what} takes a CSV, TSV, JSON lines or Parquet file")
    table = read_table(file, what, written.layout)
    out, rows = table.quarantine, len(table.frame) + len(table.quarantine)
    if len(out) > _LOST * rows:
        worst = out["reason"].value_counts().index[0]
        first = out[out["reason"] == worst].iloc[0]
        shown = f"line {first['row']}: {first['key']!r}"
        raise UserError(f"{file}: {len(out):,} of {rows:,} rows cannot be used: {worst} ({shown}); fix the file")
    if len(table.frame.columns) and not table.frame.notna().any(axis=None):
        raise UserError(f"{file}: holds no row; give a file with data")
    return table


def _refuse_one_column(tables: Sequence[Table], delimiter: str | None) -> None:
    """UserError for interactions of one column, and for a table that the delimiter of the other leaves with one."""
    for table, needed in zip(tables, (", where a person and an item are needed", ""), strict=True):
        columns = list(map(str, table.frame))
        if len(columns) > 1 or not (needed or delimiter):
            continue
        remedy = "if other characters separate its fields, name them with --delimiter"
        if delimiter:
            remedy = f"--delimiter {delimiter!r} does not separate it: name what does, or leave it out"
        raise UserError(f"{table.path}: has one column, {columns[0]!r}{needed}; {remedy}")


def _columns(roles: Roles, of_items: Collection[str]) -> dict[str, Any]:
    """Options that name the columns; where the items have a `title` or `text` that is neither, that is said too."""
    title = "" if roles.title is None and "title" in of_items else roles.title
    options = {
        "user_column": roles.user,
        "item_column": roles.item,
        "items_id_column": roles.key if roles.key != roles.item else None,
        "rating_column": roles.rating,
        "timestamp_column": roles.timestamp,
        "title_column": title,
        "text_columns": list(roles.text) if roles.text or "text" in of_items else None,
    }
    return {option: column for option, column in options.items() if column is not None}


def _read(reader: str, options: dict[str, Any], folder: Path) -> RawData:
    with TemporaryDirectory() as scratch:
        return read(reader, options, folder, Path(scratch))


def _read_and_quarantined(raw: RawData) -> Sequence[str]:
    kept = {"interactions": len(raw.interactions), "items": len(raw.items), "images": n_pictures(raw.items)}
    n_rows = raw.quarantine["table"].value_counts().add(pd.Series(kept), fill_value=0).to_dict()
    # What stands in parentheses tells one broken picture from another.
    reasons = raw.quarantine["reason"].str.replace(r" \(.*\)$", "", regex=True)
    groups = raw.quarantine.assign(reason=reasons).groupby(["table", "reason"], sort=False)
    return [f"read {len(raw.interactions):,} interactions and {len(raw.items):,} items"] + [
        f"{'' if str(reason).startswith(_NO_LOSS) else sign(len(rows), n_rows[table])}"
        f"quarantined {count(len(rows), str(table).removesuffix('s'))}: {reason}"
        for (table, reason), rows in sorted(groups, key=lambda group: -len(group[1]))
    ]
