"""Readers: files of a known layout to raw tables; a new one is a file here with options and a `read`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.data.market.reader import MarketOptions
from recsys.data.market.reader import read as read_market
from recsys.data.options import SourceOptions, parse
from recsys.data.raw import RawData
from recsys.data.readers import inter, movielens, table
from recsys.errors import UserError, nearest_name


@dataclass(frozen=True)
class Reader:
    """A reader: its options, its function (options, source folder, dataset folder), and whether it reads files."""

    options: type[SourceOptions]
    function: Callable[[Any, Path, Path], RawData]
    needs_folder: bool = True


READERS: dict[str, Reader] = {
    "inter": Reader(inter.InterOptions, inter.read),
    "market": Reader(MarketOptions, read_market, needs_folder=False),
    "movielens": Reader(movielens.MovieLensOptions, movielens.read),
    "table": Reader(table.TableOptions, table.read),
}


def find(reader: str) -> Reader:
    """The reader of this name; UserError proposes the nearest."""
    if reader in READERS:
        return READERS[reader]
    near = nearest_name(reader, READERS)
    hint = f"did you mean '{near}'?" if near else f"known: {', '.join(READERS)}"
    raise UserError(f"there is no reader '{reader}'; {hint}")


def parse_options(reader: str, options: dict[str, Any]) -> SourceOptions:
    """Options of a reader, checked without opening a file; UserError names the wrong key or value."""
    return parse(find(reader).options, reader, options)


def read(reader: str, options: dict[str, Any], folder: Path | None, workdir: Path) -> RawData:
    """Read a source.

    Args:
        reader: a name in `READERS`.
        options: what the study says about the source.
        folder: where the source's files stand; None for a source that is made, such as the market.
        workdir: an existing folder that belongs to the dataset, for files the reader makes.

    Returns:
        The source's tables; relative image paths are relative to `workdir`.

    Raises:
        UserError: an option is wrong, or a file or a column is missing or cannot be read.
    """
    parsed = parse_options(reader, options)
    source = find(reader)
    if not source.needs_folder:
        return source.function(parsed, workdir, workdir)
    if folder is None:
        raise UserError(f"reader '{reader}' reads files: set the dataset's folder")
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; put the files of reader '{reader}' there or name another")
    return source.function(parsed, folder.resolve(), workdir)
