"""MicroLens: pairs as rows and as lists, titles with and without header, covers."""

from pathlib import Path

import pytest

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, picture, quarantined, rows, seconds, write

PAIRS = "user,item,timestamp\n36121,9580,1583378629552\n21794,9580,1583379221001\n21794,12\n"
LISTS = "1\t11 12 10\n2\t11\n3\t\n4\t10 12\n"
TITLES = 'item,title\n11,"Hello, Mr.X and Three People"\n12,\n10,美食 "quoted"\n11,Again\n99,Never watched\n'


def test_pairs_have_times_in_milliseconds(tmp_path: Path) -> None:
    write(tmp_path, {"MicroLens-50k_pairs.csv": PAIRS, "MicroLens-50k_pairs.tsv": LISTS})
    raw = read("microlens", {}, tmp_path, tmp_path)
    assert rows(raw) == [("36121", "9580"), ("21794", "9580")]
    assert seconds(raw) == [1583378629.552, 1583379221.001]
    assert ("interactions", 4) in [(table, row) for table, row, *_ in quarantined(raw)]


@pytest.mark.parametrize("header", ["userID,videoID,timestamp", "user_id,item_id,timestamp"])
def test_columns_go_by_the_names_of_the_readme_too(tmp_path: Path, header: str) -> None:
    raw = read("microlens", {}, write(tmp_path, {"pairs.csv": f"{header}\n1,2,1583378629552\n"}), tmp_path)
    assert rows(raw) == [("1", "2")]


@pytest.mark.parametrize("header", [True, False])
def test_lists_are_a_row_for_each_item_with_titles_and_covers(tmp_path: Path, header: bool) -> None:
    titles = TITLES if header else TITLES.partition("\n")[2]
    write(
        tmp_path,
        {
            "MicroLens-50k_pairs.tsv": LISTS,
            "MicroLens-50k_titles.csv": titles,
            "tags_to_summary.csv": "videoID,category\n10,food\n",
        },
    )
    cover = picture(tmp_path / "MicroLens-50k_covers" / "12.jpg")
    raw = read("microlens", {}, tmp_path, tmp_path)
    assert rows(raw) == [("1", "11"), ("1", "12"), ("1", "10"), ("2", "11"), ("4", "10"), ("4", "12")]
    assert column(raw, "title") == {
        "11": "Hello, Mr.X and Three People",
        "10": '美食 "quoted"',
        "99": "Never watched",
    }
    assert column(raw, "category") == {"10": "food"}
    assert column(raw, "image_path") == {"12": str(cover)}
    assert "timestamp" not in raw.interactions
    found = quarantined(raw)
    assert ("titles", 5 if header else 4, "11", "title of the same item again: the first was kept") in found
    assert ("interactions", 3, "3", "no items after the tab") in found
    assert any("order_as_time" in note for note in raw.notes)


def test_the_order_of_a_list_is_a_time_where_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"MicroLens-50k_pairs.tsv": LISTS})
    raw = read("microlens", {"order_as_time": True}, tmp_path, tmp_path)
    assert seconds(raw) == [0, 1, 2, 0, 0, 1]


def test_a_folder_without_pairs_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file called \*pairs.csv or \*pairs.tsv"):
        read("microlens", {}, tmp_path, tmp_path)


def test_it_is_recognised_by_its_files(tmp_path: Path) -> None:
    write(tmp_path, {"MicroLens-50k_pairs.tsv": LISTS})
    assert [(layout.reader, layout.options) for layout in recognise(tmp_path)] == [
        ("microlens", {"order_as_time": True})
    ]
