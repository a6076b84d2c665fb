"""What a reader says of a folder that is in its layout, and how readers look at a folder's files."""

import codecs
import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST_BYTES = 65_536


@dataclass(frozen=True)
class Recognised:
    """A folder in the layout of a reader.

    Attributes:
        reader: its name.
        options: what the study says to it, beyond the folder.
        why: the files and headers that it was recognised by.
        feedback: what an interaction is, in words.
        min_rating: the least rating that is liked, on the layout's own scale; None where every row counts.
    """

    reader: str
    options: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    feedback: str = "every row"
    min_rating: float | None = None


def first_line(path: Path) -> str:
    """The first line of a text file, also of a compressed one; empty where there is none."""
    lines = first_lines(path, 1)
    return lines[0] if lines else ""


def first_lines(path: Path, n: int) -> list[str]:
    """At most `n` lines from the beginning of a text file, also of a compressed one; none where it cannot be read."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            start = file.read(FIRST_BYTES)
    except (OSError, EOFError, zlib.error):
        return []
    utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = start.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    lines = text.splitlines()
    whole = lines[:-1] if len(start) == FIRST_BYTES and len(lines) > 1 else lines
    return whole[:n]


def folder_of_images(folder: Path, names: Iterable[str]) -> str | None:
    """The first of the named folders, in whatever case, that stands in `folder`; `*` stands for any letters."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    for name in names:
        for path in folders:
            if Path(path.name.lower()).match(name):
                return path.name
    return None
