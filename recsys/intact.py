"""Whether the files of a version are there and can be read: full disks and broken copies cut files off or lose them.

Only what opening a file takes is read, so that a look at gigabytes costs moments.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

FILES = "files.json"
"""The names of all files of a version, relative to its folder."""


def list_files(folder: Path) -> None:
    """Write down which files a version has, as its last one."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    (folder / FILES).write_text(json.dumps(names, indent=1), encoding="utf-8")


def damaged(folder: Path) -> Path | None:
    """The first file of a version that is gone, or is JSON, Parquet or safetensors and cut off; None: all are whole.

    Raises:
        OSError: the system refuses to read, which says nothing of the file.
    """
    files = (file for file in sorted(folder.iterdir()) if file.suffix in _OPEN)
    return next((file for file in files if not _opens(file)), None) or _gone(folder)


def _gone(folder: Path) -> Path | None:
    listed = folder / FILES
    names = json.loads(listed.read_bytes()) if listed.is_file() else [FILES]
    return next((folder / name for name in names if not (folder / name).is_file()), None)


def _opens(file: Path) -> bool:
    try:
        _OPEN[file.suffix](file)
    except OSError as error:
        if error.errno is not None:
            raise
        return False  # pyarrow's, for a footer that makes no sense
    except (ValueError, SafetensorError):
        return False
    return True


def _safetensors(file: Path) -> None:
    with safe_open(file, framework="numpy"):
        pass


_OPEN: dict[str, Callable[[Path], Any]] = {
    ".json": lambda file: json.loads(file.read_bytes()),
    ".parquet": pq.read_metadata,
    ".safetensors": _safetensors,
}
