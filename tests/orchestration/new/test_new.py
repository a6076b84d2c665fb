"""`new` from end to end: what is written for the tables that shops and services have."""

from pathlib import Path

import pandas as pd

from orchestration.settings import Settings
from tests.orchestration.command_line import complaint, printed
from tests.orchestration.new.tables import N_ITEMS, goods, new, of_frames, pictures, write
from tests.orchestration.new.tables import taken as rows


def test_a_shop_with_stars_dates_and_photos_named_by_id(settings: Settings, tmp_path: Path) -> None:
    orders = rows("customer_id", "asin", stars=[1, 2, 3, 4, 5], created_at=["2024-01-02 10:00:00", "2024-02-03"])
    products = pd.DataFrame({"asin": range(N_ITEMS), "name": "Chair", "description": "A chair", "price": 3.5})
    photos = pictures(tmp_path / "photos", [f"{n}.jpg" for n in range(N_ITEMS - 2)])
    study, said = new(
        settings, write(orders, tmp_path / "o.csv"), write(products, tmp_path / "p.csv"), "--images", photos
    )
    spec = study.datasets["mine"]
    assert spec.source.model_dump() == {
        "reader": "table",
        "folder": str(tmp_path),
        "interactions": "o.csv",
        "items": "p.csv",
        "user_column": "customer_id",
        "item_column": "asin",
        "rating_column": "stars",
        "timestamp_column": "created_at",
        "title_column": "name",
        "text_columns": ["description"],
        "images": "photos",
    }
    assert spec.cleaning.min_rating == 4 and "min_rating: 4 in the upper part of a scale of 1 to 5" in said
    assert spec.split.protocol == "temporal"
    assert set(spec.content) == {"text", "image"}
    assert "38 of 40 items have a file named by their id" in said
    assert said.endswith("modalift check mine modalift run mine --dry-run modalift run mine")


def test_photos_that_could_be_of_two_items_are_said_once(settings: Settings, tmp_path: Path) -> None:
    orders, products = rows("user", "item"), pd.DataFrame({"item": range(N_ITEMS), "name": "Chair"})
    photos = pictures(tmp_path / "photos", [f"{n}.jpg" for n in range(N_ITEMS)])
    pictures(photos / "5", ["7.jpg"])
    study, said = new(
        settings, write(orders, tmp_path / "o.csv"), write(products, tmp_path / "p.csv"), "--images", photos
    )
    assert said.count("such as 5/7.jpg; the name counts") == 1
    assert study.datasets["mine"].source.options["images_by"] == "name"


def test_movielens_like_parquet_with_camel_case(settings: Settings, tmp_path: Path) -> None:
    ratings = rows("userId", "movieId", rating=[0.5, 3.0, 4.0, 5.0], timestamp=[1_500_000_000, 1_600_000_000])
    films = pd.DataFrame({"movieId": range(N_ITEMS), "title": "Film", "genres": "Drama|War"})
    study, _ = new(settings, write(ratings, tmp_path / "r.parquet"), write(films, tmp_path / "f.parquet"))
    source = study.datasets["mine"].source.options
    assert (source["user_column"], source["item_column"]) == ("userId", "movieId")
    assert (source["rating_column"], source["timestamp_column"]) == ("rating", "timestamp")
    assert (source["title_column"], source["text_columns"]) == ("title", ["genres"])
    assert study.datasets["mine"].cleaning.min_rating == 4


def test_clicks_without_ratings_where_items_call_their_id_otherwise(settings: Settings, tmp_path: Path) -> None:
    clicks = rows("uid", "product", ts=[1, 2, 3]).reset_index(names="id")
    items = pd.DataFrame({"sku": range(N_ITEMS), "headline": "News", "picture": [f"{n}.png" for n in range(N_ITEMS)]})
    pictures(tmp_path / "img", [f"{n}.png" for n in range(N_ITEMS)])
    items["picture"] = "img/" + items["picture"]
    study, _ = new(settings, write(clicks, tmp_path / "c.csv"), write(items, tmp_path / "i.csv"))
    spec, source = study.datasets["mine"], study.datasets["mine"].source.options
    assert (source["item_column"], source["items_id_column"], source["user_column"]) == ("product", "sku", "uid")
    assert source["image_column"] == "picture" and "images" not in source
    assert "rating_column" not in source and spec.cleaning.min_rating is None
    assert spec.scenario.feedback == "every row"


def test_a_column_names_the_files_of_the_image_folder(settings: Settings, tmp_path: Path) -> None:
    items = pd.DataFrame({"item": [f"x{n}" for n in range(N_ITEMS)], "title": "Thing"})
    items["file"] = [f"shot_{n}.jpg" for n in range(N_ITEMS)]
    likes = rows("user", "item").assign(item=lambda frame: "x" + frame["item"].astype(str))
    shots = pictures(tmp_path / "a" / "shots", items["file"].tolist())
    study, _ = new(
        settings, write(likes, tmp_path / "l.csv"), write(items, tmp_path / "b" / "i.csv"), "--images", shots
    )
    source = study.datasets["mine"].source.options
    assert (source["image_column"], source["images"], source["items"]) == ("file", "a/shots", "b/i.csv")


def test_unnamed_columns_are_found_by_their_values(settings: Settings, tmp_path: Path) -> None:
    pairs = rows("who", "what", first_item=1000)
    items = pd.DataFrame({"code": range(1000, 1000 + N_ITEMS), "name": "Thing"})
    study, said = new(settings, write(pairs, tmp_path / "p.csv"), write(items, tmp_path / "i.csv"))
    source = study.datasets["mine"].source.options
    assert (source["user_column"], source["item_column"], source["items_id_column"]) == ("who", "what", "code")
    assert "user: 'who', the only column whose values repeat as people's do" in said


def test_a_time_split_on_request_needs_times(settings: Settings, tmp_path: Path) -> None:
    items = write(pd.DataFrame({"item": range(N_ITEMS), "name": "Thing"}), tmp_path / "i.csv")
    dated = write(rows("user", "item", date=["2024-01-01", "2024-05-05"]), tmp_path / "d.csv")
    study, _ = new(settings, dated, items, "--split", "temporal")
    assert study.datasets["mine"].split.protocol == "temporal"
    plain = write(rows("user", "item"), tmp_path / "p.csv")
    ask = ("new", "other", "--interactions", plain, "--items", items, "--split", "temporal")
    assert complaint(settings, *ask) == (
        "--split temporal needs a column of times, and none was found; "
        "name it with --time-column, or leave --split out"
    )


def test_small_data_get_a_small_core(settings: Settings, tmp_path: Path) -> None:
    few = rows("user", "item").query("user < 25").groupby("user").head(3)
    items = write(pd.DataFrame({"item": range(N_ITEMS), "name": "Thing"}), tmp_path / "i.csv")
    study, said = new(settings, write(few, tmp_path / "p.csv"), items)
    assert study.datasets["mine"].cleaning.k_core.users == 2 and "k_core: 2" in said


def test_mistakes_are_one_line(settings: Settings, tmp_path: Path) -> None:
    items = write(pd.DataFrame({"item": range(N_ITEMS), "name": "Thing"}), tmp_path / "i.csv")
    pairs = write(rows("user", "item"), tmp_path / "p.csv")

    def said(name: str, *arguments: str | Path) -> str:
        return complaint(settings, "new", name, *arguments)

    both = ("--interactions", pairs, "--items", items)
    assert said("2nd", *both) == "'2nd' cannot be a name: use letters, digits and _, a letter first, 60 at most"
    gone = tmp_path / "gone.csv"
    assert said("a", "--interactions", gone, "--items", items) == (
        f"{gone}: there is no such file; --interactions takes a CSV, TSV, JSON lines or Parquet file"
    )
    others = write(pd.DataFrame({"sku": ["x", "y", "z"]}), tmp_path / "x.csv")
    assert said("a", "--interactions", pairs, "--items", others) == (
        f"{pairs} and {others}: no row of 'item' has an id that is in column 'sku' of the items "
        "('9' here, 'x' there); write the ids alike in both files, "
        "or name the columns with --item-column and --items-id-column"
    )
    empty = tmp_path / "none"
    empty.mkdir()
    assert said("a", *both, "--images", empty).startswith(f"{empty}: no file is named by an item id (such as 0.jpg)")
    assert printed(settings, "new", "a", *both)
    file = settings.studies / "a.yaml"
    assert said("a", *both) == f"{file}: exists already; give another name, or --force to replace it"
    assert printed(settings, "new", "a", *both, "--force")
    file.rename(settings.studies / "b.yaml")
    assert said("a", *both) == "'a' is a dataset of study b already: give another name"
    assert said("demo", *both) == "'demo' is the study that comes with modalift: give another name"


def test_pairs_that_stand_twice_are_counted(settings: Settings) -> None:
    once = rows(timestamp=range(1_600_000_000, 1_600_900_000, 1_000))
    twice = pd.concat([once, once.head(30)])
    _, said = of_frames(settings, twice.drop(columns="timestamp"), goods(), "--yes")
    assert "30 interactions of a pair that is there already: the first counts" in said
    _, said = of_frames(settings, twice, goods(), "--yes", "--force")
    assert "30 interactions of a pair that is there already: the latest counts" in said


def test_a_rating_whose_column_has_no_name_is_no_row_number(settings: Settings) -> None:
    rated = rows(rating=[1, 2, 3, 4, 5]).rename(columns={"rating": ""})
    _, said = of_frames(settings, rated, goods(), "--yes")
    assert "numbers the rows" not in said
    assert "'3'" in said
    numbered = rows().reset_index(names="").sample(frac=1, random_state=0)
    _, said = of_frames(settings, numbered, goods(), "--yes", "--force")
    assert "not used, of the interactions: '1', which numbers the rows" in said
