"""Description files are read as users give them, and what cannot be used is set aside with a reason."""

import pandas as pd
import pytest

from recsys.content.descriptions import read_corpus
from recsys.errors import UserError


def write(tmp_path, text, name="keywords.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "movieId,text\n1,A car\n2,A dog\n"),
        ("a.csv", "\ufeffImage Name,Keywords\n1.jpg,A car\n2.PNG,A dog\n"),
        ("a.tsv", "item_id\tscore\tanswer\n1\t.5\tA car\n2\t.7\tA dog\n"),
        ("a.csv", "asin,whatever\n1,A car\n2,A dog\n"),
    ],
)
def test_columns_are_found_by_name(tmp_path, name, text):
    corpus = read_corpus(write(tmp_path, text, name))
    assert corpus.answers.to_dict("list") == {"item_id": ["1", "2"], "answer": ["A car", "A dog"]}
    assert corpus.quarantine.empty


def test_columns_can_be_given(tmp_path):
    path = write(tmp_path, "id,text,notes\n1,no,A car\n")
    corpus = read_corpus(path, id_column="id", text_column="notes")
    assert corpus.answers["answer"].tolist() == ["A car"]


def test_parquet_with_whole_numbers_as_ids(tmp_path):
    pd.DataFrame({"movieId": [7, 8], "text": ["A car", None]}).to_parquet(tmp_path / "a.parquet")
    corpus = read_corpus(tmp_path / "a.parquet")
    assert corpus.answers.to_dict("list") == {"item_id": ["7"], "answer": ["A car"]}
    assert corpus.quarantine["reason"].tolist() == ["the answer is empty"]


def test_what_cannot_be_used_is_set_aside(tmp_path):
    rows = ["movieId,text", "1,", '1,"A car, red"', "1,A dog", ",Nobody", "NA,A cat"]
    corpus = read_corpus(write(tmp_path, "\n".join(rows)))
    assert corpus.answers.to_dict("list") == {"item_id": ["1", "NA"], "answer": ["A car, red", "A cat"]}
    assert corpus.quarantine.to_dict("list") == {
        "table": ["descriptions"] * 3,
        "row": [2, 4, 5],
        "key": ["1", "1", ""],
        "reason": [
            "the answer is empty",
            "a second answer for this item; the first is kept",
            "the item id is empty",
        ],
    }


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "cannot be read (it is empty); fix or replace the file"),
        (
            "movieId,text\n1,Genre, Mood\n",
            {},
            "no row can be used: 1 of 1 rows have 3 fields where the header has 2 (line 2:",
        ),
        (
            "movieId,text\n1,a\n2,b, c\n",
            {},
            "1 of 2 rows cannot be used (line 3: 3 fields where the header has 2); put answers with commas in quotes",
        ),
        ("movieId,x,y\n1,a,b\n", {}, "cannot tell which column is meant; set text_column to one of: x, y"),
        ("movieId,x\n1,a\n", {"id_column": "asin"}, "has no column 'asin', which id_column names (known: movieId, x)"),
    ],
)
def test_mistakes_are_one_line(tmp_path, text, options, message):
    path = write(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_corpus(path, **options)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        UserError, match="there is no such file; give a CSV, JSON lines or Parquet file of descriptions"
    ):
        read_corpus(tmp_path / "none.csv")
