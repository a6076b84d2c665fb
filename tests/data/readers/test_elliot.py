"""Elliot's files, with and without header, whole and split."""

from pathlib import Path

import pytest

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, quarantined, rows, write

ROWS = "1\t10\t4.0\t978300760\n1\t20\t1.0\t978302109\n2\t10\t\t978302110\n3\t20\n"


@pytest.mark.parametrize(
    ("header", "first"), [("", 1), ("userId\titemId\trating\ttimestamp\n", 2), ("u\ti\tr\tt\n", 2)]
)
def test_the_first_row_counts_unless_it_names_columns(tmp_path: Path, header: str, first: int) -> None:
    raw = read("elliot", {}, write(tmp_path, {"dataset.tsv": header + ROWS}), tmp_path)
    assert rows(raw, "rating", "timestamp") == [("1", "10", 4.0, 978300760), ("1", "20", 1.0, 978302109)]
    assert raw.interactions["row"].tolist() == [first, first + 1]
    assert sorted(row for _, row, *_ in quarantined(raw)) == [first + 2, first + 3]


def test_an_item_table_gives_titles(tmp_path: Path) -> None:
    items = "itemId\tname\n20\tTwenty\n10\tTen\n"
    write(tmp_path, {"dataset.tsv": ROWS, "items.tsv": items})
    raw = read("elliot", {"items": "items.tsv", "title_column": "name"}, tmp_path, tmp_path)
    assert column(raw, "title") == {"20": "Twenty", "10": "Ten"}


@pytest.mark.parametrize("valid", ["val.tsv", "validation.tsv", None])
def test_files_of_a_split_are_its_parts(tmp_path: Path, valid: str | None) -> None:
    names = {"train": "train.tsv", **({"valid": valid} if valid else {}), "test": "test.tsv"}
    write(tmp_path, {name: f"ann\t{part}\t5\n" for part, name in names.items()})
    raw = read("elliot", {}, tmp_path, tmp_path)
    assert rows(raw, "part") == [("ann", part, part) for part in names]
    assert "timestamp" not in raw.interactions


def test_two_columns_are_implicit_feedback(tmp_path: Path) -> None:
    raw = read("elliot", {}, write(tmp_path, {"dataset.tsv": "a\tb\na\tc\n"}), tmp_path)
    assert rows(raw) == [("a", "b"), ("a", "c")]
    assert "rating" not in raw.interactions


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("1\t2\t978300760\n1\t3\t978300761\n", "the third column is the rating in Elliot's files, but holds times"),
        ("1\t2\t3\t4\t5\n", "has 5 columns where Elliot's files have 2 to 4"),
    ],
)
def test_other_columns_are_refused_in_a_line(tmp_path: Path, content: str, line: str) -> None:
    write(tmp_path, {"dataset.tsv": content})
    with pytest.raises(UserError, match=line):
        read("elliot", {}, tmp_path, tmp_path)


def test_a_folder_without_its_files_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no dataset.tsv, nor a train.tsv and a test.tsv"):
        read("elliot", {}, tmp_path, tmp_path)


def test_it_is_recognised_by_files_of_two_to_four_fields(tmp_path: Path) -> None:
    write(tmp_path / "a", {"dataset.tsv": "".join(f"{n}\t1\t5\n" for n in range(30))})
    assert [(layout.reader, layout.feedback) for layout in recognise(tmp_path / "a")] == [
        ("elliot", "a row, with a rating")
    ]
    write(tmp_path / "b", {"dataset.tsv": "".join(f"{n}\tname\ttext here\n" for n in range(30))})
    assert recognise(tmp_path / "b") == []
