"""What is refused instead of guessed: one line with a value of each side, exit code 2, nothing left behind."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestration.settings import Settings
from tests.orchestration.command_line import complaint
from tests.orchestration.new.tables import N_ITEMS, N_USERS, goods, new, of_frames, options, refusal, taken, write


@pytest.mark.parametrize(
    ("here", "there", "hint"),
    [
        ("{:05d}", "{}", "they would match without leading zeros"),
        ("a{}", "A{}", "they would match without case"),
        ("b-{}", "b{}", "they would match without punctuation and case"),
        ("x{}", "y{}", "write the ids alike in both files, or name the columns with --item-column and"),
    ],
)
def test_ids_that_differ_are_shown_side_by_side(settings: Settings, here: str, there: str, hint: str) -> None:
    rows, items = taken(), goods()
    rows["item_id"], items["item_id"] = rows["item_id"].map(here.format), items["item_id"].map(there.format)
    line = refusal(settings, rows, items)
    first = rows["item_id"][0]
    assert line.startswith(
        f"r.csv and i.csv: no row of 'item_id' has an id that is in column 'item_id' of the items ('{first}' here, "
    )
    assert hint in line


def test_a_threshold_that_leaves_too_few_rows_to_split_is_named(settings: Settings) -> None:
    rows = taken()
    rows["rating"] = [5 if place < 2 else 1 for place in rows.groupby("user_id").cumcount()]
    line = refusal(settings, rows, goods())
    assert line.startswith("split 'ratio' leaves the valid part empty")
    assert (
        "or count more rows as liked, with --min-rating (min_rating: 5 in the upper part of a scale of 1 to 5" in line
    )


def test_low_overlap_is_refused_and_some_is_said(settings: Settings) -> None:
    line = refusal(settings, taken(), goods().head(12))
    assert "of the rows of 'item_id' have an id that is in column 'item_id' of the items" in line
    assert line.startswith("r.csv and i.csv: only ")
    _, said = of_frames(settings, taken(), goods().head(30))
    assert "of the interactions are with unknown items, such as '3" in said


def test_a_chance_match_of_other_columns_is_no_way_out(settings: Settings) -> None:
    items = goods(rank=range(N_ITEMS)).assign(item_id=[f"B{n:04d}" for n in range(N_ITEMS)])
    assert "no row of 'item_id' has an id that is in column 'item_id'" in refusal(settings, taken(), items)


def test_several_ids_in_a_field(settings: Settings) -> None:
    rows = taken().groupby("user_id", as_index=False).agg({"item_id": lambda ids: " ".join(map(str, ids))})
    assert "a field holds several ids, but each interaction needs a row of its own" in refusal(settings, rows, goods())


def test_a_table_of_people_by_items(settings: Settings) -> None:
    wide = pd.DataFrame(np.ones((N_USERS, N_ITEMS), dtype=int)).rename(columns=str)
    wide.insert(0, "user", range(N_USERS))
    assert refusal(settings, wide, goods()) == (
        "r.csv: a table of people by items, for 40 of its columns are items (such as '0'); make it one row for each "
        "interaction, with the columns user_id, item_id and rating"
    )


def test_no_name_and_several_columns_that_match(settings: Settings) -> None:
    line = refusal(settings, taken("a", "b"), goods())
    assert line.startswith("r.csv: 'a' (60 values), 'b' (40 values) all match column 'item_id' of i.csv")
    study, _ = of_frames(settings, taken("a", "b"), goods(), "--item-column", "b")
    assert study.datasets["mine"].source.options["user_column"] == "a"


def test_columns_that_cannot_be_people(settings: Settings) -> None:
    orders = taken().assign(user_id=range(N_USERS * 10))
    assert refusal(settings, orders, goods()) == (
        "r.csv: column 'user_id' has 600 distinct values in 600 rows, so that hardly anyone took two items, "
        "and cannot be the person's id; name the right one with --user-column"
    )
    line = refusal(settings, taken().assign(user_id="me"), goods())
    assert line.startswith("r.csv: column 'user_id' holds 1 id ('me')")
    line = refusal(settings, taken().drop(columns="user_id").assign(stars=3), goods())
    assert line.startswith("r.csv: no column looks like a person's id (it has 'item_id', 'stars')")


def test_a_scale_is_never_taken_for_people(settings: Settings) -> None:
    rows = taken(data=[1, 2, 3, 4, 5]).drop(columns="user_id")
    assert "no column looks like a person's id" in refusal(settings, rows, goods())


def test_an_item_of_two_values(settings: Settings) -> None:
    rows = taken(item_id=[0, 1])
    assert refusal(settings, rows, goods()).startswith("r.csv: column 'item_id' holds 2 ids (such as '")


def test_a_column_that_is_not_there(settings: Settings) -> None:
    line = refusal(settings, taken(), goods(), "--user-column", "kunde")
    assert line == "r.csv: there is no column 'kunde' (known: user_id, item_id)"
    line = refusal(settings, taken(mood=["good", "bad"]), goods(), "--rating-column", "mood")
    assert line == "column 'mood' cannot be the rating: 'bad' is no number"


def test_rows_that_cannot_be_read_are_not_blamed_on_ids(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    lines = [f"{u},{i},{u % 5},{'x,' * (u % 3)}y" for u, i in taken().itertuples(index=False)]
    file.write_text("\n".join(["user_id,item_id,rating", *lines]), encoding="utf-8")
    line = complaint(settings, "new", "a", "--interactions", file, "--items", write(goods(), tmp_path / "i.csv"))
    assert line.startswith(f"{file}: ") and "where the header has 3" in line and "line 2" in line


def test_two_files_or_a_folder(settings: Settings, tmp_path: Path) -> None:
    file = write(taken(), tmp_path / "r.csv")
    assert "--interactions and --items" in complaint(settings, "new", "a", "--interactions", file)


@pytest.mark.parametrize("name", ["user_id", "item_id"])
@pytest.mark.parametrize("flag", ["--rating-column", "--time-column"])
def test_a_column_has_one_role(settings: Settings, name: str, flag: str) -> None:
    role = name.removesuffix("_id")
    assert refusal(settings, taken(rating=[1, 2, 3]), goods(), flag, name) == (
        f"{flag}: '{name}' is taken for the {role}; name another column, or the right {role} with --{role}-column"
    )
    assert refusal(settings, taken(), goods(), "--user-column", name, "--item-column", name) == (
        f"--user-column and --item-column name the same column '{name}'; a column has one role"
    )


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("{:05d}.png", "(00000.png would match without leading zeros)"),
        ("p{}/main.png", "(there is p0/main.png)"),
        ("IMG_{}.png", "(there is IMG_0.png)"),
        ("{}.txt", "(no file of the kinds .avif, "),
    ],
)
def test_pictures_that_are_named_otherwise(settings: Settings, tmp_path: Path, file: str, hint: str) -> None:
    for n in range(N_ITEMS):
        place = tmp_path / "photos" / file.format(n)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")
    line = refusal(settings, taken(), goods(), "--images", tmp_path / "photos")
    assert "no file is named by an item id (such as 0.jpg) or in a column of the items" in line
    assert hint in line


def test_whose_pictures_are_without_pictures(settings: Settings) -> None:
    assert refusal(settings, taken(), goods(), "--images-by", "name").startswith("--images-by says whose the pictures")


def test_a_layout_without_a_folder(settings: Settings) -> None:
    assert refusal(settings, taken(), goods(), "--layout", "recbole").startswith("--layout says how the data of")


def test_two_columns_that_are_called_alike_and_would_join_other_rows(settings: Settings) -> None:
    """As pandas names them after a merge."""
    rows = taken("user_id", "item_id_x").assign(item_id_y=lambda rows: (rows["item_id_x"] * 17 + 5) % N_ITEMS)
    assert refusal(settings, rows, goods()) == (
        "r.csv: 'item_id_x' and 'item_id_y' both match column 'item_id' of i.csv and are called alike; name the right "
        "one with --item-column"
    )
    items = goods("item_no").assign(item_code=[(n * 17 + 5) % N_ITEMS for n in range(N_ITEMS)])
    assert "i.csv: 'item_no' and 'item_code' both match column 'item_id'" in refusal(settings, taken(), items)
    study, _ = of_frames(settings, rows.assign(item_id_y=rows["item_id_x"]), goods())
    assert study.datasets["mine"].source.options["item_column"] == "item_id_x"


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ('{{"data": {0}}}', "holds objects within objects (data); give one object per line, or a list of objects"),
        (
            '[{{"user": {{"id": 1}}, "stars": 1}}]',
            "has further columns, left out, since their values are no text: user",
        ),
    ],
)
def test_records_within_records(settings: Settings, tmp_path: Path, records: str, said: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(records.format(taken().to_json(orient="records")), encoding="utf-8")
    line = complaint(settings, "new", "a", "--interactions", file, "--items", write(goods(), tmp_path / "i.csv"))
    assert line.startswith(f"{file}: ") and said in line


def test_fields_between_unusual_characters_are_asked_for_and_then_read(settings: Settings) -> None:
    folder = settings.studies.parent
    files = folder / "r.csv", folder / "i.csv"
    for table, file in zip((taken(), goods()), files, strict=True):
        table.to_csv(file, index=False, sep="^")
    named = ("--interactions", files[0], "--items", files[1])
    line = complaint(settings, "new", "mine", *named, "--yes")
    assert line.startswith(f"{files[0]}: has one column, 'user_id^item_id', where a person and an item are needed; if")
    assert line.endswith("name them with --delimiter")
    line = complaint(settings, "new", "mine", *named, "--yes", "--delimiter", ";")
    assert line.endswith("needed; --delimiter ';' does not separate it: name what does, or leave it out")
    goods().to_csv(files[1], index=False, sep=",")
    line = complaint(settings, "new", "mine", *named, "--yes", "--delimiter", "^")
    assert line.startswith(
        f"{files[1]}: has one column, 'item_id,title,description'; --delimiter '^' does not separate"
    )
    goods().to_csv(files[1], index=False, sep="^")
    study, _ = new(settings, *files, "--yes", "--delimiter", "^")
    assert options(study)["delimiter"] == "^"


def test_an_encoding_that_cannot_be_told_is_asked_for_and_then_read(settings: Settings) -> None:
    folder = settings.studies.parent
    items = goods().assign(title=[f"Книги {n}" for n in range(N_ITEMS)])
    files = write(taken(), folder / "r.csv"), folder / "i.csv"
    items.to_csv(files[1], index=False, encoding="cp1251")
    line = complaint(settings, "new", "mine", "--interactions", files[0], "--items", files[1], "--yes")
    assert line.startswith(f"{files[1]}: is not UTF-8, and its encoding cannot be detected; name it (`encoding`")
    study, _ = new(settings, *files, "--yes", "--encoding", "cp1251")
    assert options(study)["encoding"] == "cp1251"


def test_a_file_of_blank_lines_holds_no_row(settings: Settings) -> None:
    folder = settings.studies.parent
    (folder / "r.csv").write_text("\n\n  \n")
    line = complaint(
        settings, "new", "mine", "--interactions", folder / "r.csv", "--items", write(goods(), folder / "i.csv")
    )
    assert line == f"{folder / 'r.csv'}: holds no row; give a file with data"


def test_a_code_among_the_ratings_is_named_with_its_file_and_column(settings: Settings) -> None:
    line = refusal(settings, taken(stars=[1, 2, 3, 4, 5, 5, 4, 3, 2, 99]), goods())
    assert line.startswith("r.csv: column 'stars': the ratings go from 1 to 5, but ")
