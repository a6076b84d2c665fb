"""Files of every kind are one table, or one line that says why they are none."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from recsys.data.readers.tables import read_table
from recsys.errors import UserError
from tests.data.readers.layout import HEADER, ROWS, bad_rows, cells, table, written


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz", "zstd", "zip"])
def test_compressed_files_are_read(tmp_path: Path, kind: str) -> None:
    plain = written(",", ROWS, HEADER).encode()
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("ratings.csv", plain)
            archive.writestr("__MACOSX/._ratings.csv", b"x")
    packed = {
        "gzip": lambda: gzip.compress(plain),
        "bz2": lambda: bz2.compress(plain),
        "xz": lambda: lzma.compress(plain),
        "zstd": lambda: pa.Codec("zstd").compress(plain, asbytes=True),
        "zip": buffer.getvalue,
    }[kind]()
    found = table(tmp_path, f"ratings.csv.{kind}", packed)
    assert cells(found) == ROWS
    assert found.notes[0].startswith("unpacked from")
    with pytest.raises(UserError, match=r"ratings\.csv\.\w+: (damaged|cannot be read)"):
        table(tmp_path, f"ratings.csv.{kind}", packed[: len(packed) // 2])


def test_a_zip_of_several_files_asks_which(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    with pytest.raises(UserError, match=r"a\.zip: 2 files in one zip; unpack it and name the file that is meant"):
        table(tmp_path, "a.zip", buffer.getvalue())


NAMES = [
    "row",
    "title",
    "text",
    "image_path",
    "part",
    "item_id",
    "user_id",
    "rating",
    "table",
    "c0",
    "number",
    "object",
]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_any_name_can_be_a_column(tmp_path: Path, suffix: str) -> None:
    names = [*NAMES, "it's", 'a "b"', "a/b~c", "$.x", "select"]
    row = [f"v{place}" for place in range(len(names))]
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        parquet.write_table(pa.table({name: [value] for name, value in zip(names, row, strict=True)}), path)
    elif suffix == ".jsonl":
        path.write_text(json.dumps(dict(zip(names, row, strict=True))), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([names, row])
    found = read_table(path, "items")
    assert found.frame[names].to_numpy().tolist() == [row]


JSON_LINES = [
    '{"id": 1, "t": "a", "f": ["x", "y"], "s": {"q": 1}, "im": [{"u": 1}], "when": "2020-01-02T00:00:00.250Z"}',
    "broken",
    "",
    '{"id": 12345678901234567890, "t": null, "f": [], "z": "00012"}',
    '["no object"]',
    "{'id': 3, 't': \"It's\"}",
]


def test_json_lines_keep_lists_and_text_as_written(tmp_path: Path) -> None:
    found = table(tmp_path, "a.jsonl", "\n".join(JSON_LINES))
    assert set(found.frame) == {"id", "t", "f", "when", "z"}
    assert found.frame["id"].tolist() == ["1", "12345678901234567890", "3"]
    assert found.frame["t"].tolist()[::2] == ["a", "It's"]
    assert list(found.frame["f"][0]) == ["x", "y"]
    assert (found.frame["when"][0], found.frame["z"][1]) == ("2020-01-02T00:00:00.250Z", "00012")
    assert found.rows.tolist() == [1, 4, 6]
    assert bad_rows(found) == [(2, "it is not a JSON object"), (5, "it is not a JSON object")]
    assert found.notes == ("left out, since their values are no text: im, s",)


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "reviews.txt"])
def test_a_list_of_objects_is_read_too(tmp_path: Path, name: str) -> None:
    content = json.dumps([{"id": 1, "t": "a"}, {"id": 2, "t": "é"}]).encode()
    found = table(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
    assert cells(found) == [["1", "a"], ["2", "é"]]


@pytest.mark.parametrize("whole", ["[{}, {}]", "{}\n{}\n"])
def test_half_a_letter_in_json_costs_that_letter(tmp_path: Path, whole: str) -> None:
    first = '{"id": "\\ud83d\\ude00 \\\\ud83d", "t": "a\\ud83d"}'
    found = table(
        tmp_path, "a.json", whole.replace("{}", first, 1).replace("{}", '{"id": "2", "t": "\\ude00\\u00e9"}')
    )
    assert cells(found) == [["\U0001f600 \\ud83d", "a\ufffd"], ["2", "\ufffdé"]]
    found = table(tmp_path, "b.json", "{'id': 1, 't': 'a\\ud83d'}\n")
    assert cells(found) == [["1", "a\ufffd"]]


@pytest.mark.parametrize("content", ['{{"a": 1}}', "{[1]: 2}", "{'a': {1, 2}}", "{'a': b'x'}"])
def test_a_dictionary_that_python_cannot_make_or_json_cannot_hold_is_one_line(tmp_path: Path, content: str) -> None:
    found = table(tmp_path, "a.jsonl", f'{{"id": 1}}\n{content}\n')
    assert cells(found) == [["1"]]
    assert bad_rows(found) == [(2, "it is not a JSON object")]


@pytest.mark.parametrize("twice", ["rating", "Rating"])
def test_parquet_columns_of_one_name_are_refused(tmp_path: Path, twice: str) -> None:
    parquet.write_table(pa.table([["u"], ["1"], ["2"]], names=["user_id", "rating", twice]), tmp_path / "a.parquet")
    with pytest.raises(
        UserError, match=f"a.parquet: two columns have the same name '{twice}', case aside; rename one"
    ):
        read_table(tmp_path / "a.parquet", "items")


def test_parquet_columns_of_all_kinds(tmp_path: Path) -> None:
    made = pa.table(
        {
            "id": pa.array([1.0, 2.0, None]),
            "big": pa.array([2**53 + 1, 1, 2]),
            "tags": [["a", "b"], None, ["c"]],
            "struct": [{"a": 1}] * 3,
            "bytes": [b"x"] * 3,
            "vector": [[0.1, 0.2]] * 3,
            "kind": pa.array(["u", "v", "u"]).dictionary_encode(),
            "when": pa.array([1_600_000_000_123_456] * 3, pa.timestamp("us", tz="UTC")),
            "price": pa.array([1, 2, 3], pa.decimal128(5, 2)),
            "stars": pa.array([4.5, 4.0, float("nan")], pa.float32()),
        }
    )
    parquet.write_table(made, tmp_path / "a.parquet")
    found = read_table(tmp_path / "a.parquet", "items")
    assert list(found.frame) == ["id", "big", "tags", "kind", "when", "price", "stars"]
    assert found.notes == ("left out, since their values are no text: struct, bytes, vector",)
    assert found.frame["id"].dropna().tolist() == ["1", "2"]
    assert found.frame["big"][0] == "9007199254740993"
    assert list(found.frame["tags"][0]) == ["a", "b"]
    assert found.frame[["kind", "when", "price", "stars"]].to_numpy()[0].tolist() == [
        "u",
        "2020-09-13 12:26:40.123456+00",
        "1.00",
        "4.5",
    ]
    assert found.frame["stars"].isna().tolist() == [False, False, True]
    assert found.rows.tolist() == [1, 2, 3]


def test_an_index_that_pandas_keeps_as_a_range_is_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"title": ["a", "b", "c"]}, index=pd.RangeIndex(4, 10, 2, name="item_id"))
    frame.to_parquet(tmp_path / "a.parquet")
    frame.rename_axis(None).to_parquet(tmp_path / "b.parquet")
    assert read_table(tmp_path / "a.parquet", "items").frame.to_dict("list") == {
        "title": ["a", "b", "c"],
        "item_id": ["4", "6", "8"],
    }
    assert list(read_table(tmp_path / "b.parquet", "items").frame) == ["title"]


def test_a_folder_of_part_files_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "r.parquet"
    for day in ("2020-01-01", "2020-01-02"):
        (folder / f"day={day}").mkdir(parents=True)
        parquet.write_table(pa.table({"id": [1, 2]}), folder / f"day={day}" / "part-0.parquet")
    (folder / "_SUCCESS").write_text("")
    found = read_table(folder, "items")
    assert cells(found) == [["1", "2020-01-01"], ["2", "2020-01-01"], ["1", "2020-01-02"], ["2", "2020-01-02"]]
    assert found.notes == ("2 part files; rows are numbered within each",)


def test_part_files_of_csv_have_one_header_or_none(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "part-0.csv").write_text("1,2\n3,4\n")
    (folder / "part-1.csv").write_text("5,x\n6,7,8\n")
    (folder / "part-2.csv").write_text("")
    found = read_table(folder, "items")
    assert cells(found) == [["1", "2"], ["3", "4"], ["5", "x"]]
    assert bad_rows(found) == [(2, "3 fields where there are columns: 2 (part-1.csv)")]
    (folder / "part-3.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(UserError, match=r"part-3\.csv: has other columns than part-0\.csv"):
        read_table(folder, "items")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.csv", b"", "cannot be read (it is empty); fix or replace the file"),
        ("a.csv", b"\n\n", "cannot be read (it is empty); fix or replace the file"),
        ("a.csv", b"a,a\n1,2\n", "two columns have the same name 'a' in the header; rename one"),
        ("a.parquet", b"not parquet", "cannot be read ("),
        ("a.xlsx", b"PK", "is a workbook; save the table as CSV, JSON lines or Parquet"),
        ("a.pkl", b"x", "is a pickle, which could run any program; save"),
        ("a.jsonl", b"[]", "holds no JSON object; give one object per line, or a list of objects"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    with pytest.raises(UserError) as error:
        table(tmp_path, name, content)
    assert str(error.value).startswith(f"{tmp_path / name}: {line}")
    assert "\n" not in str(error.value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.tsv", "a.json", "a.parquet", "a.gz", "a.zip"])
)
def test_any_bytes_are_a_table_or_one_line(tmp_path: Path, content: bytes, name: str) -> None:
    try:
        found = table(tmp_path, name, content)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert len(found.rows) == len(found.frame)
