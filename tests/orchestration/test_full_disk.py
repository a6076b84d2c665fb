"""A full disk, and a disk that fails while there is room."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from orchestration.full_disk import full_disk

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("said", "free", "full"),
    [
        ("[Errno 28] No space left on device", 5_000_000, True),
        ("(sqlite3.OperationalError) disk I/O error", 0, True),
        ("(sqlite3.OperationalError) disk I/O error", 5_000_000, False),
        ("the matrix is singular", 0, False),
    ],
)
def test_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, free: int, full: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(free, 0, free))
    line = full_disk(said, tmp_path / "home")
    remedy = f"is full ({free / 1e6:.1f} MB free): free some and run the same command again"
    assert line == (f"the disk of {tmp_path / 'home'} {remedy}" if full else "")
