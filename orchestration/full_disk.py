"""A full disk, which every library reports in words of its own: SQLite, SQLAlchemy and safetensors among them."""

import re
import shutil
from pathlib import Path

_FULL = re.compile(r"no space left on device|database or disk is full|disk quota exceeded", re.IGNORECASE)

_LEAST = 1.0
"""Megabytes."""


def full_disk(said: str, home: Path) -> str:
    """What to do about a full disk, in a line; empty where an error says something else.

    Args:
        said: by the error and those that it came from.
        home: the folder that everything is written to.
    """
    # SQLite that cannot write its journal says no more than that a read or write failed.
    is_full, may_be_full = _FULL.search(said), "disk i/o error" in said.lower()
    if not (is_full or may_be_full):
        return ""
    there = next(folder for folder in (home, *home.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free / 1e6
    if not is_full and free >= _LEAST:
        return ""
    return f"the disk of {home} is full ({free:.1f} MB free): free some and run the same command again"
