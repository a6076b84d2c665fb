"""MovieLens in the layouts of its editions."""

from pathlib import Path

import pytest

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, picture, quarantined, rows, write

FLAGS = {"Comedy": 5, "Drama": 8, "unknown": 0}


def item(number: int, title: str, *genres: str) -> bytes:
    """A line of `u.item`, in Latin-1."""
    flags = ["1" if place in [FLAGS[genre] for genre in genres] else "0" for place in range(19)]
    return "|".join([str(number), title, "01-Jan-1995", "", "http://us.imdb.com/M/", *flags]).encode("latin-1") + b"\n"


@pytest.fixture
def edition_100k(tmp_path: Path) -> Path:
    movies = [
        item(1, "Misérables, Les (1995)", "Drama"),
        item(2, '"Quoted" Title (1994)', "Drama", "Comedy"),
        item(3, "unknown", "unknown"),
        b"4|cut short\n",
    ]
    ratings = "196\t1\t3\t881250949\n186\t2\t5\t891717742\n22\t9\t1\t878887116\n7\tx\n"
    return write(tmp_path, {"u.data": ratings, "u.item": b"".join(movies), "u.user": "1|24|M|technician|85711\n"})


def test_100k_has_no_header_and_its_genres_are_flags(edition_100k: Path) -> None:
    raw = read("movielens", {}, edition_100k, edition_100k)
    assert column(raw, "title") == {"1": "Misérables, Les (1995)", "2": '"Quoted" Title (1994)', "3": "unknown"}
    assert column(raw, "genres") == {"1": "Drama", "2": "Comedy|Drama"}
    assert rows(raw, "rating", "timestamp") == [("196", "1", 3.0, 881250949), ("186", "2", 5.0, 891717742)]


def test_100k_sets_aside_lines_by_number(edition_100k: Path) -> None:
    found = [(table, row) for table, row, *_ in quarantined(read("movielens", {}, edition_100k, edition_100k))]
    assert sorted(found) == [("interactions", 3), ("interactions", 4), ("items", 4)]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_1m_and_10m_are_separated_by_two_colons(tmp_path: Path, encoding: str) -> None:
    movies = "1::Amélie: a film (2001)::Comedy|Romance\n2::Sci::Fi::Drama\n3::Plain (2000)::(no genres listed)\n"
    write(
        tmp_path, {"ratings.dat": "1::1::5::978300760\n2::3::0.5::978302109\n", "movies.dat": movies.encode(encoding)}
    )
    raw = read("movielens", {}, tmp_path, tmp_path)
    assert column(raw, "title") == {"1": "Amélie: a film (2001)", "3": "Plain (2000)"}
    assert column(raw, "genres") == {"1": "Comedy|Romance"}
    assert rows(raw, "rating") == [("1", "1", 5.0), ("2", "3", 0.5)]
    assert [(table, row) for table, row, *_ in quarantined(raw)] == [("items", 2)]
    said = "movies.dat: read as cp1252, since it is not UTF-8"
    assert (said in raw.notes) == (encoding == "latin-1")


@pytest.mark.parametrize("folder", ["posters", "Posters", "images", "ml_posters"])
def test_posters_beside_any_edition_are_its_images(edition_100k: Path, folder: str) -> None:
    there = picture(edition_100k / folder / "2.jpg")
    raw = read("movielens", {}, edition_100k, edition_100k)
    assert column(raw, "image_path") == {"2": str(there)}


def test_editions_are_recognised_by_their_files_and_headers(edition_100k: Path, tmp_path: Path) -> None:
    found = recognise(edition_100k)
    assert [(layout.reader, layout.min_rating) for layout in found] == [("movielens", 4)]
    other = write(tmp_path / "other", {"ratings.csv": "user,movie,stars\n1,1,1\n", "movies.csv": "movie,name\n1,a\n"})
    assert [layout.reader for layout in recognise(other)] == []


def test_a_folder_without_ratings_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file of ratings \(ratings.csv, ratings.dat, u.data\)"):
        read("movielens", {}, tmp_path, tmp_path)
