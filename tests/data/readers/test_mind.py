"""MIND: impressions with clicks, histories without times, news with lone quotation marks."""

from pathlib import Path

import pytest

from recsys.data.readers import read, recognise
from recsys.errors import UserError
from tests.data.readers.layout import column, quarantined, rows, seconds, write

BEHAVIORS = (
    "1\tU13740\t11/11/2019 9:05:58 AM\tN1 N2\tN3-1 N4-0\n"
    "2\tU91836\t11/12/2019 6:11:30 PM\t\tN4-0 N1-1 N3-1\n"
    "3\tU73700\t2019-11-14\tN1\tN4-1\n"
    "4\tU73700\t11/14/2019 7:01:48 AM\tN1\tN4 N3\n"
    "5\tU13740\t11/15/2019 12:00:00 AM\tN1 N2\tN9-1\n"
)
NEWS = (
    'N1\tlifestyle\troyals\t"The Brands\tShop the "looks"\thttps://x\t[{"Label": "Prince"}]\t[]\n'
    "N2\thealth\tmedical\tDispose, of it\t\thttps://x\t[]\t[]\n"
    'N3\tnews\tworld\tThe Cost" of War\tLt. Ivan\thttps://x\t[]\t[]\n'
    "N4\tnews\tworld\tCut\n"
    "N4\tnews\tus\tWhole\tFour\thttps://x\t[]\t[]\n"
)


@pytest.fixture
def mind(tmp_path: Path) -> Path:
    return write(tmp_path, {"behaviors.tsv": BEHAVIORS, "news.tsv": NEWS, "entity_embedding.vec": ""})


def test_clicks_have_the_time_of_their_impression(mind: Path) -> None:
    raw = read("mind", {}, mind, mind)
    assert rows(raw) == [("U13740", "N3"), ("U91836", "N1"), ("U91836", "N3")]
    assert seconds(raw) == [1573463158, 1573582290, 1573582290]
    assert raw.interactions["row"].tolist() == [1, 2, 2]
    found = {(table, row) for table, row, *_ in quarantined(raw)}
    assert found == {("items", 4), ("interactions", 3), ("interactions", 4), ("interactions", 5)}


def test_a_lone_quotation_mark_swallows_no_news(mind: Path) -> None:
    raw = read("mind", {}, mind, mind)
    assert column(raw, "title") == {
        "N1": '"The Brands',
        "N2": "Dispose, of it",
        "N3": 'The Cost" of War',
        "N4": "Whole",
    }
    assert column(raw, "text") == {"N1": 'Shop the "looks"', "N3": "Lt. Ivan", "N4": "Four"}
    assert column(raw, "subcategory")["N2"] == "medical"


def test_clicks_of_the_history_come_before_the_first_impression_or_are_named(mind: Path) -> None:
    left_out = "3 clicks before the first impression, which have no time, are not counted"
    assert any(note.startswith(left_out) for note in read("mind", {}, mind, mind).notes)
    raw = read("mind", {"history": True}, mind, mind)
    mine = raw.interactions[raw.interactions["user_id"] == "U13740"].sort_values("timestamp")
    assert mine["item_id"].tolist() == ["N1", "N2", "N3"]
    assert mine["timestamp"].dt.second.tolist() == [56, 57, 58]


def test_several_editions_are_read_together(tmp_path: Path) -> None:
    later = "1\tU1\t11/15/2019 1:00:00 AM\t\tN1-1\n"
    files = {"MINDsmall_train/behaviors.tsv": BEHAVIORS, "MINDsmall_train/news.tsv": NEWS}
    write(tmp_path, files | {"MINDsmall_dev/behaviors.tsv": later, "MINDsmall_dev/news.tsv": NEWS})
    raw = read("mind", {}, tmp_path, tmp_path)
    assert ("U1", "N1") in rows(raw) and len(rows(raw)) == 4
    assert raw.items["item_id"].is_unique
    tables = {table for table, *_ in quarantined(raw)}
    assert "MINDsmall_train/behaviors.tsv" in tables
    assert [layout.reader for layout in recognise(tmp_path)] == ["mind"]


def test_one_history_in_two_editions_is_counted_once(tmp_path: Path) -> None:
    for edition, day in (("MINDsmall_train", 12), ("MINDsmall_dev", 11)):
        behaviors = f"1\tU1\t11/{day}/2019 1:00:00 AM\tN1 N2\tN3-1\n"
        write(tmp_path / edition, {"behaviors.tsv": behaviors, "news.tsv": NEWS})
    raw = read("mind", {"history": True}, tmp_path, tmp_path)
    clicks = raw.interactions.sort_values("timestamp")
    assert clicks["item_id"].tolist() == ["N1", "N2", "N3", "N3"]
    assert clicks["timestamp"].dt.day.tolist() == [11, 11, 11, 12]  # in the seconds before the earlier impression
    (note,) = (note for note in read("mind", {}, tmp_path, tmp_path).notes if "history" in note)
    assert note.startswith("2 clicks before the first impression")


def test_a_folder_without_behaviors_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no behaviors.tsv, nor one in a folder there"):
        read("mind", {}, tmp_path, tmp_path)
