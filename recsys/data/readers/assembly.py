"""What readers of published layouts share: from the columns of their tables to items, interactions and pictures."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.data.images import attach_images
from recsys.data.quarantine import collect
from recsys.data.raw import RawData
from recsys.data.readers.catalogue import is_list, usable_interactions, usable_items
from recsys.data.readers.pictures import Pictured, PictureOptions, pictures_from
from recsys.data.readers.recognition import folder_of_images
from recsys.data.readers.tables import Table
from recsys.errors import UserError

IMAGES = ("images", "posters", "covers", "photos", "pictures", "*_images", "*_posters", "*_covers")
"""Folders in which pictures stand beside a dataset, as people call them."""


class PicturedOptions(PictureOptions):
    """Options of a layout whose items may have pictures.

    Attributes:
        images: folder of pictures called by item ids, such as `images/1.jpg`; None looks for `images`, `posters`,
            `covers`, `photos` and the like.
    """

    images: str | None = None


def columns(table: Table, needed: Mapping[str, str], optional: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Columns of a table under standard names.

    Args:
        table: what was read.
        needed: the table's column for each standard name; UserError where the table lacks one.
        optional: likewise, for columns that are left out where the table lacks them.
    """
    table.need(list(needed.values()))
    there = {name: column for name, column in (optional or {}).items() if column in table.frame}
    found = {name: table.frame[column] for name, column in {**needed, **there}.items()}
    return pd.DataFrame(found, index=table.frame.index)


def interactions_of(frame: pd.DataFrame, items: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interactions that can be used, and the quarantine.

    Args:
        frame: strings `user_id`, `item_id`, perhaps `rating`, `timestamp` and `part`, and `row`, the line of each.
        items: as from `items_of`: interactions of other items are quarantined; None where every id is an item.
    """
    assert "row" in frame, "a row that is quarantined is named by its line"
    return usable_interactions(frame, None if items is None else items["item_id"])


def items_of(frame: pd.DataFrame, rows: pd.Series | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items with an id, each once, and the quarantine; `title` and `text` are None where `frame` has none.

    Args:
        frame: strings `item_id`, perhaps `title` and `text`, and attributes.
        rows: the line of each, with the index of `frame`.
    """
    missing = {name: None for name in ("title", "text", "image_path") if name not in frame}
    return usable_items(frame.assign(**missing), rows)


def items_in(interactions: pd.DataFrame) -> pd.DataFrame:
    """The items of interactions, of which nothing is known but the id."""
    items, _ = items_of(pd.DataFrame({"item_id": interactions["item_id"].unique()}))
    return items


def assemble(
    items: pd.DataFrame,
    interactions: pd.DataFrame,
    quarantine: Sequence[pd.DataFrame],
    pictures: tuple[Path, PicturedOptions | None],
    notes: Sequence[str] = (),
    listed: pd.Series | None = None,
) -> RawData:
    """The source as a whole.

    Args:
        items: as from `items_of`.
        interactions: as from `interactions_of`.
        quarantine: of every step so far.
        pictures: the source's folder, and the options that say which pictures are used; None: those of a usual folder.
        notes: what was found out about the files.
        listed: pictures that the files list (see `pictures_from`).
    """
    folder, options = pictures[0], pictures[1] or PicturedOptions()
    items, out_images, more = with_pictures(items, folder, options.images, options, listed)
    return RawData(items, interactions, collect([*quarantine, out_images]), notes=(*notes, *more))


def with_pictures(
    items: pd.DataFrame, folder: Path, given: str | None, options: PictureOptions, listed: pd.Series | None = None
) -> Pictured:
    """Items with the pictures of the folder that an option names, or of a usual one."""
    place = images_folder(folder, given)
    if place is None:
        return Pictured(*attach_images(items, pd.Series(None, index=items.index, dtype="object")))
    return pictures_from(items, place, options, listed)


def images_folder(folder: Path, given: str | None) -> Path | None:
    """The folder of pictures that an option names, or one with a usual name; None where there is none."""
    if given and not (folder / given).is_dir():
        raise UserError(f"{folder / given}: there is no such folder; put it there or leave the option 'images' out")
    name = given or folder_of_images(folder, IMAGES)
    return folder / name if name else None


def text_of(cell: Any) -> str | None:
    """A cell as text: a list's strings a line each, HTML entities as letters; None where nothing is said."""
    parts = cell if is_list(cell) else [cell]
    said = [html.unescape(part).strip() for part in parts if isinstance(part, str)]
    return "\n".join(part for part in said if part) or None


def joined_text(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """The named columns, those that there are, as one text per row (see `text_of`); None where all are empty."""
    texts = [[text_of(cell) for cell in frame[name]] for name in names if name in frame]
    rows = zip(*texts, strict=True) if texts else ([] for _ in range(len(frame)))
    return pd.Series(["\n".join(part for part in row if part) or None for row in rows], frame.index, dtype="object")
