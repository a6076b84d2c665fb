"""What readers of files share: checked item tables and checked interactions."""

from os.path import normpath
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.decoding import SUFFIXES
from recsys.data.ids import nearest_repair, normalised, refuse_inexact, refuse_strangers
from recsys.data.images import FURTHER_DIGESTS, FURTHER_PATHS, attach_images
from recsys.data.options import SourceOptions
from recsys.data.quarantine import INTERACTION_KEY, RowFilter, collect
from recsys.data.readers.layout import Layout
from recsys.data.readers.pictures import Pictured, PictureOptions, pictures_from
from recsys.data.readers.tables import Table, existing, read_table
from recsys.data.times import to_times

TAKEN = "{} (column)"
"""Name of an attribute whose own name is a standard one, such as a column `text` beside another text."""

SEPARATORS = ("|", ";", ",")
"""What may stand between the files of a cell; only where each part ends like a picture."""

DECIMAL_COMMA = r"[-+]?[0-9]+,[0-9]{1,2}"
"""A number as half of Europe writes it."""


class FileOptions(SourceOptions):
    """How the source's delimited files are written; what is not said is found out by looking at them.

    Attributes:
        encoding: such as utf-8, utf-16 or cp1252.
        delimiter: what separates fields.
        header: whether the first row names the columns; without one they are numbered from 1.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None

    @property
    def layout(self) -> Layout:
        """These options as a layout."""
        return Layout(delimiter=self.delimiter, header=self.header, encoding=self.encoding)


class ItemTableOptions(FileOptions, PictureOptions):
    """Where a catalogue's item table and images stand.

    Attributes:
        items: file of the item table; without it the items are those of the interactions.
        item_column: the item's id, in the item table and in the interactions.
        title_column: a short name; without it a column `title`, where there is one; an empty name: there is none.
        text_columns: joined to the item's text, in this order; without them a column `text`, where there is one; an
            empty list: there are none.
        image_column: path of the image, or a list of several, relative to `images` where that is given, else to the
            source folder.
        images: folder of images, called by item ids where `image_column` is not given (see `match_images`).
    """

    items: str | None = None
    item_column: str = "item_id"
    title_column: str | None = None
    text_columns: tuple[str, ...] | None = None
    image_column: str | None = None
    images: str | None = None


def read_items(options: ItemTableOptions, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The item table that the options name, without images.

    Returns:
        Items (`item_id`, `title`, `text`, `image_path` where a column gives it, and every column but the id as an
        attribute under its own name, or under `TAKEN` where that is a standard one), the quarantine, and notes.
    """
    assert options.items is not None
    table = read_table(existing(folder, options.items, "items"), "items", options.layout)
    named = [options.title_column, *(options.text_columns or ()), options.image_column]
    table.need([options.item_column, *(column for column in named if column)])
    refuse_inexact(table.frame[options.item_column], table.path)
    items, notes = standard_items(
        table.frame, options.item_column, options.title_column, options.text_columns, options.image_column
    )
    items, quarantine = usable_items(items, table.rows)
    return items, collect([table.quarantine, quarantine]), noted(table, notes)


def standard_items(
    frame: pd.DataFrame, item: str, title: str | None, text: tuple[str, ...] | None, image: str | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A table of the user's columns as items with the standard columns, and notes on columns that were renamed.

    A column called `title` or `text` is the title or the text where nothing is said of these (None).
    """
    if title is None and "title" in frame and item != "title":
        title = "title"
    if text is None:
        text = ("text",) if "text" in frame and item != "text" else ()
    standard = {"item_id": (item,), "title": (title,), "text": text, "image_path": (image,)}
    standard |= {"image_digest": (), FURTHER_PATHS: (), FURTHER_DIGESTS: ()}
    rest = [name for name in map(str, frame) if name != item and (name,) != standard.get(name)]
    renamed = {name: TAKEN.format(name) for name in rest if name in standard}
    lists = {name for name in map(str, frame) if _holds_lists(frame[name])}
    plain = {
        name: frame[name].map(_as_text, na_action="ignore") if name in lists else frame[name]
        for name in map(str, frame)
    }
    items = frame[rest].rename(columns=renamed)
    items = items.assign(
        item_id=plain[item],
        title=plain[title] if title else None,
        text=joined(pd.DataFrame({name: plain[name] for name in text})) if text else None,
        image_path=frame[image] if image else None,
    )
    return items, tuple(f"column '{old}' is kept as the attribute '{new}'" for old, new in renamed.items())


def _holds_lists(column: pd.Series) -> bool:
    return column.dtype == object and any(is_list(value) for value in column)


def is_list(value: object) -> TypeGuard[list[Any] | np.ndarray]:
    """Whether a field of Parquet or JSON holds a list."""
    return isinstance(value, list | np.ndarray)


def _as_text(value: object) -> str | None:
    if is_list(value):
        return " ".join(str(one) for one in value if one is not None) or None
    return str(value)


def noted(table: Table, further: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What was found out about a file, with its name."""
    return tuple(f"{table.path.name}: {note}" for note in (*table.notes, *further))


def joined(columns: pd.DataFrame) -> pd.Series:
    """Text columns as one text per row, in the order of the columns; None where all of them are empty."""
    text = columns.fillna("").agg("\n".join, axis=1).str.strip()
    return text.mask(text == "", None)


def usable_items(items: pd.DataFrame, rows: pd.Series | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items with a normalised id, each once (the first row counts), and the quarantine of the rest.

    Args:
        items: `item_id` and any other columns.
        rows: where each stood in its file, with the index of `items`.
    """
    row_filter = RowFilter("items", items.assign(item_id=normalised(items["item_id"])), ("item_id",), rows)
    row_filter.reject(row_filter.kept["item_id"].isna(), "no item id")
    again = row_filter.kept.duplicated("item_id")
    if again.any():
        twice = row_filter.kept[row_filter.kept.duplicated("item_id", keep=False)].astype("str").duplicated()
        same = twice.reindex(row_filter.kept.index, fill_value=False)
        row_filter.reject(again & same, "the same row again")
        again = row_filter.kept.duplicated("item_id")
    row_filter.reject(again, "item id again: the first row was kept")
    return row_filter.kept.reset_index(drop=True), row_filter.quarantine()


def with_images(items: pd.DataFrame, options: ItemTableOptions, folder: Path) -> Pictured:
    """Items with their pictures, from the image column or from a folder of files called by ids."""
    if options.images and not options.image_column:
        return pictures_from(items, folder / options.images, options)
    place = folder / (options.images or "")
    paths = [tuple(place / name for name in named_pictures(cell)) for cell in items["image_path"]]
    pictured = attach_images(items, pd.Series(paths, index=items.index, dtype="object"), options.pictures)
    n_outside = sum(not Path(normpath(path)).is_relative_to(normpath(place)) for named in paths for path in named)
    note = f"pictures outside of {place}: {n_outside:,}; put them there, since a change elsewhere is not noticed"
    return Pictured(*pictured, notes=(note,) if n_outside else ())


def named_pictures(cell: object) -> list[str]:
    """The files that a cell names: a list of them, or one text in which they stand side by side (`a.jpg|b.jpg`)."""
    if is_list(cell):
        return [str(name) for name in cell if name is not None]
    if not isinstance(cell, str):
        return []
    for mark in SEPARATORS:
        parts = [part.strip() for part in cell.split(mark)]
        if len(parts) > 1 and all(part.lower().endswith(tuple(SUFFIXES)) for part in parts):
            return parts
    return [cell]


def usable_interactions(frame: pd.DataFrame, known: pd.Series | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interactions whose fields can be used.

    Args:
        frame: strings `user_id`, `item_id` and, where the source has them, `rating` and `timestamp` (see
            `recsys.data.times`), with `row`, where each stood in its file.
        known: normalised ids of the item table; None where there is none, so that every item id counts.

    Returns:
        Interactions with normalised ids, numeric `rating` and `timestamp` (datetime64[ns]; NaT where it cannot be
        read, which only a split by time needs), and the quarantine.

    Raises:
        UserError: no id of the interactions is one of the items.
    """
    frame, has_several = _single_values(frame)
    ids = {column: normalised(frame[column]) for column in INTERACTION_KEY}
    row_filter = RowFilter("interactions", frame.assign(**ids), INTERACTION_KEY, frame.get("row"))
    row_filter.reject(has_several, "several values in one field")
    row_filter.reject(row_filter.kept["user_id"].isna(), "no user id")
    row_filter.reject(row_filter.kept["item_id"].isna(), "no item id")
    if "rating" in frame:
        row_filter.kept = row_filter.kept.assign(rating=_numbers(row_filter.kept["rating"]))
        row_filter.reject(~np.isfinite(row_filter.kept["rating"]), "rating is not a number")
    if "timestamp" in frame:
        row_filter.kept = row_filter.kept.assign(timestamp=to_times(row_filter.kept["timestamp"]))
    if known is not None:
        refuse_strangers(row_filter.kept["item_id"], known)
        _reject_unknown(row_filter, known)
    return row_filter.kept.reset_index(drop=True), row_filter.quarantine()


def _single_values(frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The frame with the only value of each list, and which rows have a list of several."""
    has_several = np.zeros(len(frame), dtype=bool)
    for name in [name for name in frame if _holds_lists(frame[name])]:
        values = [list(value) if is_list(value) else [value] for value in frame[name]]
        has_several |= [len(value) > 1 for value in values]
        single = [value[0] if len(value) == 1 else None for value in values]
        frame = frame.assign(**{str(name): pd.Series(single, index=frame.index, dtype="object")})
    return frame, has_several


def _numbers(ratings: pd.Series) -> pd.Series:
    """Ratings as float64, `4,5` read as 4.5; NaN where one is no number."""
    try:
        numbers = pc.cast(pa.chunked_array(pa.array(ratings.astype("str"), pa.string())), pa.float64()).to_pandas()
        return numbers.set_axis(ratings.index)
    except pa.ArrowInvalid:
        numbers = pd.to_numeric(ratings, errors="coerce").astype("float64")
    unread = numbers.isna() & ratings.notna()
    if unread.any():
        written = ratings[unread].astype("str").str.strip()
        decimal = written.where(written.str.fullmatch(DECIMAL_COMMA)).str.replace(",", ".")
        numbers = numbers.fillna(pd.to_numeric(decimal, errors="coerce"))
    return numbers


def _reject_unknown(row_filter: RowFilter, known: pd.Series) -> None:
    strange = ~row_filter.kept["item_id"].isin(known)
    if not strange.any():
        return
    ids = set(row_filter.kept.loc[strange, "item_id"])
    if near := nearest_repair(ids, set(known)):
        repair, helped = near
        row_filter.reject(row_filter.kept["item_id"].isin(helped), f"unknown item, known without {repair}")
    row_filter.reject(~row_filter.kept["item_id"].isin(known), "unknown item")
