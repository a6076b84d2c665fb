"""From raw tables to a dataset: indices, parts and counts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from recsys.data.cleaning import CleaningRules
from recsys.data.dataset import Dataset
from recsys.data.prepare import in_order, prepare
from recsys.data.raw import RawData
from recsys.data.splits import SplitRule
from recsys.errors import UserError
from tests.data.strategies import catalogue, raw_data

FIXED = pd.DataFrame(
    [("10", "2", "train"), ("10", "9", "valid"), ("9", "9", "train"), ("9", "2", "test"), ("7", "2", "test")],
    columns=["user_id", "item_id", "part"],
)


@pytest.fixture
def dataset() -> Dataset:
    raw = catalogue(FIXED, n_items=11)
    raw.items.loc[2, ["text", "image_path"]] = ["words", "2.png"]
    shuffled = RawData(raw.items.sample(frac=1, random_state=1), raw.interactions, truth={"drivers": ["text"]})
    return prepare(shuffled, CleaningRules(), SplitRule(protocol="fixed"))


def test_whole_number_ids_are_ordered_by_value_others_by_letter() -> None:
    assert in_order(np.array(["10", "9", "1"], dtype=object)).tolist() == ["1", "9", "10"]
    assert in_order(np.array(["10", "9", "x"], dtype=object)).tolist() == ["10", "9", "x"]


def test_row_i_of_a_feature_file_is_item_i(dataset: Dataset) -> None:
    assert dataset.items["item_id"].tolist() == [str(index) for index in range(11)]
    assert dataset.items["text"][2] == "words"
    assert dataset.users["user_id"].tolist() == ["7", "9", "10"]
    assert dataset.train.nonzero()[0].tolist() == [1, 2]
    assert dataset.train.nonzero()[1].tolist() == [9, 2]


def test_rows_of_users_without_training_are_set_aside(dataset: Dataset) -> None:
    assert dataset.quarantine[["table", "key", "reason"]].to_numpy().tolist() == [
        ["interactions", "7 / 2", "user without training interaction"]
    ]
    assert dataset.n_users == 3


def test_counts(dataset: Dataset) -> None:
    assert dataset.facts == {
        "counts": {
            "users": 3,
            "items": 11,
            "interactions": 4,
            "train": 2,
            "valid": 1,
            "test": 1,
            "density": 4 / 33,
            "with_image": 1,
            "with_text": 1,
            "steps": {"read": 5, "duplicates": 0, "min_rating": 0, "k_core": 0},
            "quarantined": {"user without training interaction": 1},
        },
        "truth": {"drivers": ["text"]},
    }


@pytest.mark.parametrize(("given", "expected"), [([2, 5, 0, 5, 5], [0, 2]), ([2, 5, 2, 5, 5], None), (None, None)])
def test_ratings_stand_where_training_does_unless_they_tell_nothing(
    given: list[int] | None, expected: list[int] | None
) -> None:
    rated = FIXED if given is None else FIXED.assign(rating=np.asarray(given, dtype=float))
    dataset = prepare(catalogue(rated, n_items=11), CleaningRules(), SplitRule(protocol="fixed"))
    if expected is None:
        assert dataset.ratings is None
    else:
        assert dataset.ratings is not None
        np.testing.assert_array_equal(dataset.ratings.indices, dataset.train.indices)
        np.testing.assert_array_equal(dataset.ratings.indptr, dataset.train.indptr)
        assert dataset.ratings.data.tolist() == expected


def test_a_saved_dataset_comes_back(dataset: Dataset, tmp_path: Path) -> None:
    dataset.save(tmp_path)
    loaded = Dataset.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.interactions, dataset.interactions)
    assert loaded.items["image_path"].dropna().tolist() == [str(tmp_path / "2.png")]
    assert loaded.facts == dataset.facts


def test_a_part_of_users_without_training_alone_is_refused() -> None:
    rows = [("0", "0", 0), ("0", "1", 0), ("0", "2", 0), ("0", "3", 0), ("1", "0", 1), ("1", "1", 2)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    with pytest.raises(UserError) as error:
        prepare(catalogue(frame, 4), CleaningRules(), SplitRule(protocol="global_time"))
    assert str(error.value) == (
        "split 'global_time' leaves the valid part without a user who has training rows; "
        "choose another protocol such as 'temporal'"
    )


@settings(max_examples=30, deadline=None)
@given(raw=raw_data())
def test_every_row_is_in_one_part_or_in_the_quarantine(raw: RawData) -> None:
    try:
        dataset = prepare(raw, CleaningRules(min_rating=2), SplitRule(protocol="global_time"))
    except UserError:
        return
    out = dataset.quarantine.query("table == 'interactions'")
    assert len(dataset.interactions) + len(out) == len(raw.interactions)
    assert out["row"].is_unique
    parts = dataset.train + dataset.valid + dataset.test
    assert parts.nnz == len(dataset.interactions)
    assert parts.max() == 1
    held_out = (dataset.valid + dataset.test).sum(axis=1) > 0
    assert (dataset.train.sum(axis=1)[held_out] > 0).all()


@settings(max_examples=20, deadline=None)
@given(raw=raw_data())
def test_the_order_of_rows_does_not_matter(raw: RawData) -> None:
    unique = raw.interactions.drop_duplicates(["user_id", "item_id"])
    shuffled = unique.sample(frac=1, random_state=3)
    try:
        first, second = (
            prepare(RawData(raw.items, frame), CleaningRules(), SplitRule()) for frame in (unique, shuffled)
        )
    except UserError:
        return
    pd.testing.assert_frame_equal(first.interactions, second.interactions)
