"""A file that lost its end is found by opening it, one that is gone by a list; what cannot be opened is neither."""

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from recsys.intact import FILES, damaged, list_files

NAMES = ("facts.json", "rows.parquet", "vectors.safetensors")


@pytest.fixture
def version(tmp_path: Path) -> Path:
    (tmp_path / "facts.json").write_text(json.dumps({"rows": [1] * 50}))
    pd.DataFrame({"row": range(200)}).to_parquet(tmp_path / "rows.parquet")
    save_file({"matrix": np.ones((20, 3))}, tmp_path / "vectors.safetensors")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").touch()
    list_files(tmp_path)
    return tmp_path


def test_whole_files_are_whole(version: Path) -> None:
    assert damaged(version) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lost", ["one byte", "most", "all"])
def test_a_file_without_its_end_is_named(version: Path, name: str, lost: str) -> None:
    content = (version / name).read_bytes()
    (version / name).write_bytes(content[: {"one byte": -1, "most": 20, "all": 0}[lost]])
    assert damaged(version) == version / name


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_nothing_but_zeros_is_named(version: Path, name: str) -> None:
    (version / name).write_bytes(bytes(500))  # what a power cut leaves where the length was written and the rest not
    assert damaged(version) == version / name


@pytest.mark.parametrize("name", [*NAMES, "pictures/1.jpg", FILES])
def test_a_file_that_is_gone_is_named(version: Path, name: str) -> None:
    (version / name).unlink()
    assert damaged(version) == version / name


def test_what_the_system_refuses_is_raised(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        damaged(version)
