"""Where the pictures of the items are: files named by id, or a column that names files."""

from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.cli.own_data import values
from orchestration.cli.own_data.guess import Roles
from orchestration.cli.own_data.places import relative
from recsys.data.decoding import SUFFIXES
from recsys.data.ids import nearest_repair
from recsys.data.images import MOST
from recsys.data.options import Reading
from recsys.data.picture_names import files_by_stem, match_images, picture_files
from recsys.data.readers.catalogue import named_pictures
from recsys.errors import UserError

_FEW = 0.5
"""Share of the items with a picture below which a person should know that most have none."""


def find_pictures(
    roles: Roles, items: pd.DataFrame, folder: Path, images: Path | None, by: Reading | None
) -> tuple[dict[str, Any], list[str]]:
    """Options of the reader that find the pictures, and lines on what was found.

    Args:
        roles: the columns of the items by role.
        items: the items as they were read, lists as lists.
        folder: the source's.
        images: the folder of pictures that the user named; None where they named none.
        by: what says whose picture a file is, where the user said so.

    Raises:
        UserError: the folder that was named holds no picture of any item, or it can be read in two ways.
    """
    if images is None:
        return _named_by_column(roles, items, folder)
    ids = values.same_ids(items[roles.key]).drop_duplicates()
    found = match_images(ids, images, by)
    if matched := int(found.paths.map(bool).sum()):
        options: dict[str, Any] = {"images": relative(images, folder)} | ({"images_by": found.by} if found.by else {})
        said = f"images: {matched:,} of {len(ids):,} items have a file named by their id in {images}"
        more, several = _several(ids, found.paths, images)
        return options | more, [_warning(matched, len(ids)) + said, *several]
    files = {file.name: file for file in picture_files(images)}
    for column in map(str, items):
        named = items[column].map(named_pictures)
        paths = named.map(lambda names: tuple(files[name] for name in names if name in files))
        if matched := int(paths.map(bool).sum()):
            said = f"images: column '{column}' names files in {images} for {matched:,} of {len(ids):,} items"
            more, several = _several(items[roles.key], paths, images)
            options = {"image_column": column, "images": relative(images, folder)}
            return options | more, [_warning(matched, len(ids)) + said, *several]
    raise UserError(
        f"{images}: no file is named by an item id (such as {ids.iloc[0]}.jpg) or in a column of the items "
        f"({_names(images, ids)}): rename them, or leave --images out"
    )


def _several(ids: pd.Series, paths: pd.Series, folder: Path) -> tuple[dict[str, int], list[str]]:
    """How many pictures are used, where items have several, and a line on how many there are and in which order."""
    counts = paths.map(len)
    if counts.max() < 2:
        return {}, []
    most = int(counts.to_numpy().argmax())
    names = ", ".join(file.relative_to(folder).as_posix() for file in paths.iloc[most][:3])
    mean = counts.sum() / (counts > 0).sum()
    said = (
        f"pictures: {mean:.1f} an item, up to {counts.max()}; those of '{ids.iloc[most]}' are, in this order, {names}"
        f"{', ...' if counts.max() > 3 else ''}; the first {MOST} of each are used, and `pictures` changes that"
    )
    return {"pictures": MOST}, [said]


def _names(images: Path, ids: pd.Series) -> str:
    """How the pictures of a folder are named instead, and what would make their names ids."""
    by_stem = files_by_stem(images)
    if not by_stem:
        return f"no file of the kinds {', '.join(sorted(SUFFIXES))} is there"
    if near := nearest_repair(set(by_stem), set(ids)):
        return f"{by_stem[min(near[1])].relative_to(images)} would match without {near[0]}"
    return f"there is {by_stem[min(by_stem)].relative_to(images)}"


def _named_by_column(roles: Roles, items: pd.DataFrame, folder: Path) -> tuple[dict[str, Any], list[str]]:
    if roles.image is None:
        return {}, []
    named = items[roles.image].map(named_pictures)
    paths = named.map(lambda names: tuple(folder / name for name in names if (folder / name).is_file()))
    if not (n_files := int(paths.map(len).sum())):
        return {}, [f"! image: '{roles.image}' names no file under {folder}, so it is not used; try --images DIR"]
    said = f"image: column '{roles.image}' names {n_files:,} files under {folder}"
    more, several = _several(items[roles.key], paths, folder)
    n_items = int(paths.map(bool).sum())
    return {"image_column": roles.image} | more, [_warning(n_items, len(items)) + said, *several]


def _warning(matched: int, n_items: int) -> str:
    return "! " if matched < _FEW * n_items else ""
