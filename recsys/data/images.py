"""Pictures of items: how the item table holds them, and how those that can be used get into it.

`image_path` and `image_digest` are an item's first picture. Where any item has several, the table has two columns
more, with lists of the others; a table of one picture an item has no trace of them. `pictures_of` reads both. The
others are whole paths: only a first picture may be relative to the dataset's own folder, as those of the market are.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from recsys.data.inspection import inspect_all
from recsys.data.quarantine import named_aside

FURTHER_PATHS, FURTHER_DIGESTS = "further_image_paths", "further_image_digests"
PICTURE_COLUMNS = ("image_path", "image_digest", FURTHER_PATHS, FURTHER_DIGESTS)
MOST = 4
"""Pictures of an item that are used, unless a study says otherwise."""
FURTHER = "a further picture of an item, of which `pictures: {most}` are used"
AGAIN = "the same picture again"


class Picture(NamedTuple):
    """A picture file, and the digest of its bytes where that is known."""

    path: str
    digest: str | None


def pictures_of(items: pd.DataFrame) -> list[tuple[Picture, ...]]:
    """The pictures of each item of an item table, in their order; empty where it has none."""
    known: list[tuple[Picture, ...]] = [
        () if pd.isna(path) else (Picture(str(path), None if pd.isna(digest) else str(digest)),)
        for path, digest in zip(items["image_path"], items["image_digest"], strict=True)
    ]
    if FURTHER_PATHS not in items:
        return known
    further = zip(items[FURTHER_PATHS], items[FURTHER_DIGESTS], strict=True)
    more = [() if paths is None else tuple(map(Picture, paths, digests)) for paths, digests in further]
    return [first + others for first, others in zip(known, more, strict=True)]


def n_pictures(items: pd.DataFrame, most: int | None = None) -> int:
    """Pictures of all items together, of each so many at most; as many as items with one, where none has several."""
    return sum(len(of_item[:most]) for of_item in pictures_of(items))


def counts_of_pictures(items: pd.DataFrame) -> dict[str, int]:
    """Items with a picture, and all pictures where these are more."""
    with_image, n = n_pictures(items, 1), n_pictures(items)
    return {"with_image": with_image} | ({"pictures": n} if n > with_image else {})


def pictures_note(items: pd.DataFrame, most: int | None = None) -> str:
    """How many pictures there are beside the number of items that have any; empty where each has one."""
    n = n_pictures(items, most)
    return f"{n:,} pictures" if n > n_pictures(items, 1) else ""


def attach_images(items: pd.DataFrame, paths: pd.Series, most: int = MOST) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give items their images.

    Args:
        items: with `item_id`.
        paths: absolute paths aligned with `items`: one, or several in their order; None or NaN where an item has no
            image. A path at which there is nothing is none: not having an image is an ordinary case.
        most: so many of an item's pictures are used, the first.

    Returns:
        The items with their usable images (see the module), and the quarantine of the images that exist and cannot
        be used, have the bytes of another of the item's, or are more than `most`. It names an item's picture by the
        item, and by its file where there are several.
    """
    found = [[Path(path) for path in _listed(cell) if os.path.lexists(path)] for cell in paths]
    inspected = iter(inspect_all([path for cell in found for path in cell[:most]]))
    used: list[list[Picture]] = []
    aside: list[tuple[str, str]] = []
    for item, cell in zip(items["item_id"], found, strict=True):
        usable: dict[str, Picture] = {}
        for path in cell[:most]:
            seen = next(inspected)
            if seen.digest and seen.digest not in usable:
                usable[seen.digest] = Picture(str(path), seen.digest)
                continue
            reason = AGAIN if seen.digest else str(seen.problem)
            aside.append((f"{item} / {path.name}" if len(cell) > 1 else str(item), reason))
        used.append(list(usable.values()))
        aside += [(f"{item} / {path.name}", FURTHER.format(most=most)) for path in cell[most:]]
    attached = items.assign(
        image_path=_column(items, [cell[0].path if cell else None for cell in used]),
        image_digest=_column(items, [cell[0].digest if cell else None for cell in used]),
    )
    if any(len(cell) > 1 for cell in used):
        further = [cell[1:] for cell in used]
        attached[FURTHER_PATHS] = _column(items, [[each.path for each in cell] or None for cell in further])
        attached[FURTHER_DIGESTS] = _column(items, [[each.digest for each in cell] or None for cell in further])
    return attached, named_aside("images", aside)


def _listed(cell: object) -> Sequence[str | Path]:
    if isinstance(cell, str | Path):
        return (cell,)
    return cell if isinstance(cell, tuple | list) else ()


def _column(items: pd.DataFrame, values: Sequence[object]) -> pd.Series:
    return pd.Series(list(values), index=items.index, dtype="object")
