"""What readers of files share: checked item tables and checked interactions."""

from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.images import attach_images, match_images
from recsys.data.options import SourceOptions
from recsys.data.quarantine import INTERACTION_KEY, Sieve, collect
from recsys.data.raw import ITEM_COLUMNS, empty_quarantine
from recsys.data.readers.tables import existing, read_table


class ItemTableOptions(SourceOptions):
    """Where a catalogue's item table and images stand.

    Attributes:
        items: file of the item table; without it the items are those of the interactions.
        item_column: the item's id, in the item table and in the interactions.
        title_column: a short name.
        text_columns: joined to the item's text, in this order.
        image_column: path of the image, relative to `images` where that is given, else to the source folder.
        images: folder of images, named by item id where `image_column` is not given.
    """

    items: str | None = None
    item_column: str = "item_id"
    title_column: str | None = None
    text_columns: tuple[str, ...] = ()
    image_column: str | None = None
    images: str | None = None


def read_items(options: ItemTableOptions, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The item table that the options name, without images.

    Returns:
        Items (`item_id`, `title`, `text`, attributes, and `image_path` where a column gives it) and the
        quarantine. Columns that the options do not name become attributes under their own names.
    """
    assert options.items is not None
    table = read_table(existing(folder, options.items, "items"), "items")
    named = [options.title_column, *options.text_columns, options.image_column]
    used = [options.item_column, *(column for column in named if column)]
    table.need(used)
    frame = table.frame
    attributes = [name for name in frame if name not in {*used, *ITEM_COLUMNS}]
    items = frame[attributes].assign(
        item_id=frame[options.item_column],
        title=frame[options.title_column] if options.title_column else None,
        text=joined(frame[list(options.text_columns)]) if options.text_columns else None,
        image_path=frame[options.image_column] if options.image_column else None,
    )
    items, quarantine = usable_items(items)
    return items, collect([table.quarantine, quarantine])


def joined(columns: pd.DataFrame) -> pd.Series:
    """Text columns as one text a row, in the order of the columns; None where all of them are empty."""
    text = columns.fillna("").agg("\n".join, axis=1).str.strip()
    return text.mask(text == "", None)


def usable_items(items: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items with an id, each once (the first row counts), and the quarantine of the rest."""
    sieve = Sieve("items", items, ("item_id",))
    sieve.reject(sieve.kept["item_id"].isna(), "no item id")
    sieve.reject(sieve.kept.duplicated("item_id"), "item id again: the first row was kept")
    return sieve.kept.drop(columns="row", errors="ignore"), sieve.quarantine()


def with_images(items: pd.DataFrame, options: ItemTableOptions, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items with `image_path` and `image_digest`, from the image column or from a folder of files named by id."""
    unused = empty_quarantine()
    if options.image_column:
        given = items["image_path"]
        paths = given.map(lambda name: folder / (options.images or "") / name, na_action="ignore").astype("object")
    elif options.images:
        paths, unused = match_images(items["item_id"], folder / options.images)
    else:
        paths = pd.Series(None, index=items.index, dtype="object")
    items, broken = attach_images(items, paths)
    return items, collect([broken, unused])


def usable_interactions(frame: pd.DataFrame, known: pd.Series | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interactions whose fields can be used.

    Args:
        frame: strings `user_id`, `item_id` and, where the source has them, `rating` and `timestamp` (seconds
            since 1970, or a date and time as ISO 8601), with `row`.
        known: ids of the item table; None where there is none, so that every item id counts.

    Returns:
        Interactions with numeric `rating` and `timestamp`, and the quarantine.
    """
    sieve = Sieve("interactions", frame, INTERACTION_KEY)
    sieve.reject(sieve.kept["user_id"].isna(), "no user id")
    sieve.reject(sieve.kept["item_id"].isna(), "no item id")
    if "rating" in frame:
        sieve.kept = sieve.kept.assign(rating=pd.to_numeric(sieve.kept["rating"], errors="coerce").astype("float64"))
        sieve.reject(~np.isfinite(sieve.kept["rating"]), "rating is not a number")
    if "timestamp" in frame:
        sieve.kept = sieve.kept.assign(timestamp=_seconds(sieve.kept["timestamp"]))
        sieve.reject(~np.isfinite(sieve.kept["timestamp"]), "timestamp is neither seconds since 1970 nor a date")
        sieve.kept = sieve.kept.assign(timestamp=sieve.kept["timestamp"].astype("int64"))
    if known is not None:
        sieve.reject(~sieve.kept["item_id"].isin(known), "unknown item")
    return sieve.kept.reset_index(drop=True), sieve.quarantine()


def _seconds(stamps: pd.Series) -> pd.Series:
    seconds = pd.to_numeric(stamps, errors="coerce").astype("float64")
    unread = seconds.isna() & stamps.notna()
    if unread.any():
        dates = pd.to_datetime(stamps[unread], errors="coerce", utc=True, format="ISO8601")
        parsed = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
        seconds = seconds.mask(unread, parsed.reindex(seconds.index))
    return seconds
