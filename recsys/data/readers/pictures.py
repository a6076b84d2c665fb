"""What readers of files share that have pictures beside them: the options, and the way from a folder to the items."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pydantic import Field

from recsys.data.images import MOST, attach_images
from recsys.data.options import MOST_PICTURES, Reading, SourceOptions
from recsys.data.picture_names import Matched, match_images
from recsys.data.quarantine import collect


class PictureOptions(SourceOptions):
    """Which pictures of an item are used.

    Attributes:
        pictures: so many of an item's pictures at most, the first ones in natural order.
        images_by: what says whose picture a file is, where its `name` is one item's id and its `folder` is called by
            another's; None finds out, and refuses what could be meant both ways.
    """

    pictures: int = Field(default=MOST, ge=1, le=MOST_PICTURES)
    images_by: Reading | None = None


class Pictured(NamedTuple):
    """Items with their pictures.

    Attributes:
        items: as from `attach_images`.
        quarantine: of the pictures that are not used.
        notes: what could have been meant otherwise and was decided.
    """

    items: pd.DataFrame
    quarantine: pd.DataFrame
    notes: tuple[str, ...] = ()


def pictures_from(
    items: pd.DataFrame, folder: Path, options: PictureOptions, listed: pd.Series | None = None
) -> Pictured:
    """Items with the pictures of a folder.

    Args:
        items: with `item_id`.
        folder: of the pictures.
        options: which of them are used.
        listed: paths of an item's pictures that are known otherwise, aligned with the items; they stand before those
            that names tell.
    """
    matched = match_images(items["item_id"], folder, options.images_by)
    paths, unused = matched.paths, matched.unused
    if listed is not None:
        both = zip(listed, paths, strict=True)
        paths = pd.Series([tuple(dict.fromkeys(known + named)) for known, named in both], paths.index, dtype="object")
        used = {path.relative_to(folder).as_posix() for of_item in listed for path in of_item}
        unused = unused[~unused["key"].isin(used)]
    return with_matched(items, replace(matched, paths=paths, unused=unused), options)


def with_matched(items: pd.DataFrame, matched: Matched, options: PictureOptions) -> Pictured:
    """Items with the pictures that were matched to them, by index; the others have none."""
    items, aside = attach_images(items, matched.paths.reindex(items.index), options.pictures)
    notes = tuple(f"images: {doubt}" for doubt in matched.doubts)
    return Pictured(items, collect([aside, matched.unused]), notes)
