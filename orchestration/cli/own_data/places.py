"""Paths as a study file has them: one folder, and files relative to it."""

import os
from collections.abc import Iterable
from pathlib import Path

from recsys.errors import UserError


def common_folder(paths: Iterable[Path]) -> Path:
    """The nearest folder that holds all of them; UserError where there is none, as on two drives."""
    given = [path.absolute() for path in paths]
    try:
        return Path(os.path.commonpath([path.parent for path in given]))
    except ValueError:
        shown = ", ".join(map(str, given))
        raise UserError(f"{shown}: have no folder in common; put the files of a dataset in one folder") from None


def relative(path: Path, folder: Path) -> str:
    """A path below a folder, as the folder's own files are named."""
    return path.absolute().relative_to(folder).as_posix()
