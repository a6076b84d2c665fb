"""What versions depend on outside the store: the content of a user's files.

Content and not times, so that a reinstalled package or a `touch` recomputes nothing, and of weights and answers not
places either. A dataset counts by where its folder is, too, since it refers to pictures by path: in a moved folder it
is prepared anew, and what is made of it only where it came out otherwise. A page load signs every file of every study;
digests are therefore kept, and a file is read again only where its size, a time of it or its place on the disk has
changed: one copied with the times of another has a time of change (`st_ctime`) of its own.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from recsys.fingerprints import fingerprint
from recsys.store import sha256_of

TABLE = "CREATE TABLE IF NOT EXISTS file_digests (path TEXT PRIMARY KEY, state TEXT, digest TEXT)"
FIND = "SELECT digest FROM file_digests WHERE path = ? AND state = ?"
KEEP = "INSERT OR REPLACE INTO file_digests VALUES (?, ?, ?)"


def signature(kept: Path, *places: Path) -> str:
    """Hash of files' content, and of their names within the folders.

    Hidden folders do not count: data kept in a checkout would change with every write to the home folder beside it.

    Args:
        kept: the SQLite file of digests from before; without a place that can be written, none are kept.
        places: files and folders.
    """
    with closing(_open(kept)) as digests:
        signed, new = [], []
        for file, name in _named(places):
            try:
                known = (str(file), _state(file.stat()))
                found = digests.execute(FIND, known).fetchone()
                if found is None:
                    found = (sha256_of(file),)
                    new.append((*known, *found))
            except OSError:  # a dangling link or another person's file: the reader says what that means
                found = ("cannot be read",)
            signed.append([name, *found])
        if new:
            # In one short transaction at the end: other processes wait for this file while it is written.
            with suppress(sqlite3.OperationalError), digests:  # a home that can only be read keeps none
                digests.executemany(KEEP, new)
    return fingerprint(signed)


def _state(stat: os.stat_result) -> str:
    """What differs once another file is in the place of one, or other bytes are in it."""
    return f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _named(places: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Each file with the name that counts: what its reader goes by."""
    for place in places:
        if place.is_file():
            yield place, place.name
        else:
            yield from ((file, file.relative_to(place).as_posix()) for file in sorted(_visible(place)))


def _visible(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names)


def _open(kept: Path) -> sqlite3.Connection:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        digests = sqlite3.connect(kept, timeout=60)
        digests.execute(TABLE)
    except (OSError, sqlite3.Error):
        digests = sqlite3.connect(":memory:")
        digests.execute(TABLE)
    return digests
