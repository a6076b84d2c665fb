"""What versions depend on outside the store."""

import os
from collections.abc import Iterator
from pathlib import Path

from recsys.fingerprints import fingerprint


def _visible(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names)


def signature(*places: Path) -> str:
    """Hash of files' and folders' names, sizes and times of change: cheap, and enough to see that data moved on.

    Hidden folders do not count: data kept in a checkout would change with every write to the home folder beside it.
    """
    files = [file for place in places for file in ([place] if place.is_file() else sorted(_visible(place)))]
    return fingerprint([[str(file), (stat := file.stat()).st_size, stat.st_mtime_ns] for file in files])
