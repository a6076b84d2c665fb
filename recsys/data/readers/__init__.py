"""Readers: files of a known layout to raw tables; a new one is a file here with options and a `read`."""

from pathlib import Path
from typing import Any

from recsys.data.options import parse
from recsys.data.raw import RawData
from recsys.data.readers import registry
from recsys.data.readers.recognition import Recognised
from recsys.errors import UserError

__all__ = ["Recognised", "read", "recognise"]


def read(reader: str, options: dict[str, Any], folder: Path | None, workdir: Path) -> RawData:
    """Read a source.

    Args:
        reader: its name: that of its file.
        options: what the study says about the source.
        folder: where the source's files stand; None for a source that is made, such as the market.
        workdir: an existing folder that belongs to the dataset, for files the reader makes.

    Returns:
        The source's tables; relative image paths are relative to `workdir`.

    Raises:
        UserError: an option is wrong, or a file or a column is missing or cannot be read.
    """
    source = registry.load(reader)
    parsed = parse(source.options, reader, options)
    if not parsed.reads_files:
        return source.function(parsed, workdir, workdir)
    if folder is None:
        raise UserError(f"reader '{reader}' reads files: set the dataset's folder")
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; put the files of reader '{reader}' there or name another")
    return source.function(parsed, folder.resolve(), workdir)


def recognise(folder: Path) -> list[Recognised]:
    """The layouts that a folder is in, by the names and headers of its files; empty where it is in none.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; name the one that the files were unpacked into")
    found = []
    for source in registry.load_all().values():
        look = getattr(source.module, "recognise", None)
        layout = look(folder) if look else None
        if layout is not None:
            found.append(layout)
    return found
