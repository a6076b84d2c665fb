"""Whose picture a file is: by its own name or by that of its folder. The items' ids are the truth.

A shop keeps `12.jpg`, `12_1.jpg` and `12-front.jpg`, or `12/1.jpg`. What could be meant in two ways is decided for a
folder as a whole, by what can be seen in it, or refused; two names that nearly meet are said, and not joined.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recsys.data.decoding import SUFFIXES
from recsys.data.options import Reading
from recsys.data.quarantine import named_aside
from recsys.errors import UserError

VIEW = re.compile(r"[_-](?:\d{1,2}|0\d\d|(?P<word>[^\W\d_]+)(?:[_-]?\d{1,2})?)| ?\(\d{1,2}\)")
"""What stands behind the id to tell several pictures of an item apart: `_0`, `-01`, ` (2)`, `-front`, `_back2`."""
Pictures = Mapping[str, dict[str, list[Path]]]
"""By item and by what tells its pictures apart, the files that are called so."""
FEWEST = 2
"""Items behind whose ids a word must stand to be a view such as `front`, and no part of another item's id."""
NO_ITEM = "picture is named by no item's id"
SAME_NAME = "a further file of the same name: the first is used"
ALMOST: dict[str, Callable[[str], str]] = {
    "its leading zeros": lambda name: name.lstrip("0"),
    "upper and lower case": str.casefold,
    "blanks and quotes": lambda name: name.strip(" \t'\""),
}
"""Differences between a file's name and an item's id that are said, and not repaired."""


@dataclass(frozen=True)
class Matched:
    """Pictures by item.

    Attributes:
        paths: of each item, a tuple in natural order (`_2` before `_10`, and `12.jpg` before both); empty where it has
            none. Aligned with the ids.
        unused: the quarantine of all other pictures, by file; with the nearest id where only zeros, case or blanks
            tell the two apart.
        doubts: what could have been meant otherwise and was decided, a sentence each.
        by: what was found to say whose picture a file is; None where names and folders do not disagree.
    """

    paths: pd.Series
    unused: pd.DataFrame
    doubts: tuple[str, ...]
    by: Reading | None = None


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """What to sort names by so that numbers in them count by their value."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts if part)


def picture_files(folder: Path) -> list[Path]:
    """The picture files of a folder and its subfolders, those in the folder itself first, then by path.

    Hidden files are passed over: macOS leaves some beside every picture that it copies.
    """
    return _pictures(_walked(folder))


def _pictures(walked: Iterable[tuple[Path, bool]]) -> list[Path]:
    return [path for path, is_folder in walked if _is_picture(path.name) and not is_folder]


def _walked(folder: Path) -> list[tuple[Path, bool]]:
    """All files and folders below a folder that are not hidden, and which are folders."""
    found: list[tuple[int, Path, bool]] = []

    def fail(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise UserError(f"image folder {folder}: {error.strerror}; name an existing folder or leave it out")

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        depth = len(Path(place).parts)
        found += [(depth, Path(place, name), True) for name in folders]
        found += [(depth, Path(place, name), False) for name in names if not name.startswith(".")]
    return [(path, is_folder) for _, path, is_folder in sorted(found)]


def _no_pictures(walked: Iterable[tuple[Path, bool]], folder: Path, missing: Iterable[str]) -> Iterator[str]:
    """A sentence on what is called by the id of an item without a picture and is none, such as `12.svg`."""
    ids = {_composed(name) for name in missing}
    unread = [path for path, is_folder in walked if _is_picture(path.name) == is_folder and _stem(path) in ids]
    if unread:
        yield (
            f"not read, for files of pictures end in {', '.join(sorted(SUFFIXES))}: {len(unread):,} named by items "
            f"without a picture, such as {unread[0].relative_to(folder)}"
        )


def files_by_stem(folder: Path) -> dict[str, Path]:
    """The picture files of a folder by their names without suffix, composed (NFC); of one name the first counts."""
    return {_stem(path): path for path in reversed(picture_files(folder))}


def match_images(ids: pd.Series, folder: Path, by: Reading | None = None) -> Matched:
    """The pictures of each item among the files of a folder and its subfolders.

    A file whose name without suffix is an id belongs to that item, however its accents are composed; else one whose
    name is an id and a view (see `VIEW`), the longest such id; else one in a folder that is called by an id.

    Args:
        ids: of the items, strings, each once.
        folder: of the pictures.
        by: which of the two counts where a file is named like one item and its folder like another; None finds out.

    Raises:
        UserError: `by` is not given, and both could be meant.
    """
    wanted = {_composed(name): name for name in ids}
    walked = _walked(folder)
    files = _pictures(walked)
    named = _named({_stem(file) for file in files}, wanted)
    placed = {file: _item_folder(file.relative_to(folder), wanted) for file in files}
    contested = [file for file in files if placed[file] and named.get(_stem(file)) not in (None, placed[file])]
    by = by or (_reading(contested[0], files, named, placed, folder) if contested else None)
    pictures: Pictures = defaultdict(lambda: defaultdict(list))
    unknown: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        name, place = named.get(_stem(file)), None if by == "name" else placed[file]
        path = _composed(file.relative_to(folder).with_suffix("").as_posix())
        owners = [(place, path), (name, _stem(file))] if by == "folder" else [(name, _stem(file)), (place, path)]
        item, called = next(((owner, called) for owner, called in owners if owner), (None, _stem(file)))
        (unknown if item is None else pictures[item])[called].append(file)
    ordered = {
        item: sorted(of_item, key=lambda called: (called != item, natural(called), called))
        for item, of_item in pictures.items()
    }
    paths = [tuple(pictures[item][each][0] for each in ordered.get(item, ())) for item in map(_composed, ids)]
    again = [file for of_item in pictures.values() for alike in of_item.values() for file in alike[1:]]
    missing = [name for composed, name in wanted.items() if composed not in ordered]
    rows = [(file.relative_to(folder).as_posix(), SAME_NAME) for file in again]
    rows += _unknown(dict(sorted(unknown.items())), missing, folder)
    doubts = [
        *_of_other_items(pictures, wanted),
        *_contested(contested, by, folder),
        *_no_pictures(walked, folder, missing),
    ]
    return Matched(pd.Series(paths, index=ids.index, dtype="object"), named_aside("images", rows), tuple(doubts), by)


def _named(stems: Iterable[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The item that each name stands for, by its id alone or with a view; a word is a view behind several ids only."""
    views = {stem: view for stem in stems if stem not in wanted and (view := _view(stem, wanted))}
    behind: dict[str, set[str]] = defaultdict(set)
    for item, word in views.values():
        behind[word].add(item)
    seen = {stem: item for stem, (item, word) in views.items() if not word or len(behind[word]) >= FEWEST}
    return {stem: stem for stem in stems if stem in wanted} | seen


def _view(stem: str, wanted: Mapping[str, str]) -> tuple[str, str] | None:
    """The longest id that a name begins with where a view stands behind it, and that view's word if it has one."""
    for place in range(len(stem) - 1, 0, -1):
        if stem[place] in "_- (" and stem[:place] in wanted and (found := VIEW.fullmatch(stem, place)):
            return stem[:place], (found["word"] or "").casefold()
    return None


def _item_folder(file: Path, wanted: Mapping[str, str]) -> str | None:
    """The nearest folder of a file that is called by an id."""
    return next((name for each in file.parents if (name := _composed(each.name)) in wanted), None)


def _reading(
    doubtful: Path, files: Sequence[Path], named: Mapping[str, str], placed: Mapping[Path, str | None], folder: Path
) -> Reading:
    """Whether folders are items or only shelves: folders of items hold the same names again and again."""
    in_folders = [_stem(file) for file in files if placed[file]]
    names = [stem for stem in in_folders if stem in named]
    if len(set(names)) == len(names) == len(in_folders):
        return "name"
    if 2 * len(set(names)) <= len(names):
        return "folder"
    raise UserError(
        f"{folder}: {doubtful.relative_to(folder)} can be a picture of item '{named[_stem(doubtful)]}' by its name, "
        f"or of '{placed[doubtful]}' by its folder; set `images_by` (--images-by) to name or folder"
    )


def _of_other_items(pictures: Pictures, wanted: Mapping[str, str]) -> Iterator[str]:
    """Files named by an id that reads like another item's further picture, where that item has such pictures too."""
    both = [
        (item, view[0])
        for item in pictures
        if item in pictures[item] and (view := _view(item, wanted)) and set(pictures.get(view[0], ())) - {view[0]}
    ]
    if both:
        item, other = both[0]
        yield (
            f"items whose ids read like further pictures of another: {len(both):,}, such as '{item}' beside "
            f"'{other}'; {pictures[item][item][0].name} counts as a picture of '{item}'"
        )


def _contested(files: Sequence[Path], by: Reading | None, folder: Path) -> Iterator[str]:
    if files:
        yield (
            f"pictures named like one item in a folder named like another: {len(files):,}, such as "
            f"{files[0].relative_to(folder)}; the {by} counts, unless `images_by` says otherwise"
        )


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


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _stem(path: Path) -> str:
    return _composed(path.stem)


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES
