"""MMRec's folders: numbers, their mapping to the source's ids, and what is known of the source's items."""

from pathlib import Path

import numpy as np
import pytest

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, picture, quarantined, rows, write

INTER = (
    "userID\titemID\trating\ttimestamp\tx_label\n"
    "0\t2\t5.0\t1365811200\t0\n0\t0\t3.0\t1365811201\t1\n1\t2\t5.0\t1365811202\t2\n1\t1\t4.0\t1365811203\t9\n"
)
# The program that publishes it separates columns of this .csv by tabs.
MAPPING = "asin\titemID\nB00C\t2\n097293751X\t0\nB00A\t1\nB00D\t3\nB00C\t4\n"
META = 'asin,title,description\nB00C,"Cups, small",for tea\n097293751X,Album,\nB00Z,Other,\nB00C,Again,\n'


@pytest.fixture
def mmrec(tmp_path: Path) -> Path:
    np.save(tmp_path / "image_feat.npy", np.zeros((4, 2), dtype=np.float32))
    return write(tmp_path, {"baby.inter": INTER, "i_id_mapping.csv": MAPPING, "meta.csv": META})


def test_numbers_stay_the_ids_and_the_mapping_names_the_source(mmrec: Path) -> None:
    raw = read("mmrec", {}, mmrec, mmrec)
    assert raw.items["item_id"].tolist() == ["0", "1", "2", "3", "4"]
    assert column(raw, "source_id") == {"0": "097293751X", "1": "B00A", "2": "B00C", "3": "B00D"}
    assert rows(raw, "rating", "part") == [("0", "2", 5.0, "train"), ("0", "0", 3.0, "valid"), ("1", "2", 5.0, "test")]
    assert ("interactions", 5) in [(table, row) for table, row, *_ in quarantined(raw)]
    assert ("mapping", 6) in [(table, row) for table, row, *_ in quarantined(raw)]


def test_titles_and_pictures_are_joined_by_the_sources_ids(mmrec: Path) -> None:
    cups = picture(mmrec / "pictures" / "B00C.jpg")
    options = {
        "items": "meta.csv",
        "title_column": "title",
        "text_columns": ["title", "description"],
        "images": "pictures",
    }
    raw = read("mmrec", options, mmrec, mmrec)
    assert column(raw, "title") == {"0": "Album", "2": "Cups, small"}
    assert column(raw, "text") == {"0": "Album", "2": "Cups, small\nfor tea"}
    assert column(raw, "image_path") == {"2": str(cups)}
    assert {(4, "B00Z"), (5, "B00C")} == {(row, key) for table, row, key, _ in quarantined(raw) if table == "items"}


@pytest.mark.parametrize(("first", "second"), [("B00C", "B00A"), ("2", "1")])
def test_pictures_of_no_item_are_quarantined_and_doubts_are_notes(mmrec: Path, first: str, second: str) -> None:
    """Whether files are called by ids of the source or by numbers."""
    for name in (f"{first}.jpg", f"{first}_2.png", "other.jpg", f"{second}/{first}.webp"):
        picture(mmrec / "pictures" / name)
    raw = read("mmrec", {"images": "pictures"}, mmrec, mmrec)
    assert column(raw, "image_path") == {"2": str(mmrec / "pictures" / f"{first}.jpg")}
    aside = {key: reason for table, _, key, reason in quarantined(raw) if table == "images"}
    assert aside["other.jpg"] == "picture is named by no item's id"
    assert aside[f"{second}/{first}.webp"] == "a further file of the same name: the first is used"
    (note,) = (note for note in raw.notes if note.startswith("images: "))
    assert f"such as {second}/{first}.webp; the name" in note


def test_a_table_that_has_the_numbers_is_joined_by_them(mmrec: Path) -> None:
    write(mmrec, {"meta.csv": "itemID,asin,title\n2,wrong,Two\n0,wrong,Nought\n"})
    raw = read("mmrec", {"items": "meta.csv", "title_column": "title"}, mmrec, mmrec)
    assert column(raw, "title") == {"0": "Nought", "2": "Two"}


def test_without_a_mapping_items_are_the_numbers(tmp_path: Path) -> None:
    raw = read("mmrec", {}, write(tmp_path, {"a.inter": INTER}), tmp_path)
    assert raw.items["item_id"].tolist() == ["0", "1", "2"]
    assert column(raw, "source_id") == {}


def test_a_mapping_of_three_columns_is_refused_in_a_line(mmrec: Path) -> None:
    write(mmrec, {"i_id_mapping.csv": "asin\titemID\tname\nB\t0\tx\n"})
    with pytest.raises(UserError, match="where a mapping has 'itemID' and one other"):
        read("mmrec", {}, mmrec, mmrec)


def test_it_is_recognised_by_its_columns_and_its_features(mmrec: Path) -> None:
    found = recognise(mmrec)
    assert [layout.reader for layout in found] == ["mmrec"]
    assert "image_feat.npy" in found[0].why
