"""Book-Crossing: semicolons, Latin-1, escaped quotes, HTML entities, and ratings of 0 that are none."""

from pathlib import Path
from typing import Any

import pytest

from recsys.data.readers import read, recognise
from tests.data.readers.layout import column, picture, quarantined, rows, write

RATINGS = (
    '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n"276726";"0155061224";"5"\r\n'
    '"276727";"0446520802";"10"\r\n"276729";"9999999999";"6"\r\n"276729";"0446520802"\r\n'
)
BOOKS = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";"Image-URL-L"\r\n'
    '"034545104X";"Flesh Tones: A Novel";"M. J. Rose";"2002";"Ballantine Books";"http://x/S.jpg";"http://x/M.jpg";"http://x/L.jpg"\r\n'
    '"0155061224";"Märchen; &amp; \\"Sagen\\"";"Jürgen Ä.";"0";"Fischer &amp; Söhne";"http://x/S.jpg";"http://x/M.jpg";"http://x/L.jpg"\r\n'
    '"0446520802";"The Notebook";"Nicholas Sparks";"1996";"Warner Books";"http://x/S.jpg";"http://x/M.jpg";"http://x/L.jpg"\r\n'
)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    return write(tmp_path, {"BX-Book-Ratings.csv": RATINGS.encode("latin-1"), "BX-Books.csv": BOOKS.encode("latin-1")})


def test_a_rating_of_0_is_not_a_rating(books: Path) -> None:
    raw = read("bookcrossing", {}, books, books)
    assert rows(raw, "rating") == [("276726", "0155061224", 5.0), ("276727", "0446520802", 10.0)]
    found = quarantined(raw)
    assert ("interactions", 2, "276725 / 034545104X", "rating of 0: not rated (feedback: implicit counts it)") in found
    assert ("interactions", 5, "276729 / 9999999999", "unknown item") in found
    assert ("interactions", 6) in [(table, row) for table, row, *_ in found]


def test_implicit_feedback_is_every_row_without_a_rating(books: Path) -> None:
    raw = read("bookcrossing", {"feedback": "implicit"}, books, books)
    assert rows(raw) == [("276725", "034545104X"), ("276726", "0155061224"), ("276727", "0446520802")]
    assert "rating" not in raw.interactions


def test_titles_keep_their_letters_quotes_and_separators(books: Path) -> None:
    cover = picture(books / "covers" / "034545104X.jpg")
    raw = read("bookcrossing", {}, books, books)
    assert column(raw, "title")["0155061224"] == 'Märchen; & "Sagen"'
    assert column(raw, "author")["0155061224"] == "Jürgen Ä."
    assert column(raw, "year") == {"034545104X": "2002", "0446520802": "1996"}
    assert column(raw, "text")["0155061224"] == 'Märchen; & "Sagen"\nJürgen Ä.\nFischer & Söhne'
    assert column(raw, "image_path") == {"034545104X": str(cover)}


def test_the_edition_with_commas_is_read_too(tmp_path: Path) -> None:
    files = {
        "Ratings.csv": "User-ID,ISBN,Book-Rating\n1,a,8\n",
        "Books.csv": 'ISBN,Book-Title,Book-Author,Year-Of-Publication,Publisher\na,"One, two",Ann,1999,P\n',
    }
    raw = read("bookcrossing", {}, write(tmp_path, files), tmp_path)
    assert (column(raw, "title"), rows(raw, "rating")) == ({"a": "One, two"}, [("1", "a", 8.0)])


def test_it_is_recognised_and_what_0_means_is_said(books: Path) -> None:
    found: list[Any] = recognise(books)
    assert [(layout.reader, layout.min_rating) for layout in found] == [("bookcrossing", 7)]
    assert "ratings of 0 mean 'not rated'" in found[0].why
