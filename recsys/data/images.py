"""Finding items' pictures: by the names of files, or by paths that a table gives; unusable ones are quarantined."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

from recsys.data.decoding import SUFFIXES, digest_of
from recsys.data.inspection import Inspection, inspect, inspect_all
from recsys.data.quarantine import collect, set_aside
from recsys.data.raw import QUARANTINE_COLUMNS
from recsys.errors import UserError

__all__ = ["SUFFIXES", "attach_images", "digest_of", "files_by_stem", "inspect", "match_images"]

NUMBERED = re.compile(r"(.+?)(?:[_-]\d{1,2}| ?\(\d{1,2}\))$")
"""How several pictures of one item are told apart: `12_0`, `12-1`, `12 (2)`."""
NO_ITEM = "picture is named by no item's id"
FURTHER = "a further picture of an item: the first by name is used"
ALMOST: dict[str, Callable[[str], str]] = {
    "its leading zeros": lambda name: name.lstrip("0"),
    "upper and lower case": str.casefold,
    "blanks and quotes": lambda name: name.strip(" \t'\""),
}
"""Differences between a file's name and an item's id that are said, and not repaired."""


def files_by_stem(folder: Path) -> dict[str, Path]:
    """The picture files of a folder and its subfolders by their names without suffix, composed (NFC).

    Of several files with one name the first counts, those in the folder itself before those in subfolders. Hidden
    files are passed over: macOS leaves some beside every picture that it copies.
    """
    return {stem: files[0] for stem, files in _by_stem(folder).items()}


def match_images(ids: pd.Series, folder: Path) -> tuple[pd.Series, pd.DataFrame]:
    """The picture of each item among the files of a folder and its subfolders, which are named by ids.

    An item takes the file whose name without suffix is its id, however its accents are composed; else the first of
    those that are its id and a number (`12_0.jpg`).

    Args:
        ids: of the items, strings, each once.
        folder: of the pictures.

    Returns:
        Paths aligned with `ids`, None where an item has none, and the quarantine of all other pictures: by
        file, with the nearest id where only zeros, case or blanks tell the two apart.
    """
    files = _by_stem(folder)
    wanted = {unicodedata.normalize("NFC", name): name for name in ids}
    taken: dict[str, Path] = {}
    further: list[Path] = []
    unknown: dict[str, list[Path]] = {}
    for stem in sorted(files, key=lambda name: (name not in wanted, name)):
        numbered = NUMBERED.match(stem)
        name = stem if stem in wanted else numbered[1] if numbered and numbered[1] in wanted else None
        if name is None:
            unknown[stem] = files[stem]
            continue
        rest = files[stem] if name in taken else files[stem][1:]
        taken.setdefault(name, files[stem][0])
        further += rest
    paths = [taken.get(unicodedata.normalize("NFC", name)) for name in ids]
    missing = [wanted[name] for name in wanted if name not in taken]
    rows = [(file.relative_to(folder).as_posix(), FURTHER) for file in further] + _unknown(unknown, missing, folder)
    cells = {"table": "images", "row": None, "key": [key for key, _ in rows], "reason": [reason for _, reason in rows]}
    aside = pd.DataFrame(cells, columns=list(QUARANTINE_COLUMNS)).astype({"row": "Int64"})
    return pd.Series(paths, index=ids.index, dtype="object"), collect([aside])


def attach_images(items: pd.DataFrame, paths: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give items their images.

    Args:
        items: with `item_id`.
        paths: absolute paths aligned with `items`; None or NaN where an item has no image. A path at which there
            is nothing is such an item too: not having an image is an ordinary case.

    Returns:
        The items with `image_path` and `image_digest`, both None where there is no usable image, and the
        quarantine of the images that exist and cannot be used.
    """
    found = [Path(path) if isinstance(path, (str, Path)) and os.path.exists(path) else None for path in paths]
    inspected = iter(inspect_all([path for path in found if path]))
    inspections = [next(inspected) if path else Inspection() for path in found]
    problems = _column(items, [seen.problem for seen in inspections])
    digests = _column(items, [seen.digest for seen in inspections])
    usable = _column(items, [str(path) for path in found]).where(digests.notna(), None)
    broken = items[problems.notna()]
    quarantine = set_aside("images", broken, ("item_id",), problems.dropna().tolist())
    return items.assign(image_path=usable, image_digest=digests), collect([quarantine])


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    found: list[tuple[int, Path]] = []

    def fail(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise UserError(f"image folder {folder}: {error.strerror}; name an existing folder or leave it out")

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        depth = len(Path(place).parts)
        found += [(depth, Path(place, name)) for name in names if not name.startswith(".") and _is_picture(name)]
    by_stem: dict[str, list[Path]] = {}
    for _, path in sorted(found):
        by_stem.setdefault(unicodedata.normalize("NFC", path.stem), []).append(path)
    return by_stem


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def _unknown(files: dict[str, list[Path]], missing: Sequence[str], folder: Path) -> list[tuple[str, str]]:
    """Files that belong to no item, with the item that they may have been meant for."""
    almost = {difference: _first_by(change, missing) for difference, change in ALMOST.items()}
    rows = []
    for stem, paths in files.items():
        near = {difference: ids.get(ALMOST[difference](stem)) for difference, ids in almost.items()}
        difference, item = next(((each, name) for each, name in near.items() if name), ("", None))
        for path in paths:
            key = path.relative_to(folder).as_posix()
            rows.append((f"{key} / {item}", f"{NO_ITEM}, but for {difference}") if item else (key, NO_ITEM))
    return rows


def _first_by(change: Callable[[str], str], names: Iterable[str]) -> dict[str, str]:
    return {change(name): name for name in reversed(list(names))}


def _column(items: pd.DataFrame, values: Sequence[str | None]) -> pd.Series:
    return pd.Series(values, index=items.index, dtype="object")
