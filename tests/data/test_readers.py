"""Readers against small files written by hand: what is read, what is set aside, and what is refused."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from recsys.data.images import pictures_of
from recsys.data.options import parse
from recsys.data.raw import RawData
from recsys.data.readers import read, registry
from recsys.errors import UserError

RATINGS = (
    "userId,movieId,rating,timestamp\n1,10,4.0,100\n1,20,3.5,101\n2,10,bad,102\n2,99,5.0,103\n,10,5.0,104\n3,20\n"
)
MOVIES = (
    'movieId,title,genres\n10,"Up, up (2001)",Drama|War\n20,Down (2002),Comedy\n10,Again,Drama\n30,Left (2003),War\n'
)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_dot_", ".")).write_text(text, encoding="utf-8")
    return folder


def reasons(raw: RawData) -> list[tuple[Any, ...]]:
    return list(raw.quarantine.itertuples(index=False, name=None))


@pytest.fixture
def movielens(tmp_path: Path) -> Path:
    write(
        tmp_path, ratings_dot_csv=RATINGS, movies_dot_csv=MOVIES, plots_dot_csv="movieId,plot\n20,He falls.\n7,Who?\n"
    )
    (tmp_path / "posters").mkdir()
    Image.new("RGB", (8, 8), "red").save(tmp_path / "posters" / "10.jpg")
    (tmp_path / "posters" / "20.jpg").write_bytes((tmp_path / "posters" / "10.jpg").read_bytes()[:200])
    return tmp_path


def test_movielens_reads_all_movies_with_posters_and_plots(movielens: Path) -> None:
    raw = read("movielens", {}, movielens, movielens)
    assert raw.items["item_id"].tolist() == ["10", "20", "30"]
    assert raw.items["title"].tolist() == ["Up, up (2001)", "Down (2002)", "Left (2003)"]
    assert raw.items["genres"].tolist() == ["Drama|War", "Comedy", "War"]
    assert raw.items["text"].dropna().to_dict() == {1: "He falls."}
    assert raw.items["image_path"].dropna().to_dict() == {0: str(movielens / "posters" / "10.jpg")}
    kept = raw.interactions[["user_id", "item_id", "rating", "timestamp", "row"]]
    assert list(kept.itertuples(index=False, name=None)) == [
        ("1", "10", 4.0, pd.Timestamp(100, unit="s"), 2),
        ("1", "20", 3.5, pd.Timestamp(101, unit="s"), 3),
    ]


def test_movielens_sets_aside_what_it_cannot_use_with_line_and_reason(movielens: Path) -> None:
    found = reasons(read("movielens", {}, movielens, movielens))
    assert found[0] == ("items", 4, "10", "item id again: the first row was kept")
    assert found[1] == ("plots", 3, "7", "unknown item")
    assert found[2][0::2] == ("images", "20")
    assert found[2][3].startswith("picture is")
    assert found[3] == ("interactions", 7, "3,20", "2 fields where the header has 4")
    assert found[4] == ("interactions", 6, "? / 10", "no user id")
    assert found[5] == ("interactions", 4, "2 / 10", "rating is not a number")
    assert found[6] == ("interactions", 5, "2 / 99", "unknown item")
    assert len(found) == 7


def test_movielens_without_posters_and_plots_is_an_ordinary_case(tmp_path: Path) -> None:
    write(tmp_path, ratings_dot_csv=RATINGS, movies_dot_csv=MOVIES)
    raw = read("movielens", {}, tmp_path, tmp_path)
    assert raw.items[["text", "image_path", "image_digest"]].isna().all().all()


INTER = "userID\titemID\tx_label\n0\t3\t0\n0\t0\t1\n1\t3\t2\n1\tx\t0\n1\t1\t7\n"


def test_inter_has_an_item_for_every_id_up_to_the_greatest(tmp_path: Path) -> None:
    items = "itemID,name,tags,year\n0,Zero,a b,1999\n3,Three,,2001\n8,Eight,c,2002\n"
    write(tmp_path, a_dot_inter=INTER, items_dot_csv=items)
    options = {"items": "items.csv", "title_column": "name", "text_columns": ["name", "tags"]}
    raw = read("inter", options, tmp_path, tmp_path)
    assert raw.items["item_id"].tolist() == ["0", "1", "2", "3"]
    assert raw.items["text"].dropna().to_dict() == {0: "Zero\na b", 3: "Three"}
    assert raw.items["year"].dropna().to_dict() == {0: "1999", 3: "2001"}
    assert raw.interactions["part"].tolist() == ["train", "valid", "test"]
    assert reasons(raw) == [
        ("items", pd.NA, "8", "id beyond those of the interactions"),
        ("interactions", 5, "1 / x", "item id is not a whole number"),
        ("interactions", 6, "1 / 1", "label is not 0, 1 or 2"),
    ]


def test_inter_without_labels_has_no_split(tmp_path: Path) -> None:
    write(tmp_path, a_dot_inter="userID\titemID\trating\n0\t1\t3\n")
    raw = read("inter", {}, tmp_path, tmp_path)
    assert "part" not in raw.interactions
    assert raw.interactions["rating"].tolist() == [3.0]


TABLE_OPTIONS: dict[str, Any] = {
    "interactions": "buys.csv",
    "items": "goods.csv",
    "user_column": "who",
    "item_column": "what",
    "timestamp_column": "when",
    "title_column": "label",
    "text_columns": ["label", "about"],
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    buys = "who,what,when\nann,a,2020-01-02T00:00:00Z\nbob,b,1577836800\ncid,b,soon\n"
    goods = 'what,label,about,picture,brand\na,Ax,"sharp\nand long",pics/ax.png,Acme\nb,Bow,,,\n'
    write(tmp_path, buys_dot_csv=buys, goods_dot_csv=goods)
    (tmp_path / "pics").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "pics" / "ax.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "pics" / "b.webp")
    return tmp_path


def test_table_reads_the_named_columns(shop: Path) -> None:
    raw = read("table", TABLE_OPTIONS | {"image_column": "picture"}, shop, shop)
    assert raw.interactions["timestamp"].dropna().tolist() == [pd.Timestamp("2020-01-02"), pd.Timestamp("2020-01-01")]
    assert raw.items["text"].tolist() == ["Ax\nsharp\nand long", "Bow"]
    assert raw.items["image_path"].dropna().tolist() == [str(shop / "pics" / "ax.png")]
    assert raw.items["brand"].dropna().tolist() == ["Acme"]
    assert reasons(raw) == []


def test_table_finds_images_named_by_item_with_any_suffix(shop: Path) -> None:
    raw = read("table", TABLE_OPTIONS | {"images": "pics"}, shop, shop)
    assert raw.items["image_path"].dropna().to_dict() == {1: str(shop / "pics" / "b.webp")}


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("pics/ax.png", ["ax.png"]),
        ("pics/b.webp|pics/ax.png", ["b.webp", "ax.png"]),
        ("pics/b.webp; pics/gone.png; pics/ax.png", ["b.webp", "ax.png"]),
        ('"pics/ax.png, pics/b.webp"', ["ax.png", "b.webp"]),
        ("pics/ax|b.png", ["ax|b.png"]),
    ],
)
def test_a_cell_may_name_several_pictures_in_their_order(shop: Path, cell: str, names: list[str]) -> None:
    Image.new("RGB", (4, 4), "red").save(shop / "pics" / "ax.png")
    Image.new("RGB", (4, 4), "blue").save(shop / "pics" / "ax|b.png")
    write(shop, goods_dot_csv=f"what,label,about,picture,brand\na,Ax,,{cell},\nb,Bow,,,\n")
    raw = read("table", TABLE_OPTIONS | {"image_column": "picture"}, shop, shop)
    assert [[Path(each.path).name for each in of_item] for of_item in pictures_of(raw.items)] == [names, []]
    alone = read("table", TABLE_OPTIONS | {"image_column": "picture", "pictures": 1}, shop, shop)
    assert [len(of_item) for of_item in pictures_of(alone.items)] == [1, 0]


def test_pictures_that_lie_elsewhere_are_named(shop: Path) -> None:
    (shop / "goods.csv").write_text((shop / "goods.csv").read_text().replace("pics/", "pics/../../"))
    notes = read("table", TABLE_OPTIONS | {"image_column": "picture"}, shop, shop).notes
    assert f"pictures outside of {shop}: 1; put them there, since a change elsewhere is not noticed" in notes


def test_table_without_item_table_takes_items_from_interactions(shop: Path) -> None:
    raw = read("table", {"interactions": "buys.csv", "user_column": "who", "item_column": "what"}, shop, shop)
    assert raw.items["item_id"].tolist() == ["a", "b"]
    assert len(raw.interactions) == 3


def test_rows_read_and_rows_set_aside_are_all_rows(movielens: Path) -> None:
    raw = read("movielens", {}, movielens, movielens)
    aside = raw.quarantine["table"].value_counts()
    assert len(raw.interactions) + aside["interactions"] == RATINGS.count("\n") - 1
    assert len(raw.items) + aside["items"] == MOVIES.count("\n") - 1


@pytest.mark.parametrize(
    ("reader", "options", "line"),
    [
        ("movielen", {}, "there is no reader 'movielen'; did you mean 'movielens'?"),
        ("movielens", {"poster": "x"}, "reader 'movielens': poster: there is no such key; did you mean 'posters'?"),
        (
            "market",
            {"n_users": 1},
            "reader 'market': n_users: must be 10 or more, not 1",
        ),
        ("table", {}, "reader 'table': interactions: this key is missing; write it"),
        (
            "table",
            {"interactions": "r.csv", "item_column": "user_id"},
            "reader 'table': 'user_column' and 'item_column' are the same column 'user_id': name another",
        ),
        (
            "yelp",
            {"pictures": 101},
            "reader 'yelp': pictures: must be 100 or less, not 101",
        ),
    ],
)
def test_wrong_options_are_named(reader: str, options: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as error:
        parse(registry.load(reader).options, reader, options)
    assert str(error.value) == line


def test_missing_folder_file_and_column_are_named(tmp_path: Path) -> None:
    def line(reader: str, options: dict[str, Any], folder: Path | None = tmp_path) -> str:
        with pytest.raises(UserError) as error:
            read(reader, options, folder, tmp_path)
        return str(error.value)

    assert line("inter", {}, None) == "reader 'inter' reads files: set the dataset's folder"
    gone = tmp_path / "gone"
    assert line("inter", {}, gone).startswith(f"{gone}: there is no such folder; put the files")
    assert line("inter", {}) == f"{tmp_path}: 0 files end in .inter where one is needed; set the option 'file'"
    assert line("table", {"interactions": "a.csv"}) == (
        f"{tmp_path / 'a.csv'}: there is no such file; put it there or set the option 'interactions'"
    )
    write(tmp_path, a_dot_csv="user,item_id\n1,2\n", b_dot_csv="")
    assert line("table", {"interactions": "a.csv"}) == (
        f"{tmp_path / 'a.csv'}: there is no column 'user_id': rename it in the file or name the right one in the "
        "dataset's options; did you mean 'user'?"
    )
    assert line("table", {"interactions": "b.csv"}) == (
        f"{tmp_path / 'b.csv'}: cannot be read (it is empty); fix or replace the file"
    )
    assert "there is no file of ratings" in line("movielens", {"posters": "art"})


@pytest.mark.parametrize("empty", ["a.csv", "b.csv"])
def test_a_file_of_a_header_alone_is_named(tmp_path: Path, empty: str) -> None:
    write(tmp_path, a_dot_csv="user_id,item_id\n1,2\n", b_dot_csv="item_id,words\n2,x\n")
    header = (tmp_path / empty).read_text().partition("\n")[0]
    (tmp_path / empty).write_text(f"{header}\n")
    options = {"interactions": "a.csv", "items": "b.csv", "text_columns": ["words"]}
    with pytest.raises(UserError) as error:
        read("table", options, tmp_path, tmp_path)
    assert str(error.value) == f"{tmp_path / empty}: holds no row; give a file with data"


def test_inter_refuses_ids_that_are_no_row_numbers(tmp_path: Path) -> None:
    write(tmp_path, a_dot_inter="userID\titemID\tx_label\n0\t5000000\t0\n")
    with pytest.raises(UserError, match=r"item ids go up to 5000000 for 1 items.*use the reader 'table'"):
        read("inter", {}, tmp_path, tmp_path)


def shop_of(folder: Path, buys: str, goods: str, **options: Any) -> RawData:
    write(folder, buys_dot_csv=buys, goods_dot_csv=goods)
    return read("table", {"interactions": "buys.csv", "items": "goods.csv", **options}, folder, folder)


def test_ids_meet_across_spellings_of_whole_numbers_and_blanks(tmp_path: Path) -> None:
    raw = shop_of(tmp_path, "user_id,item_id\n1.0,7.0\n1, 8\n2,9 \n", "item_id,title\n7,A\n8 ,B\n9.0,C\n")
    assert raw.interactions[["user_id", "item_id"]].to_numpy().tolist() == [["1", "7"], ["1", "8"], ["2", "9"]]
    assert raw.items["item_id"].tolist() == ["7", "8", "9"]


def test_ids_that_differ_by_a_repair_are_named_row_by_row(tmp_path: Path) -> None:
    raw = shop_of(tmp_path, "user_id,item_id\n1,7\n1,x\n2,8\n", "item_id,title\n7,A\n008,B\n")
    assert reasons(raw) == [
        ("interactions", 4, "2 / 8", "unknown item, known without leading zeros"),
        ("interactions", 3, "1 / x", "unknown item"),
    ]


def test_items_that_never_meet_are_refused_with_a_value_of_each_side(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        shop_of(tmp_path, "user_id,item_id\n1,7\n2,7\n", "item_id,title\n00007,A\n")
    assert str(error.value) == (
        "no interaction has an item of the item table: '7' here, '00007' there; "
        "2 rows would match without leading zeros: write the ids alike in both files"
    )


def test_repeated_rows_and_repeated_ids_of_items_are_told_apart(tmp_path: Path) -> None:
    raw = shop_of(tmp_path, "user_id,item_id\n1,7\n", "item_id,title\n7,A\n7,A\n8,B\n8,C\n,D\n")
    assert reasons(raw) == [
        ("items", 6, "?", "no item id"),
        ("items", 3, "7", "the same row again"),
        ("items", 5, "8", "item id again: the first row was kept"),
    ]
    assert raw.items["title"].tolist() == ["A", "B"]


def test_every_column_of_the_items_is_an_attribute_whatever_its_name(tmp_path: Path) -> None:
    names = ["sku", "row", "item_id", "title", "text", "image_path", "image_digest", "part", "label", "tags"]
    goods = ",".join(names) + "\n" + ",".join(f"v-{name}" for name in names) + "\n"
    options = {"items_id_column": "sku", "item_column": "item_id", "title_column": "label", "text_columns": ["tags"]}
    raw = shop_of(tmp_path, "user_id,item_id\n1,v-sku\n", goods, **options)
    found = raw.items.iloc[0]
    assert (found["item_id"], found["title"], found["text"]) == ("v-sku", "v-label", "v-tags")
    assert found["image_path"] is None and found["image_digest"] is None
    for name in ("row", "part", "label", "tags"):
        assert found[name] == f"v-{name}"
    for name in ("item_id", "title", "text", "image_path", "image_digest"):
        assert found[f"{name} (column)"] == f"v-{name}"
        assert f"goods.csv: column '{name}' is kept as the attribute '{name} (column)'" in raw.notes


@pytest.mark.parametrize(
    "columns", [("row", "col"), ("part", "timestamp"), ("user_id", "rating"), ("item_id", "text")]
)
def test_any_header_can_name_people_and_items(tmp_path: Path, columns: tuple[str, str]) -> None:
    user, item = columns
    write(tmp_path, buys_dot_csv=f"{user},{item}\n5,7\n6,8\n")
    options = {"interactions": "buys.csv", "user_column": user, "item_column": item}
    raw = read("table", options, tmp_path, tmp_path)
    assert raw.interactions[["user_id", "item_id"]].to_numpy().tolist() == [["5", "7"], ["6", "8"]]
    assert raw.interactions["row"].tolist() == [2, 3]


def test_ratings_with_decimal_commas_are_numbers_and_fractions_are_not(tmp_path: Path) -> None:
    (tmp_path / "buys.csv").write_text("user_id;item_id;stars\n1;7;4,5\n1;8;5\n2;7;4/5\n2;8;\n3;7;1,000\n")
    raw = read("table", {"interactions": "buys.csv", "rating_column": "stars"}, tmp_path, tmp_path)
    assert raw.interactions["rating"].tolist() == [4.5, 5.0]
    assert [entry[1::2] for entry in reasons(raw)] == [(row, "rating is not a number") for row in (4, 5, 6)]


def test_options_say_how_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_bytes("é~7\nü~8\n".encode("latin-1"))
    options = {"interactions": "u.data", "user_column": "1", "item_column": "2"}
    written = {"delimiter": "~", "header": False, "encoding": "latin-1"}
    raw = read("table", options | written, tmp_path, tmp_path)
    assert raw.interactions["user_id"].tolist() == ["é", "ü"]
    assert raw.notes == ("u.data: separated by '~'", "u.data: no header: columns are numbered 1 to 2")
