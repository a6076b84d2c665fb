"""Whether the files of a version can be read: a full disk or a copy that broke off leaves files without their end.

Only what opening a file takes is read, so that a look at gigabytes costs moments.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open


def damaged(folder: Path) -> Path | None:
    """The first JSON, Parquet or safetensors file in a folder that is cut off or empty; None where all are whole.

    Raises:
        OSError: the system refuses to read, which says nothing of the file.
    """
    files = (file for file in sorted(folder.iterdir()) if file.suffix in _OPEN)
    return next((file for file in files if not _opens(file)), None)


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
