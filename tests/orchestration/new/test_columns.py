"""Which column is what: names outrank chance, one dirty row decides nothing, and nothing goes unused in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.cli.own_data.guess import Given, guess
from orchestration.settings import Settings
from recsys.data.readers import read
from recsys.errors import UserError
from tests.orchestration.command_line import printed
from tests.orchestration.new.tables import N_ITEMS, goods, new, of_frames, options, refusal, taken, write

WHERE = ("r.csv", "i.csv")
USERS = st.sampled_from(["user_id", "User-ID", "customerId", "reviewerID", "uid", "Kunde", "用户ID", "user_id:token"])
ITEMS = st.sampled_from(["item_id", "asin", "movieId", "ISBN", "Artikel", "商品ID", "item_id:token"])


def as_strings(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(str, na_action="ignore")


@given(
    user=USERS,
    item=ITEMS,
    first_user=st.integers(0, 60),
    known=st.floats(0.5, 1),
    index=st.booleans(),
    fractions=st.booleans(),
)
def test_names_outrank_overlap(
    user: str, item: str, first_user: int, known: float, index: bool, fractions: bool
) -> None:
    """However well the people's numbers match the items', and however badly the items' own do."""
    rng = np.random.default_rng(0)
    pairs = taken(user, item).assign(**{user: lambda rows: rows[user] + first_user})
    strange = rng.random(len(pairs)) > known
    pairs[item] = pairs[item].where(~strange, pairs[item] + 1000).astype(float if fractions else int)
    described = goods(item).sample(frac=1, random_state=1)
    if index:
        described.insert(0, "Unnamed: 0", range(len(described)))
    if (~strange).mean() < 0.5:
        return
    roles = guess(as_strings(pairs), as_strings(described), WHERE, Given())
    assert (roles.user, roles.item, roles.key) == (user, item, item)


@given(repeats=st.integers(0, 5), gaps=st.integers(0, 5), blanks=st.integers(0, 5), data=st.data())
def test_dirty_rows_do_not_decide_the_key(repeats: int, gaps: int, blanks: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations(["item_id", "rank", "shelf", "title"]))
    items = as_strings(goods(rank=range(N_ITEMS), shelf=range(N_ITEMS)))
    items = pd.concat([items, items.head(repeats), items.head(gaps).assign(item_id=None)], ignore_index=True)
    items.loc[: blanks - 1, "item_id"] = items.loc[: blanks - 1, "item_id"].map(lambda name: f" {name} ", "ignore")
    roles = guess(as_strings(taken()), items[order], WHERE, Given())
    assert (roles.item, roles.key) == ("item_id", "item_id")


def test_people_and_items_in_the_same_range(settings: Settings) -> None:
    study, said = of_frames(settings, taken().astype({"item_id": float}), goods())
    assert (options(study)["user_column"], options(study)["item_column"]) == ("user_id", "item_id")
    assert "item: 'item_id', by its name; 100 % of its values are in 'item_id' of the items" in said


@pytest.mark.parametrize("index", ["Unnamed: 0", "", "index"])
def test_an_index_is_never_the_key(settings: Settings, index: str) -> None:
    items = goods().sample(frac=1, random_state=3)
    items = pd.concat([items, items.head(1)])
    items.insert(0, index, range(len(items)))
    study, said = of_frames(settings, taken(), items)
    assert options(study)["item_column"] == "item_id" and "items_id_column" not in options(study)
    assert "which numbers the rows" in said and "1 row of the items with an id that is there already" in said


def test_the_titles_are_those_of_the_items(settings: Settings, tmp_path: Path) -> None:
    items = goods().sample(frac=1, random_state=3)
    items.insert(0, "Unnamed: 0", range(len(items)))
    study, _ = of_frames(settings, taken(), pd.concat([items, items.head(2)]))
    source = study.datasets["mine"].source
    raw = read("table", source.options, Path(source.folder or ""), tmp_path)
    assert (raw.items["title"] == "Item " + raw.items["item_id"]).all()


@pytest.mark.parametrize("name", ["Book-Rating", "rating:float", "user_score", "review_overall", "Sterne", "评分"])
def test_ratings_by_any_name(settings: Settings, name: str) -> None:
    study, said = of_frames(settings, taken(**{name: [1, 2, 3, 4, 5]}), goods())
    assert options(study)["rating_column"] == name
    assert study.datasets["mine"].cleaning.min_rating == 4 and f"rating: '{name}', by its name" in said


def test_what_looks_like_a_rating_is_named_where_it_is_not_used(settings: Settings) -> None:
    rows = taken(verdict=[1, 2, 3], event=["view", "addtocart", "transaction"], note_to_self=["a b c d", "e f g h i"])
    study, said = of_frames(settings, rows.assign(country=rows["user_id"] % 3), goods())
    assert "rating_column" not in options(study)
    assert (
        "! column 'verdict' (1, 2, 3) looks like a rating and is not used: every row counts as liked; "
        "--rating-column 'verdict' uses it"
    ) in said
    assert "! column 'event' (" in said and "may say what was done and is not used" in said
    assert "not used, of the interactions: 'country'" in said
    study, said = of_frames(settings, rows, goods(), "--rating-column", "verdict", "--force")
    assert options(study)["rating_column"] == "verdict" and "rating: 'verdict', as you said" in said


def test_every_column_is_said_to_be_used_or_not(settings: Settings) -> None:
    rows = taken(a=["x1", "x2"], b=[0.5, 7.25], c=["p q", "r s"])
    items = goods(price=3.5, stock=range(N_ITEMS), link=[f"https://example.org/{n}" for n in range(N_ITEMS)])
    _, said = of_frames(settings, rows, items)
    assert [name for name in [*rows, *items] if f"'{name}'" not in said] == []
    assert "! 'link' of the items: addresses in the web, which are not fetched" in said


def test_a_rating_by_name_that_holds_no_numbers(settings: Settings) -> None:
    study, said = of_frames(settings, taken(rating=[f"word{n}" for n in range(30)]), goods())
    assert "rating_column" not in options(study)
    assert "is called like a rating and is not used: every row counts as liked" in said


def test_any_header_works(settings: Settings) -> None:
    study, said = of_frames(settings, taken("row", "col", data=[1, 2, 3]), goods("col", row="words"))
    assert (options(study)["user_column"], options(study)["item_column"]) == ("row", "col")
    assert "! column 'data' (1, 2, 3) looks like a rating and is not used" in said


def test_a_file_without_header_has_the_usual_order(settings: Settings, tmp_path: Path) -> None:
    rows = taken(rating=[1, 2, 3, 4, 5], time=range(1_500_000_000, 1_500_100_000))
    (tmp_path / "u.data").write_text(rows.to_csv(sep="\t", index=False, header=False), encoding="utf-8")
    study, said = new(settings, tmp_path / "u.data", write(goods(), tmp_path / "i.csv"))
    chosen = [options(study)[f"{role}_column"] for role in ("user", "item", "rating", "timestamp")]
    assert chosen == ["1", "2", "3", "4"]
    assert f"read {len(rows)} interactions" in said and "! the interactions have no header" in said


def test_what_the_user_says_outranks_every_guess(settings: Settings) -> None:
    rows = taken(owner_id=range(30), rating=[1, 2, 3], stars=[1, 2, 3, 4, 5], when=["2024-01-01", "2024-02-01"])
    flags = ("--user-column", "owner_id", "--rating-column", "stars", "--time-column", "none")
    more = ("--title-column", "none", "--text-columns", "title,description")
    study, _ = of_frames(settings, rows, goods(), *flags, *more)
    assert options(study)["user_column"] == "owner_id" and options(study)["rating_column"] == "stars"
    assert "timestamp_column" not in options(study) and options(study)["title_column"] == ""
    assert options(study)["text_columns"] == ["title", "description"]


def test_two_files_without_header(settings: Settings, tmp_path: Path) -> None:
    """The number of a column is no name that the two tables could share."""
    rows = taken(stars=[1, 2, 3, 4, 5]).assign(user_id=lambda frame: "u" + frame["user_id"].astype(str))
    rows["item_id"] = "it" + rows["item_id"].astype(str)
    items = goods().assign(item_id=lambda frame: "it" + frame["item_id"].astype(str))
    rows.to_csv(tmp_path / "r.csv", index=False, header=False)
    items.to_csv(tmp_path / "i.csv", index=False, header=False)
    study, _ = new(settings, tmp_path / "r.csv", tmp_path / "i.csv", "--text-columns", "2,3")
    found = options(study)
    assert [found[f"{role}_column"] for role in ("user", "item", "items_id", "rating")] == ["1", "2", "1", "3"]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("date", ["2021-03-01", "2021-03-02", "0000-00-00", "NULL"], "% of its values cannot be read, such as '"),
        ("ts", [1600000000, 1600000001000], "% of its values cannot be read, such as '"),
        ("date", ["3/31/2021", "3/30/2021"], "looks like a time that cannot be read ('3/3"),
    ],
)
def test_times_of_which_some_cannot_be_read(settings: Settings, name: str, values: list[object], said: str) -> None:
    """Neither taken, so that half of the rows would be lost, nor kept quiet about."""
    rows = taken().assign(**{name: np.resize(np.array(values, dtype=object), 600)})
    study, lines = of_frames(settings, rows, goods())
    assert "timestamp_column" not in options(study)
    assert f"! column '{name}' looks like a time" in lines
    assert said in lines


def test_rows_that_a_split_by_time_leaves_out_are_counted(settings: Settings) -> None:
    rows = taken(ts=[1600000000, 1600000001000])
    _, lines = of_frames(settings, rows, goods(), "--time-column", "ts", "--split", "temporal")
    lost = int(min((rows["ts"] < 10**11).sum(), (rows["ts"] > 10**11).sum()))
    assert f"! time: {lost} of 600 rows have none that can be read, and the split leaves them out" in lines


def test_a_rating_in_words_is_named(settings: Settings) -> None:
    _, lines = of_frames(settings, taken(stars=["1/5", "4/5"]), goods())
    assert "/5') is called like a rating and is not used: every row counts as liked; write it as numbers" in lines


def test_a_rating_is_named_by_a_value_that_is_no_number(settings: Settings) -> None:
    rows = taken(stars=["5", "4", "none given"]).sort_values("stars")
    _, lines = of_frames(settings, rows, goods())
    assert "! column 'stars' ('none given') is called like a rating and is not used" in lines


def test_a_split_in_a_table_is_no_kind_of_action(settings: Settings) -> None:
    _, lines = of_frames(settings, taken(part=["train", "val", "test"]), goods())
    assert "looks like a split and is not used: a new one is made" in lines
    assert "what was done" not in lines


def test_kinds_of_action_beside_a_rating_leave_the_rating_its_say(settings: Settings) -> None:
    study, lines = of_frames(settings, taken(rating=[1, 5], event=["view", "buy"]), goods())
    assert study.datasets["mine"].cleaning.min_rating == 5
    assert "may say what was done and is not used; leave out" in lines
    assert "every row counts as liked" not in lines


def test_rows_without_a_time_do_not_count_for_the_core(settings: Settings) -> None:
    rows = taken(ts=[1600000000, 1600000001000])
    study, _ = of_frames(settings, rows, goods(), "--time-column", "ts", "--split", "temporal")
    assert study.datasets["mine"].cleaning.k_core.users < 5


def test_liked_is_a_rating(settings: Settings) -> None:
    study, _ = of_frames(settings, taken(liked=[0, 1]), goods())
    assert options(study)["rating_column"] == "liked"
    assert study.datasets["mine"].cleaning.min_rating == 1


def test_tables_without_headers_are_joined_by_place_and_values_and_not_by_numbers_of_columns(
    settings: Settings, tmp_path: Path
) -> None:
    rows, items = taken("u", "i", rating=[1, 2, 3, 4, 5]), goods("i")
    rows["u"] = rows["u"] % 30  # people who are all among the ids of the items
    rows.to_csv(tmp_path / "r.csv", header=False, index=False)
    items.to_csv(tmp_path / "i.csv", header=False, index=False)
    study, said = new(settings, tmp_path / "r.csv", tmp_path / "i.csv")
    source = options(study)
    assert (source["user_column"], source["item_column"], source["items_id_column"]) == ("1", "2", "1")
    assert source["rating_column"] == "3" and "! the interactions have no header" in said
    study, _ = new(settings, tmp_path / "r.csv", tmp_path / "i.csv", "--user-column", "1", "--force")
    assert options(study)["rating_column"] == "3"


def test_empty_columns_are_refused_in_a_line(settings: Settings) -> None:
    assert "no row of" in refusal(settings, taken().assign(item_id=None), goods())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("helpful_votes", list(range(40))),
        ("preference_rank", [1, 2, 3]),
        ("points_spent", [1, 2, 3, 4, 5]),
        ("disliked", [0, 1]),
        ("returned", ["yes", "no"]),
    ],
)
def test_what_is_no_liking_is_not_taken_for_it(settings: Settings, name: str, values: list[object]) -> None:
    study, said = of_frames(settings, taken(**{name: values}), goods())
    assert "rating_column" not in options(study) and f"'{name}'" in said
    assert f"--rating-column '{name}' uses it" not in said or name in ("preference_rank", "points_spent")


@pytest.mark.parametrize("of", ["user_id", "item_id"])
def test_a_fact_of_the_person_or_the_item_is_no_opinion(settings: Settings, of: str) -> None:
    study, said = of_frames(settings, taken().assign(rating=lambda rows: 1 + rows[of] % 5), goods())
    assert "rating_column" not in options(study)
    what = "person" if of == "user_id" else "item"
    assert f"! column 'rating' has one value for each {what}, so it is no opinion and not used" in said


def test_a_rating_of_something_is_taken_aloud(settings: Settings) -> None:
    _, said = of_frames(settings, taken(service_rating=[1, 2, 3, 4, 5]), goods())
    assert "! rating: 'service_rating', by its name; more is taken to be better, or it is none" in said
    _, said = of_frames(settings, taken(Note=[1, 2, 3, 4, 5, 6]), goods(), "--force")
    assert " rating: 'Note', by its name; more is taken to be better" in said


@pytest.mark.parametrize("missing", ["NA", "n/a", "-", "#N/A"])
def test_what_programs_write_for_a_missing_number_does_not_hide_a_rating(settings: Settings, missing: str) -> None:
    study, said = of_frames(settings, taken(rating=[1, 2, 3, 4, 5, missing]), goods())
    assert options(study)["rating_column"] == "rating" and "rating is not a number" in said


@pytest.mark.parametrize(
    "written",
    [
        "%a %b %d %H:%M:%S -0700 %Y",
        "%a, %d %b %Y %H:%M:%S GMT",
        "%B %d, %Y",
        "%d-%b-%Y",
        "%Y年%m月%d日",
        "%H:%M:%S",
        "1442-%m-%d",
    ],
)
def test_a_time_that_is_not_read_is_named_however_it_is_written(settings: Settings, written: str) -> None:
    times = pd.Timestamp(2021, 3, 1) + pd.to_timedelta(range(600), "h")
    study, said = of_frames(settings, taken().assign(date_added=times.strftime(written)), goods())
    assert "timestamp_column" not in options(study)
    assert "! column 'date_added' looks like a time that cannot be read" in said


def test_parts_of_a_date_order_nothing(settings: Settings) -> None:
    """By the day of the month the first of May would come before the last of April."""
    study, said = of_frames(settings, taken(year=[2020, 2021], month=range(1, 13), day=range(1, 32)), goods())
    assert "timestamp_column" not in options(study)
    assert "! column 'day' (" in said and "may be part of a date, by which nothing can be ordered" in said
    study, _ = of_frames(settings, taken(day=range(1, 711)), goods(), "--force")
    assert options(study)["timestamp_column"] == "day"


def test_a_time_of_day_in_a_column_of_its_own_is_named(settings: Settings) -> None:
    rows = taken(date=["2021-03-01", "2021-03-02"], time=["10:15:00", "9:05:30", "23:59:59"])
    study, said = of_frames(settings, rows, goods())
    assert options(study)["timestamp_column"] == "date"
    assert "is a time of day and is not used beside 'date', so that the order within a day is lost" in said


def test_people_known_by_values_alone_are_taken_aloud(settings: Settings) -> None:
    """As the orders of a shop that leaves its customers out."""
    _, said = of_frames(settings, taken("order_id"), goods())
    assert "! user: 'order_id', the only column whose values repeat as people's do, though its name" in said


def test_rows_without_a_person_are_counted_aloud(settings: Settings) -> None:
    """Shopify names the customer in the first row of each order."""
    rows = taken("Email").assign(Email=lambda rows: rows["Email"].where(rows.index % 2 == 0))
    study, said = of_frames(settings, rows, goods())
    assert options(study)["user_column"] == "Email"
    assert (
        "! 50 % of the interactions have no 'Email' and are left out: fill it in where it is that of the row" in said
    )


def test_of_two_spellings_of_a_name_the_same_one_is_the_item(settings: Settings) -> None:
    rows = taken().assign(Item_ID=lambda rows: rows["item_id"].map(lambda n: (n * 17 + 5) % N_ITEMS))
    study, _ = of_frames(settings, rows[["Item_ID", "user_id", "item_id"]], goods())
    assert options(study)["item_column"] == "item_id"
    items = goods().assign(**{"Item ID": [(n * 17 + 5) % N_ITEMS for n in range(N_ITEMS)]})
    study, _ = of_frames(settings, taken(), items[["Item ID", "item_id", "title"]], "--force")
    assert options(study).get("items_id_column", "item_id") == "item_id"


CELLS = st.sampled_from(["1", "2.0", " 3", "", "x", "ä b", "2020-01-01", "1600000000", "[/x]", "a.jpg", "https://x"])
NAMES = st.sampled_from(
    ["1", "2", "user_id", "item_id", "id", "row", "rating", "date", "title", "Unnamed: 0", "ชื่อ", ""]
)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Any few columns of any few cells, empty ones too."""
    columns = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=12))
    frame = pd.DataFrame(rows, columns=columns, dtype="object")
    return frame.mask(frame == "", None)


@given(interactions=tables(), items=tables(), numbered=st.booleans())
def test_any_two_tables_are_guessed_or_refused_in_a_line(
    interactions: pd.DataFrame, items: pd.DataFrame, numbered: bool
) -> None:
    try:
        roles = guess(interactions, items, WHERE, Given(), numbered)
    except UserError as error:
        assert "\n" not in str(error)
        return
    assert {roles.user, roles.item} <= set(interactions) and roles.key in items and roles.user != roles.item


def test_the_column_of_the_items_is_not_the_users(settings: Settings) -> None:
    with pytest.raises(UserError, match="100 % of the values of --user-column 'item_id' are ids of items"):
        guess(as_strings(taken()), as_strings(goods()), WHERE, Given(user="item_id"))


@pytest.mark.parametrize(("lost", "warns"), [(60, True), (12, False)])
def test_rows_that_are_lost_are_a_warning_from_a_twentieth_on(settings: Settings, lost: int, warns: bool) -> None:
    rows = taken(rating=range(1, 6)).astype({"rating": object})
    rows.loc[: lost - 1, "rating"] = "inf"
    _, said = of_frames(settings, rows, pd.concat([goods(), goods()]))
    line = f"quarantined {lost} interactions: rating is not a number"
    assert line in said and (f"! {line}" in said) == warns
    assert "quarantined 40 items: the same row again" in said and "! quarantined 40 items" not in said


def test_people_whose_ids_differ_by_case_are_said_here_and_by_check(settings: Settings) -> None:
    rows = taken().assign(user_id=lambda rows: "u" + rows["user_id"].astype(str))
    rows.loc[rows.index % 2 == 0, "user_id"] = rows["user_id"].str.upper()
    _, said = of_frames(settings, rows, goods())
    assert "! 120 user ids equal another but for case, such as 'U0' and 'u0'" in said
    assert "120 user ids equal another but for case" in printed(settings, "check", "mine")
