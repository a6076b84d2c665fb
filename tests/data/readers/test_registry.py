"""Readers are found by their place, in the library and in a user's own folder."""

from pathlib import Path

import pytest

from recsys.data.options import SourceOptions
from recsys.data.readers import registry
from recsys.study.dataset_spec import DatasetSource
from tests.orchestration.plugins import modalift, write

LIKES = """
    from pathlib import Path

    import pandas as pd

    from recsys.data.options import SourceOptions
    from recsys.data.raw import RawData


    class LikesOptions(SourceOptions):
        people: int


    def read(options: LikesOptions, folder: Path, workdir: Path) -> RawData:
        raise RuntimeError(f"read with {options.people} people")
"""
STUDY = """\
title: Likes
datasets:
  mine:
    source: {reader: likes, folder: ., people: 7}
    content: {text: {encoder: tfidf_svd}}
models: {TopPop: , AttributeItemKNN: }
"""


def test_files_that_readers_share_are_no_readers() -> None:
    assert {"market", "movielens", "table"} <= set(registry.names())
    assert not {"catalogue", "tables", "registry"} & set(registry.names())
    for name, reader in registry.load_all().items():
        assert issubclass(reader.options, SourceOptions), name
    assert set(registry.load_all()) == set(registry.names())


def test_a_reader_of_a_users_own_is_found_and_its_failure_names_it(tmp_path: Path) -> None:
    write(tmp_path, "readers/likes.py", LIKES)
    (tmp_path / "mine.yaml").write_text(STUDY, encoding="utf-8")
    said = modalift(tmp_path, "check", "mine")
    assert "read with 7 people" in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("x = 1\n", "holds no reader; write `read"),
        ("def read(options, folder, workdir):\n    return None\n", "annotated with a subclass of SourceOptions"),
        ("1 / 0\n", "plugins/readers/likes.py, line 1: cannot be imported: ZeroDivisionError"),
    ],
)
def test_a_file_that_is_no_reader_is_named_in_a_line(tmp_path: Path, code: str, line: str) -> None:
    write(tmp_path, "readers/likes.py", code)
    (tmp_path / "mine.yaml").write_text(STUDY, encoding="utf-8")
    said = modalift(tmp_path, "check", "mine")
    assert said.returncode != 0
    text = " ".join((said.stdout + said.stderr).split())
    assert line in text
    assert "Traceback" not in text


def test_a_source_is_its_whole_folder_unless_its_options_name_all_files(tmp_path: Path) -> None:
    (tmp_path / "posters").mkdir()
    (tmp_path / "buys.csv").touch()
    source = DatasetSource.model_validate
    assert source({"reader": "movielens", "posters": "posters"}).places(tmp_path) == [tmp_path]
    assert source({"reader": "table", "interactions": "buys.csv"}).places(tmp_path) == [tmp_path / "buys.csv"]
    assert source({"reader": "inter", "items": "buys.csv"}).places(tmp_path) == [tmp_path]
