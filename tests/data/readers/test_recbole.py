"""RecBole's atomic files."""

from pathlib import Path

import pytest

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, picture, quarantined, rows, seconds, write

INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "1\t1193\t5\t978300760\n1\t661\t3.5\t978302109.5\n2\t661\tbad\t978302109\n2\t9\t4\t978302110\n2\t1193\t4\n"
)
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "1193\t\"One Flew\t1975\tDrama\n661\tJames & the Peach\t\tAnimation Children's Musical\n7\tUnseen\t2000\t\n"
    "661\tAgain\t2001\tDrama\n"
)
USER = "user_id:token\tage:token\n1\t1\n"


@pytest.fixture
def atomic(tmp_path: Path) -> Path:
    return write(tmp_path, {"ml-1m.inter": INTER, "ml-1m.item": ITEM, "ml-1m.user": USER})


def test_ratings_times_titles_and_sequences_are_those_of_the_files(atomic: Path) -> None:
    there = picture(atomic / "posters" / "661.jpg")
    raw = read("recbole", {}, atomic, atomic)
    assert column(raw, "title") == {"1193": '"One Flew', "661": "James & the Peach", "7": "Unseen"}
    assert column(raw, "release_year") == {"1193": "1975", "7": "2000"}
    assert column(raw, "class") == {"1193": ["Drama"], "661": ["Animation", "Children's", "Musical"]}
    assert column(raw, "image_path") == {"661": str(there)}
    assert rows(raw, "rating") == [("1", "1193", 5.0), ("1", "661", 3.5)]
    assert seconds(raw) == [978300760, 978302109.5]


def test_unusable_rows_are_set_aside_by_line(atomic: Path) -> None:
    found = {(table, row): reason for table, row, _, reason in quarantined(read("recbole", {}, atomic, atomic))}
    assert set(found) == {("items", 5), ("interactions", 4), ("interactions", 5), ("interactions", 6)}
    assert found["interactions", 4] == "rating is not a number"
    assert found["interactions", 5] == "unknown item"


def test_without_an_item_file_items_are_those_of_the_interactions(tmp_path: Path) -> None:
    inter = "user_id:token\tartist_id:token\tweight:float\n2\t51\t13883\n2\t52\t11690\n"
    raw = read("recbole", {}, write(tmp_path, {"lastfm.inter": inter}), tmp_path)
    assert raw.items["item_id"].tolist() == ["51", "52"]
    assert "rating" not in raw.interactions
    unused = "lastfm.inter: field 'weight' is not used; name it by 'rating_field' or 'time_field' if it is one"
    assert unused in raw.notes
    assert "there is no lastfm.item: items have neither title nor text" in raw.notes
    rated = read("recbole", {"rating_field": "weight"}, tmp_path, tmp_path)
    assert rated.interactions["rating"].tolist() == [13883.0, 11690.0]


def test_benchmark_files_are_a_split(tmp_path: Path) -> None:
    header = "user_id:token\titem_id:token\n"
    files = {f"steam.{part}.inter": f"{header}u\t{item}\n" for item, part in enumerate(("train", "valid", "test"))}
    raw = read("recbole", {}, write(tmp_path, files), tmp_path)
    assert rows(raw, "part") == [("u", "0", "train"), ("u", "1", "valid"), ("u", "2", "test")]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("user_id\titem_id", "column 'user_id' is not called field:type"),
        ("user_id:token\titem_id_list:token_seq\titem_id:token", "field 'item_id_list' holds sequences"),
        ("user_id:token\tseller_id:token\tbrand_id:token", "which field is meant by 'item_field' is not clear"),
        ("uid:token\titem_id:token", "which field is meant by 'user_field' is not clear"),
    ],
)
def test_what_is_not_clear_is_refused_in_a_line(tmp_path: Path, header: str, line: str) -> None:
    values = "\t".join("1" for _ in header.split("\t"))
    write(tmp_path, {"a.inter": f"{header}\n{values}\n"})
    with pytest.raises(UserError, match=line):
        read("recbole", {}, tmp_path, tmp_path)


def test_several_datasets_in_a_folder_need_a_name(tmp_path: Path) -> None:
    write(tmp_path, {"a.inter": INTER, "b.inter": INTER})
    with pytest.raises(UserError, match="2 files end in .inter where one is needed"):
        read("recbole", {}, tmp_path, tmp_path)
    assert len(read("recbole", {"name": "a"}, tmp_path, tmp_path).interactions) == 3


def test_atomic_files_are_recognised_by_their_header(atomic: Path) -> None:
    assert [layout.reader for layout in recognise(atomic)] == ["recbole"]
