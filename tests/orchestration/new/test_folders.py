"""`new --folder`: data in a published layout, read as it was downloaded."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestration.settings import Settings
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.file import load_study
from tests.orchestration.command_line import complaint, printed
from tests.orchestration.new.tables import N_ITEMS, goods, taken

TIMES = range(1_500_000_000, 1_500_100_000)


def written(settings: Settings, folder: Path, *more: str) -> tuple[DatasetSpec, str]:
    said = printed(settings, "new", "mine", "--folder", folder, *more)
    assert "✗" not in printed(settings, "check", "mine")
    return load_study(settings.studies / "mine.yaml").datasets["mine"], said


def movielens(folder: Path) -> Path:
    folder.mkdir()
    ratings = taken("userId", "movieId", rating=[n / 2 for n in range(1, 11)], timestamp=TIMES)
    ratings.to_csv(folder / "ratings.csv", index=False)
    goods("movieId").rename(columns={"description": "genres"}).to_csv(folder / "movies.csv", index=False)
    return folder


def test_movielens(settings: Settings, tmp_path: Path) -> None:
    spec, said = written(settings, movielens(tmp_path / "ml-latest-small"))
    assert (spec.source.reader, spec.source.folder) == ("movielens", str(tmp_path / "ml-latest-small"))
    assert spec.cleaning.min_rating == 4 and spec.split.protocol == "temporal" and "text" in spec.content
    assert "layout: movielens, since " in said and "min_rating: 4, as usual for this layout" in said
    assert spec.scenario.date_of_data == "2017"


def mmrec(folder: Path) -> Path:
    folder.mkdir()
    rows = taken("userID", "itemID")
    rows["x_label"] = rows.groupby("userID").cumcount().map(lambda n: max(n - 7, 0))
    rows.to_csv(folder / "baby.inter", sep="\t", index=False)
    rng = np.random.default_rng(1)
    np.save(folder / "image_feat.npy", rng.normal(size=(N_ITEMS, 4)).astype("float32"))
    np.save(folder / "text_feat.npy", rng.normal(size=(N_ITEMS, 4)).astype("float32"))
    np.save(folder / "short_feat.npy", rng.normal(size=(3, 4)).astype("float32"))
    return folder


def test_mmrec_with_its_split_and_features(settings: Settings, tmp_path: Path) -> None:
    spec, said = written(settings, mmrec(tmp_path / "baby"))
    assert spec.split.protocol == "fixed" and spec.cleaning.k_core.users == 0
    assert {name: content.options for name, content in spec.content.items()} == {
        "image": {"file": "image_feat.npy"},
        "text": {"file": "text_feat.npy"},
    }
    assert "content: 'text' from text_feat.npy" in said
    spec, said = written(settings, tmp_path / "baby", "--split", "ratio", "--force")
    assert spec.split.protocol == "ratio"


def recbole(folder: Path) -> Path:
    folder.mkdir()
    rows = taken("user_id:token", "item_id:token", **{"rating:float": [1, 2, 3, 4, 5], "timestamp:float": TIMES})
    rows.to_csv(folder / "shop.inter", sep="\t", index=False)
    items = goods("item_id:token").rename(columns={"title": "title:token_seq", "description": "class:token_seq"})
    items.to_csv(folder / "shop.item", sep="\t", index=False)
    return folder


def test_recbole(settings: Settings, tmp_path: Path) -> None:
    spec, said = written(settings, recbole(tmp_path / "shop"))
    assert spec.source.reader == "recbole" and spec.cleaning.min_rating == 4 and "text" in spec.content
    assert spec.split.protocol == "temporal" and spec.scenario.feedback == "a rating of 4 or more"
    assert "min_rating: 4 in the upper part of a scale of 1 to 5" in said


@pytest.mark.parametrize(
    "more", [["--interactions", "r.csv"], ["--user-column", "x"], ["--images", "photos"], ["--encoding", "cp1251"]]
)
def test_a_folder_is_read_as_it_is(settings: Settings, tmp_path: Path, more: list[str]) -> None:
    line = complaint(settings, "new", "a", "--folder", movielens(tmp_path / "ml"), *more)
    assert line.startswith("--folder is read as it is: leave out --interactions")


def test_folders_that_are_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "empty" / "x.csv")
    assert complaint(settings, "new", "a", "--folder", tmp_path / "empty") == (
        f"{tmp_path / 'empty'}: is in no known layout; give its files with --interactions and --items"
    )
    assert complaint(settings, "new", "a", "--folder", tmp_path / "gone").startswith(f"{tmp_path / 'gone'}: ")
    line = complaint(settings, "new", "a", "--folder", movielens(tmp_path / "ml"), "--layout", "yelp")
    assert "is not in the layout 'yelp'" in line
    assert list(settings.studies.iterdir()) == []
