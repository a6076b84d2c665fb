"""Delimited text: how it is written is found and said, and a line that cannot be read has its number."""

import csv
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recsys.data.readers.layout import Layout
from recsys.data.readers.tables import read_table
from recsys.errors import UserError
from tests.data.readers.layout import HEADER, ROWS, bad_rows, cells, table, written


@pytest.mark.parametrize(
    ("name", "delimiter", "note"),
    [
        ("a.csv", ",", None),
        ("a.csv", ";", "separated by semicolons"),
        ("a.csv", "\t", "separated by tabs"),
        ("a.csv", "|", "separated by bars"),
        ("a.tsv", "\t", None),
        ("a.tsv", ",", "separated by commas"),
        ("a.inter", "\t", None),
        ("ratings.dat", "::", None),
        ("u.user", "|", "separated by bars"),
        ("train.txt", " ", "separated by blanks"),
    ],
)
@pytest.mark.parametrize("head", [HEADER, None])
def test_delimiters_and_headers_are_found_and_said(
    tmp_path: Path, name: str, delimiter: str, note: str | None, head: list[str] | None
) -> None:
    found = table(tmp_path, name, written(delimiter, ROWS, head))
    assert list(found.frame) == (head or ["1", "2", "3"])
    assert cells(found) == ROWS
    assert found.rows.tolist() == list(range(2 if head else 1, len(ROWS) + (2 if head else 1)))
    expected = [note] if note else []
    assert list(found.notes) == expected + ([] if head else ["no header: columns are numbered 1 to 3"])


@pytest.mark.parametrize(
    ("first", "below", "has_header"),
    [
        (["user", "item"], [["ann", "lamp"], ["bob", "chair"]], True),
        (["A1B", "B00X"], [["A2K", "B00Y"], ["A1B", "B00Z"]], False),
        (["id", "2019", "2020"], [["1", "5", "6"], ["2", "7", "8"]], True),
        (["1", "Toy Story (1995)", "", "0"], [["2", "Heat (1995)", "", "1"], ["3", "Nico", "", "0"]], False),
        (["196", "242", "881250949"], [["186", "302", "891717742"]], False),
        (["when", "what"], [["2020-01-01", "x"], ["2020-01-02", "y"]], True),
        (["2020-01-03", "z"], [["2020-01-01", "x"], ["2020-01-02", "y"]], False),
        (["", "item_id"], [["0", "5"], ["1", "6"]], True),
    ],
)
def test_a_first_row_like_those_below_is_no_header(
    tmp_path: Path, first: list[str], below: list[list[str]], has_header: bool
) -> None:
    found = table(tmp_path, "a.csv", written(",", [first, *below]))
    assert len(found.frame) == len(below) + (not has_header)
    assert ("no header" in " ".join(found.notes)) == (not has_header)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("0,1,2\n7,Oak,x\n8,Tent,y\n", 2),
        ("0,1,2,3\n5,7,4,1600000000\n6,8,5,1600000001\n", 2),
        ("0,1,2\n5,7,4\n6,8,5\n", 3),  # a person, an item and a rating as well
        ("0,1\n5,7\n6,8\n", 3),
        ("1,2,3,4\n5,7,4,1600000000\n", 2),
    ],
)
def test_a_first_row_that_counts_the_columns_is_no_row(tmp_path: Path, text: str, n: int) -> None:
    found = table(tmp_path, "a.csv", text)
    assert (len(found.frame), next(iter(found.frame))) == (n, "1")
    assert found.rows[n - 1] == text.count("\n")
    assert ("numbers the columns" in " ".join(found.notes)) == (n < text.count("\n"))


def test_what_the_options_say_outranks_what_is_found(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "1,2\n3,4\n", Layout(header=True))
    assert (list(found.frame), cells(found)) == (["1", "2"], [["3", "4"]])
    found = table(tmp_path, "a.csv", "user;item,x\n1;2,y\n", Layout(delimiter=",", header=False))
    assert cells(found) == [["user;item", "x"], ["1;2", "y"]]
    found = table(tmp_path, "u.user", "1|24|M\n2|53|F\n", Layout(delimiter="|", names=("user", "age", "sex")))
    assert (list(found.frame), len(found.frame)) == (["user", "age", "sex"], 2)


@pytest.mark.parametrize(
    ("text", "names", "first", "row"),
    [
        ("# made by x\nuser,item\n1,2\n# end\n3,4\n", ["user", "item"], ["1", "2"], 3),
        ("#user,item\n1,2\n3,4\n", ["user", "item"], ["1", "2"], 2),
        ("sep=;\nuser;item\n1;2\n3;4\n", ["user", "item"], ["1", "2"], 3),
        ("\n\nuser,item\n\n1,2\n3,4\n\n\n", ["user", "item"], ["1", "2"], 5),
        ("%%MatrixMarket matrix coordinate real general\n% by x\n9 9 2\n1 2\n3 4\n", ["1", "2"], ["1", "2"], 4),
    ],
)
def test_comments_and_empty_lines_are_no_rows(
    tmp_path: Path, text: str, names: list[str], first: list[str], row: int
) -> None:
    found = table(tmp_path, "a.csv", text)
    assert list(found.frame) == names
    assert cells(found) == [first, ["3", "4"]]
    assert found.rows[0] == row
    assert found.quarantine.empty


TITLES = ["id,title", "1,Café “noir”", "2,Ærø"]


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "read as utf-16"),
        ("utf-16-le", "read as utf-16-le"),
        ("utf-16-be", "read as utf-16-be"),
        ("utf-32", "read as utf-32"),
        ("cp1252", "read as cp1252, since it is not UTF-8"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_found_and_said(tmp_path: Path, encoding: str, note: str | None, end: str) -> None:
    found = table(tmp_path, "a.csv", (end.join(TITLES) + end).encode(encoding))
    assert cells(found) == [line.split(",") for line in TITLES[1:]]
    assert list(found.notes) == ([note] if note else []) + (["lines end with CR"] if end == "\r" else [])
    assert found.rows.tolist() == [2, 3]


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "cp1251", "euc_kr"])
def test_an_encoding_that_cannot_be_told_is_asked_for(tmp_path: Path, encoding: str) -> None:
    words = {
        "gb18030": "木椅橡木台灯",
        "shift_jis": "茶色の木の椅子",
        "cp1251": "деревянный стул",
        "euc_kr": "갈색나무의자",
    }
    content = f"id,title\n1,{words[encoding]}\n2,{words[encoding]}\n".encode(encoding)
    with pytest.raises(UserError, match=r"is not UTF-8, and its encoding cannot be detected; name it"):
        table(tmp_path, "a.csv", content)
    assert cells(table(tmp_path, "a.csv", content, Layout(encoding=encoding)))[0] == ["1", words[encoding]]
    with pytest.raises(UserError, match="is not utf-8; name its encoding"):
        table(tmp_path, "a.csv", content, Layout(encoding="utf-8"))
    with pytest.raises(UserError, match="is not hex; name its encoding"):
        table(tmp_path, "a.csv", content, Layout(encoding="hex"))
    with pytest.raises(UserError, match="there is no encoding 'utf-9'"):
        table(tmp_path, "a.csv", content, Layout(encoding="utf-9"))


def test_quotation_marks_of_cp1252_beside_letters_are_no_other_script(tmp_path: Path) -> None:
    rows = "id,title\n1,Das Café “Ærø” „über“\n2,« Élan »\n"
    found = table(tmp_path, "a.csv", rows.encode("cp1252"))
    assert found.frame["title"].tolist() == ["Das Café “Ærø” „über“", "« Élan »"]
    assert found.notes == ("read as cp1252, since it is not UTF-8",)


def shop(mark_at: dict[int, str], delimiter: str, end_at: dict[int, str] | None = None) -> str:
    rows = [[str(i), f"{mark_at.get(i, '')}Item {i}{(end_at or {}).get(i, '')}", f"words {i % 5}"] for i in range(40)]
    return written(delimiter, rows, ["item_id", "title", "description"])


def test_without_quoting_a_quotation_mark_is_a_letter(tmp_path: Path) -> None:
    found = table(tmp_path, "a.tsv", shop({5: '"', 20: '"'}, "\t"))
    assert found.quarantine.empty
    assert found.frame["title"].tolist() == [('"' if i in (5, 20) else "") + f"Item {i}" for i in range(40)]


@pytest.mark.parametrize(
    ("mark_at", "end_at", "lost"),
    [({5: '"'}, {}, [5]), ({5: '"', 20: '"'}, {}, [5, 20]), ({5: '"'}, {9: ' 12"'}, [5]), ({39: '"'}, {}, [39])],
)
def test_a_quote_left_open_costs_its_own_line_only(
    tmp_path: Path, mark_at: dict[int, str], end_at: dict[int, str], lost: list[int]
) -> None:
    found = table(tmp_path, "a.csv", shop(mark_at, ",", end_at))
    assert found.frame["item_id"].tolist() == [str(i) for i in range(40) if i not in lost]
    reason = "a quotation mark opens a field and is not closed as one"
    assert bad_rows(found) == [(i + 2, reason) for i in lost]


def test_a_long_text_with_commas_is_no_row(tmp_path: Path) -> None:
    answer = "[Genre] {Drama},\n[Mood] {Calm},\n[Setting] {City},\n[Style] {Old}"
    rows = [f'{i},"{answer}"' for i in range(30)]
    found = table(tmp_path, "a.csv", "movieId,text\n" + "\n".join(rows) + "\n")
    assert found.frame["text"].tolist() == [answer] * 30
    assert found.rows.tolist() == [2 + 4 * i for i in range(30)]


def test_both_escapes_of_quotes_are_read(tmp_path: Path) -> None:
    text = 'id,text,n\n1,"say \\"hi\\", now",5\n2,"say ""hi"", now",6\n3,"c:\\dir\\",7\n4, "a, b" ,8\n5,12" disc,9\n'
    found = table(tmp_path, "a.csv", text)
    assert found.frame["text"].tolist() == ['say "hi", now', 'say "hi", now', "c:\\dir\\", "a, b", '12" disc']


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_column_in_quotes_is_quoted_in_any_file(tmp_path: Path, quote: str) -> None:
    rows = [[f"{quote}{user}{quote}", f"{quote}x\ty{quote}"] for user in range(4)]
    found = table(tmp_path, "a.tsv", written("\t", rows, [f"{quote}user{quote}", f"{quote}item{quote}"]))
    assert list(found.frame) == ["user", "item"]
    assert cells(found)[0] == ["0", "x\ty"]
    assert found.notes == (f"fields stand in {quote}",)


def test_blank_and_sql_null_are_missing_but_words_are_not(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", 'id,t\n1,\n2,"  "\n3,\\N\n4,NA\n5,""\n6,null\n')
    assert cells(found) == [["1", None], ["2", None], ["3", None], ["4", "NA"], ["5", None], ["6", "null"]]


def test_a_damaged_row_of_a_sound_file_is_set_aside(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,title\n1,Café\n2,Ærø\n".encode() + b"3,Caf\xe9\n4,a\0b\n5,c\n")
    assert bad_rows(found) == [(4, "it is not UTF-8"), (5, "it holds a NUL byte")]
    assert found.frame["id"].tolist() == ["1", "2", "5"]


def test_a_damaged_row_that_is_set_aside_can_stand_in_a_table(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", b"id,title\n1,Caf\xc3\xa9\n2,\0\xff\n3,\xc3\x86\n")
    assert bad_rows(found) == [(3, "it holds a NUL byte")]
    assert found.quarantine["key"].str.encode("utf-8").tolist() == [b"2,\0?"]


def test_where_no_row_fits_the_header_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        table(tmp_path, "a.csv", written(",", [[*row, ""] for row in ROWS], HEADER))
    assert str(error.value).startswith(
        f"{tmp_path / 'a.csv'}: no row can be used: 60 of 60 rows have 4 fields where the header has 3 "
        "(line 2: '0,0,1,')"
    )


@pytest.mark.parametrize("bad", ["1,2", "1,2,3,4", "1,2,3,"])
def test_a_row_of_another_width_is_set_aside_with_its_line(tmp_path: Path, bad: str) -> None:
    lines = written(",", ROWS, HEADER).splitlines()
    lines.insert(30, bad)
    found = table(tmp_path, "a.csv", "\n".join(lines))
    assert cells(found) == ROWS
    assert bad_rows(found) == [(31, f"{bad.count(',') + 1} fields where the header has 3")]
    assert found.rows.tolist() == [*range(2, 31), *range(32, 63)]


@pytest.mark.parametrize("failure", [duckdb.OutOfMemoryException, duckdb.IOException])
def test_a_machine_that_fails_is_not_taken_for_a_file_that_does(
    tmp_path: Path, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise failure("no room left")

    monkeypatch.setattr(
        "recsys.data.readers.delimited.duckdb.connect", lambda: nullcontext(SimpleNamespace(execute=fail))
    )
    with pytest.raises(UserError, match=r"a\.csv: cannot be read \(no room left\)"):
        table(tmp_path, "a.csv", written(",", ROWS, HEADER))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=st.lists(st.sampled_from(["\n", "\r\n"]), min_size=7, max_size=7))
@example(ends=[*"\n\n\n\n\n", "\r\n", "\n"])
def test_lines_that_end_in_two_ways_keep_their_numbers(tmp_path: Path, ends: list[str]) -> None:
    lines = ["id,title", "1,x", "2", "3,z", "4,v,more", "5,", "6"]
    found = table(tmp_path, "a.csv", "".join(map("".join, zip(lines, ends, strict=True))))
    assert [list(found.rows), list(found.quarantine["row"])] == [[2, 4, 6], [3, 5, 7]]
    assert list(found.frame["id"]) == ["1", "3", "5"]


LETTERS = st.characters(codec="cp1252", exclude_categories=["Cc", "Cs"])

WORDS = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(lambda word: word not in ("", "\\N"))

CELLS = st.one_of(WORDS, st.builds("{}\n{}".format, WORDS, WORDS), st.builds('"{}", {}'.format, WORDS, WORDS))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 999).map(str), CELLS, CELLS), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_is_written_by_the_book_reads_back_equal(
    tmp_path: Path, rows: list[tuple[str, ...]], delimiter: str, quoting: Any, encoding: str, end: str
) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(
            [("id", "title", "text"), *rows]
        )
    layout = Layout(delimiter=delimiter, header=True, encoding=encoding)
    found = read_table(path, "items", layout)
    assert found.quarantine.empty
    assert cells(found) == [list(row) for row in rows]


PIECES = st.lists(st.sampled_from([*'ab1,;\t"\n\\ #é', "\r\n"]), max_size=70).map("".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(below=PIECES, name=st.sampled_from(["a.csv", "a.tsv"]))
def test_no_line_disappears(tmp_path: Path, below: str, name: str) -> None:
    """Each line that is not blank is of a row that was read, or of one that was set aside."""
    layout = Layout(delimiter=",", header=True)
    try:
        found = table(tmp_path, name, "id,title\n1,x\n" + below, layout)
    except UserError as error:
        assert "\n" not in str(error)
        return
    numbers = sorted([*found.rows, *found.quarantine["row"]])
    assert len(set(numbers)) == len(numbers)
    texts = [*found.frame.stack().dropna(), *found.quarantine["key"]]
    further = sum(text.count("\n") for text in texts)
    n_written = sum(bool(line.strip()) for line in ("1,x\n" + below).split("\n"))
    assert len(numbers) + further >= n_written
