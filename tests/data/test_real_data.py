"""The real sets against the figures known of them."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.data.cleaning import CleaningRules
from recsys.data.dataset import Dataset
from recsys.data.prepare import prepare
from recsys.data.readers import read
from recsys.data.splits import SplitRule

pytestmark = pytest.mark.data


@pytest.fixture
def folder() -> Path:
    if "MODALIFT_DATA" not in os.environ:
        pytest.skip("MODALIFT_DATA does not name the folder of real data")
    return Path(os.environ["MODALIFT_DATA"])


def counted(dataset: Dataset) -> tuple[int, ...]:
    counts = dataset.facts["counts"]
    return tuple(counts[name] for name in ("users", "items", "train", "valid", "test"))


LASTFM = {"items": "items.csv", "title_column": "name", "text_columns": ["text"]}


@pytest.mark.parametrize(
    ("name", "options", "expected", "cold_rows"),
    [
        ("baby", {}, (19_445, 7_050, 118_551, 20_559, 21_682), 0),
        ("taobao", {}, (12_539, 8_735, 58_570, 12_539, 12_539), 0),
        ("douyin", {}, (17_876, 5_200, 87_859, 18_056, 18_503), 0),
        ("lastfm-2k", LASTFM, (1_858, 1_425, 44_327, 4_799, 7_219), 0),
        # The file has 3,051 and 6,130 held-out rows, ten of them of users without a training row.
        ("tiktok", {}, (9_308, 6_710, 59_541, 3_046, 6_125), 10),
    ],
)
def test_published_splits(
    folder: Path, tmp_path: Path, name: str, options: dict[str, Any], expected: tuple[int, ...], cold_rows: int
) -> None:
    dataset = prepare(read("inter", options, folder / name, tmp_path), CleaningRules(), SplitRule(protocol="fixed"))
    assert counted(dataset) == expected
    assert len(dataset.quarantine) == cold_rows
    assert dataset.items["item_id"].tolist() == [str(index) for index in range(dataset.n_items)]
    for file in (folder / name).glob("*_feat.npy"):
        assert len(np.load(file, mmap_mode="r", allow_pickle=False)) == dataset.n_items
    assert dataset.ratings is None  # Last.fm has a column of ratings, all of them 1
    assert dataset.facts["counts"]["with_text"] == (1_425 if name == "lastfm-2k" else 0)


def test_movielens_small(folder: Path, tmp_path: Path) -> None:
    raw = read("movielens", {}, folder / "movielens-small", tmp_path)
    assert (len(raw.interactions), raw.interactions["item_id"].nunique()) == (100_836, 9_724)
    assert raw.quarantine.empty
    dataset = prepare(raw, CleaningRules(k_core={"items": 5}), SplitRule(protocol="temporal"))
    counts = dataset.facts["counts"]
    assert (counts["users"], counts["items"], counts["with_image"], counts["with_text"]) == (610, 3_650, 3_631, 2_718)
    assert dataset.ratings is not None and set(np.unique(dataset.ratings.data)) == set(np.arange(0.5, 5.5, 0.5))
    assert counts["interactions"] == counts["train"] + counts["valid"] + counts["test"]
