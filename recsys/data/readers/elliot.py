"""Elliot's tab-separated files: user, item, rating and time in this order, in one file or split into several.

`dataset.tsv` is the whole, or `train.tsv` and `test.tsv` with `val.tsv` (also `valid.tsv`, `validation.tsv`) are a
split. A first row is a header where it holds names (`userId`, `itemId`, `rating`, `timestamp`). Without the third
column every row counts; without the fourth there are no times. Items are those of the interactions, or of an item
table that the options name. Feature maps (`.tsv` of item and features) are not read.

Source: Vito Walter Anelli et al., Elliot: a Comprehensive and Rigorous Framework for Reproducible Recommender Systems
Evaluation, SIGIR 2021.
"""

from pathlib import Path

import pandas as pd

from recsys.data.quarantine import collect
from recsys.data.raw import RawData
from recsys.data.readers.assembly import interactions_of, items_in
from recsys.data.readers.catalogue import ItemTableOptions, noted, read_items, with_images
from recsys.data.readers.recognition import Recognised, first_line, first_lines
from recsys.data.readers.tables import Layout, Table, existing, read_table
from recsys.errors import UserError

COLUMNS = ("user_id", "item_id", "rating", "timestamp")
WHOLE = ("dataset.tsv",)
SPLIT = {"train": ("train.tsv",), "valid": ("val.tsv", "valid.tsv", "validation.tsv"), "test": ("test.tsv",)}
HEADERS = frozenset({"user", "userid", "uid", "item", "itemid", "iid", "rating", "timestamp", "time"})
FIRST_TIME = 100_000_000
"""No scale of ratings goes as far; in seconds it is 1973."""


class ElliotOptions(ItemTableOptions):
    """Options of Elliot's files, beside those of an item table.

    Attributes:
        file: the file of all interactions; None takes `dataset.tsv`, else the files of the split.
        item_column: the item's id in the item table.
        ratings: whether a third column is a rating; without, every row counts and the column is not read.
    """

    file: str | None = None
    item_column: str = "itemId"
    ratings: bool = True


def read(options: ElliotOptions, folder: Path, workdir: Path) -> RawData:
    """Read the interactions, their split, and the item table where the options name one."""
    frames, quarantine, notes = list[pd.DataFrame](), list[pd.DataFrame](), tuple[str, ...]()
    for part, path in _files(options, folder).items():
        table = read_table(path, path.name if part else "interactions", _layout(path))
        frame = _named(table, ratings=options.ratings)
        frames.append(frame.assign(part=part) if part else frame)
        quarantine.append(table.quarantine)
        notes += noted(table)
    known = None
    if options.items:
        known, out_items, more = read_items(options, folder)
        quarantine.insert(0, out_items)
        notes += more
    interactions, out_rows = interactions_of(pd.concat(frames, ignore_index=True), known)
    items = items_in(interactions) if known is None else known
    items, out_images, of_images = with_images(items, options, folder)
    return RawData(items, interactions, collect([*quarantine, out_rows, out_images]), notes=(*notes, *of_images))


def recognise(folder: Path) -> Recognised | None:
    """By `dataset.tsv`, or `train.tsv` and `test.tsv`, whose rows have two to four fields, ids first."""
    files = [folder / name for name in WHOLE] if (folder / WHOLE[0]).is_file() else _split(folder)
    if not files:
        return None
    for path in files:
        found = [line.split("\t") for line in first_lines(path, 20)[1:]]
        widths = {len(row) for row in found}
        if len(widths) != 1 or not widths <= {2, 3, 4} or not all(_is_number(row[2]) for row in found if row[2:]):
            return None
    names = ", ".join(path.name for path in files)
    header = "with a header" if _has_header(files[0]) else "without a header"
    rated = any(len(first_line(path).split("\t")) > 2 for path in files)
    why = f"{names} {'are' if len(files) > 1 else 'is'} tab-separated {header}, as Elliot's files"
    return Recognised("elliot", {}, why, "a row, with a rating" if rated else "every row")


def _files(options: ElliotOptions, folder: Path) -> dict[str, Path]:
    """Files by part; the part is empty where there is no split."""
    if options.file:
        return {"": existing(folder, options.file, "file")}
    if (folder / WHOLE[0]).is_file():
        return {"": folder / WHOLE[0]}
    if paths := _split(folder):
        parts = {name: part for part, names in SPLIT.items() for name in names}
        return {parts[path.name]: path for path in paths}
    raise UserError(f"{folder}: there is no dataset.tsv, nor a train.tsv and a test.tsv; set the option 'file'")


def _split(folder: Path) -> list[Path]:
    found = [next((folder / n for n in names if (folder / n).is_file()), None) for names in SPLIT.values()]
    return [path for path in found if path] if found[0] and found[2] else []


def _layout(path: Path) -> Layout:
    return Layout(delimiter="\t", header=_has_header(path), quoted=False)


def _has_header(path: Path) -> bool:
    """Whether the first row names columns: it holds a known name, or words where the next row has a rating."""
    first, *rest = [line.split("\t") for line in first_lines(path, 2)] or [[]]
    known = {cell.strip().lower().replace("_", "").partition(":")[0] for cell in first} & HEADERS
    third = [row[2] for row in (first, *rest) if len(row) > 2]
    return bool(known) or (len(third) == 2 and not _is_number(third[0]) and _is_number(third[1]))


def _named(table: Table, *, ratings: bool) -> pd.DataFrame:
    """The columns by their place, with `row`."""
    width = len(table.frame.columns)
    if not 2 <= width <= len(COLUMNS):
        raise UserError(
            f"{table.path}: has {width} columns where Elliot's files have 2 to 4 (user, item, rating, time); use the "
            "reader 'table' and name them"
        )
    frame = table.frame.set_axis(list(COLUMNS[:width]), axis=1)
    if ratings and width > 2 and (pd.to_numeric(frame["rating"], errors="coerce") >= FIRST_TIME).mean() > 0.5:
        raise UserError(
            f"{table.path}: the third column is the rating in Elliot's files, but holds times (such as "
            f"{frame['rating'].iloc[0]}); use the reader 'table' and name the columns"
        )
    return frame.drop(columns=[] if ratings else "rating", errors="ignore").assign(row=table.rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
