"""Where the pictures of the items are: files named by id, or a column that names files."""

from pathlib import Path

import pandas as pd

from orchestration.cli.own_data import values
from orchestration.cli.own_data.guess import Roles
from orchestration.cli.own_data.places import relative
from recsys.data.ids import nearest_repair
from recsys.data.images import SUFFIXES, files_by_stem, match_images
from recsys.errors import UserError

_FEW = 0.5
"""Share of the items with a picture below which a person should know that most have none."""


def find_pictures(
    roles: Roles, items: pd.DataFrame, folder: Path, images: Path | None
) -> tuple[dict[str, str], list[str]]:
    """Options of the reader that find the pictures, and lines on what was found.

    Args:
        roles: the columns of the items by role.
        items: the items, as strings.
        folder: the source's.
        images: the folder of pictures that the user named; None where they named none.

    Raises:
        UserError: the folder that was named holds no picture of any item.
    """
    if images is None:
        return _named_by_column(roles, items, folder)
    ids = values.same_ids(items[roles.key]).drop_duplicates()
    paths, _ = match_images(ids, images)
    if matched := int(paths.notna().sum()):
        said = f"images: {matched:,} of {len(ids):,} items have a file named by their id in {images}"
        return {"images": relative(images, folder)}, [_warning(matched, len(ids)) + said]
    files = {file.name for file in files_by_stem(images).values()}
    for column in map(str, items):
        if matched := int(items[column].astype(str).isin(files).sum()):
            said = f"images: column '{column}' names files in {images} for {matched:,} of {len(ids):,} items"
            return {"image_column": column, "images": relative(images, folder)}, [_warning(matched, len(ids)) + said]
    raise UserError(
        f"{images}: no file is named by an item id (such as {ids.iloc[0]}.jpg) or in a column of the items "
        f"({_names(images, ids)}): rename them, or leave --images out"
    )


def _names(images: Path, ids: pd.Series) -> str:
    """How the pictures of a folder are named instead, and what would make their names ids."""
    by_stem = files_by_stem(images)
    if not by_stem:
        return f"no file of the kinds {', '.join(sorted(SUFFIXES))} is there"
    if near := nearest_repair(set(by_stem), set(ids)):
        return f"{by_stem[min(near[1])].relative_to(images)} would match without {near[0]}"
    return f"there is {by_stem[min(by_stem)].relative_to(images)}"


def _named_by_column(roles: Roles, items: pd.DataFrame, folder: Path) -> tuple[dict[str, str], list[str]]:
    if roles.image is None:
        return {}, []
    there = [name for name in items[roles.image].dropna().astype(str) if (folder / name).is_file()]
    if not there:
        return {}, [f"! image: '{roles.image}' names no file under {folder}, so it is not used; try --images DIR"]
    said = f"image: column '{roles.image}' names {len(there):,} files under {folder}"
    return {"image_column": roles.image}, [_warning(len(there), len(items)) + said]


def _warning(matched: int, n_items: int) -> str:
    return "! " if matched < _FEW * n_items else ""
