"""What readers of files share that have pictures beside them: the options, and the way from a folder to the items."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from recsys.data.images import MOST, attach_images
from recsys.data.options import SourceOptions
from recsys.data.picture_names import Reading, match_images
from recsys.data.quarantine import collect


class PictureOptions(SourceOptions):
    """Which pictures of an item are used.

    Attributes:
        pictures: so many of an item's pictures at most, the first ones in natural order.
        images_by: what says whose picture a file is, where its `name` is one item's id and its `folder` is called by
            another's; None finds out, and refuses what could be meant both ways.
    """

    pictures: int = Field(default=MOST, ge=1)
    images_by: Reading | None = None


def pictures_from(
    items: pd.DataFrame, folder: Path, options: PictureOptions, listed: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items with the pictures of a folder, and the quarantine.

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
    items, aside = attach_images(items, paths, options.pictures)
    return items, collect([aside, unused])
