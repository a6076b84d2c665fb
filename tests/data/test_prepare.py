"""From raw tables to a dataset: indices, parts and counts."""

from dataclasses import replace
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
from recsys.data.times import to_times
from recsys.errors import UserError
from tests.data.strategies import catalogue, raw_data

FIXED = pd.DataFrame(
    [
        ("10", "2", "train"),
        ("10", "9", "valid"),
        ("9", "9", "train"),
        ("9", "2", "test"),
        ("7", "2", "test"),
        ("10", "5", "test"),
    ],
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


@pytest.mark.parametrize(
    ("order", "titles", "listed_by_id"),
    [
        (["2", "5", "9"], True, True),
        (["5", "2", "9"], True, False),
        (["5", "2", "9"], False, True),  # a table of nothing but ids is in the order of the interactions
    ],
)
def test_an_item_table_in_another_order_than_that_of_ids_is_known(
    order: list[str], titles: bool, listed_by_id: bool
) -> None:
    raw = catalogue(FIXED, n_items=11)
    items = raw.items.set_index("item_id", drop=False).loc[order].reset_index(drop=True)
    items["title"] = [f"title {name}" for name in order] if titles else None
    found = prepare(replace(raw, items=items), CleaningRules(), SplitRule(protocol="fixed"))
    assert found.listed_by_id == listed_by_id


def test_an_item_that_cleaning_leaves_out_counts_for_the_order_of_the_table() -> None:
    raw = catalogue(FIXED, n_items=11)
    items = raw.items.set_index("item_id", drop=False).loc[["2", "1", "5", "9"]].reset_index(drop=True)
    items["title"] = "a"
    found = prepare(replace(raw, items=items), CleaningRules(k_core={"items": 1}), SplitRule(protocol="fixed"))
    assert "1" not in set(found.items["item_id"])
    assert not found.listed_by_id


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
            "interactions": 5,
            "train": 2,
            "valid": 1,
            "test": 2,
            "density": 5 / 33,
            "with_image": 1,
            "with_text": 1,
            "steps": {"read": 6, "duplicates": 0, "min_rating": 0, "k_core": 0},
            "quarantined": {"user without training interaction": 1},
        },
        "truth": {"drivers": ["text"]},
        "drawn": False,
        "listed_by_id": False,
        "notes": [],
    }


def test_pictures_are_counted_where_items_have_several(dataset: Dataset) -> None:
    raw = catalogue(FIXED, n_items=11)
    raw.items.loc[[2, 3], "image_path"] = ["2.png", "3.png"]
    further = [["2_1.png", "2_2.png"] if n == 2 else None for n in range(11)]
    several = raw.items.assign(further_image_paths=further, further_image_digests=further)
    counts = prepare(replace(raw, items=several), CleaningRules(), SplitRule(protocol="fixed")).facts["counts"]
    assert (counts["with_image"], counts["pictures"]) == (2, 4)
    assert "pictures" not in dataset.facts["counts"]


@pytest.mark.parametrize(
    ("given", "expected"), [([2, 5, 0, 5, 5, 5], [0, 2]), ([2, 5, 2, 5, 5, 5], None), (None, None)]
)
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


def dated(n_users: int = 30, n_rows: int = 12) -> RawData:
    """Users with so many rows each, dated and labelled by a part."""
    rows = [
        (f"{user}", f"{(7 * user + row) % 20}", 10 * row, ("train", "valid", "test")[max(0, row - n_rows + 3)])
        for user in range(n_users)
        for row in range(n_rows)
    ]
    return catalogue(pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "part"]), n_items=20)


def versions(dataset: Dataset, n_repeats: int) -> list[str]:
    return [dataset.repeat(number).version for number in range(1, n_repeats + 1)]


def test_each_repeat_has_a_split_of_its_own_among_the_same_users_and_items() -> None:
    dataset = prepare(dated(), CleaningRules(), SplitRule(seed=3), n_repeats=3)
    alone = prepare(dated(), CleaningRules(), SplitRule(seed=3))
    pd.testing.assert_frame_equal(dataset.repeat(1).interactions, alone.interactions)
    assert dataset.facts["drawn"]
    repeats = [dataset.repeat(number) for number in (1, 2, 3)]
    assert len({repeat.version for repeat in repeats}) == 3
    whole = (alone.train + alone.valid + alone.test).toarray()
    for repeat in repeats:
        np.testing.assert_array_equal((repeat.train + repeat.valid + repeat.test).toarray(), whole)
        assert repeat.users is dataset.users and repeat.items is dataset.items
        np.testing.assert_array_equal(repeat.test.sum(axis=1), alone.test.sum(axis=1))
        np.testing.assert_array_equal(repeat.popularity, repeat.train.sum(axis=0))
        assert repeat.held_out == repeat.test.nnz / repeat.train.nnz > 0
    assert not np.array_equal(repeats[0].popularity, repeats[1].popularity)


def test_another_repeat_leaves_those_before_it_as_they_were() -> None:
    few, more = (prepare(dated(), CleaningRules(), SplitRule(seed=3), n_repeats) for n_repeats in (2, 3))
    assert versions(more, 3)[:2] == versions(few, 2)
    with pytest.raises(KeyError):
        few.repeat(3)


@pytest.mark.parametrize("protocol", ["temporal", "global_time", "fixed", "leave_one_out"])
def test_a_split_that_is_a_fact_is_the_same_in_all_repeats(protocol: str) -> None:
    dataset = prepare(dated(), CleaningRules(), SplitRule(protocol=protocol), n_repeats=3)
    assert dataset.later_parts.empty and not dataset.facts["drawn"]
    assert len(set(versions(dataset, 3))) == 1
    assert dataset.held_out == 0


def test_a_drawn_split_is_known_to_be_drawn_with_one_repeat_too(tmp_path: Path) -> None:
    once, thrice = (prepare(dated(), CleaningRules(), SplitRule(), n_repeats=n) for n in (1, 3))
    assert once.split_is_drawn and once.held_out == thrice.held_out > 0
    once.save(tmp_path)
    assert Dataset.load(tmp_path).split_is_drawn


@pytest.mark.parametrize("protocol", ["ratio", "temporal"])
def test_repeats_come_back_from_a_folder(protocol: str, tmp_path: Path) -> None:
    dataset = prepare(dated(), CleaningRules(), SplitRule(protocol=protocol), n_repeats=3)
    dataset.save(tmp_path)
    loaded = Dataset.load(tmp_path)
    assert versions(loaded, 3) == versions(dataset, 3)
    assert loaded.held_out == dataset.held_out
    for number in (1, 2, 3):
        assert (loaded.repeat(number).test != dataset.repeat(number).test).nnz == 0


@pytest.mark.parametrize("change", ["rating", "part", "item", "n_users"])
def test_the_version_is_of_all_that_a_model_learns_from(change: str) -> None:
    dataset = prepare(dated(), CleaningRules(), SplitRule())
    rows, users = dataset.interactions.copy(), dataset.users
    if change == "rating":
        rows = rows.assign(rating=1.0)
    elif change == "part":
        rows.loc[rows.index[0], "part"] = "test" if rows["part"].iloc[0] == "valid" else "valid"
    elif change == "item":
        rows.loc[rows.index[0], "item"] = (rows["item"].iloc[0] + 1) % 20
    else:
        users = pd.concat([users, users[:1]])
    assert replace(dataset, interactions=rows, users=users).version != dataset.version
    assert replace(dataset, interactions=dataset.interactions.assign(timestamp=0)).version == dataset.version


def test_a_part_of_users_without_training_alone_is_refused() -> None:
    rows = [("0", "0", 0), ("0", "1", 0), ("0", "2", 0), ("0", "3", 0), ("1", "0", 1), ("1", "1", 2)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    with pytest.raises(UserError) as error:
        prepare(catalogue(frame, 4), CleaningRules(), SplitRule(protocol="global_time"))
    assert str(error.value) == (
        "split 'global_time' leaves the valid part without a user who has training rows; "
        "choose another protocol such as 'temporal'"
    )


@settings(max_examples=30)
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


@settings(max_examples=20)
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


def timed(stamps: list[object], n_users: int = 3) -> RawData:
    """Users of four rows each, whose times come in the order given."""
    rows = [(str(user), str(item), stamp) for user in range(n_users) for item, stamp in enumerate(stamps)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    frame["timestamp"] = to_times(frame["timestamp"].astype("str"))
    return catalogue(frame.assign(row=range(2, len(frame) + 2)), n_items=len(stamps))


@pytest.mark.parametrize("protocol", ["temporal", "leave_one_out", "global_time"])
@pytest.mark.parametrize(
    "stamps",
    [
        [f"2021-03-01T10:00:00.{tenth}00Z" for tenth in (1, 4, 8, 9, 3, 0)],
        [f"1600000000.{tenth}" for tenth in (1, 4, 8, 9, 3, 0)],
        [f"160000000000000000{digit}" for digit in (1, 4, 8, 9, 3, 0)],
    ],
)
def test_the_order_within_a_second_holds(protocol: str, stamps: list[object]) -> None:
    shares = {} if protocol == "leave_one_out" else {"valid": 0.16, "test": 0.16}
    rule = SplitRule.model_validate({"protocol": protocol, **shares})
    dataset = prepare(timed(stamps), CleaningRules(), rule)
    rows = dataset.interactions
    assert set(rows["item"][rows["part"] == "test"]) == {3}
    assert set(rows["item"][rows["part"] == "valid"]) == {2}


def test_a_time_that_cannot_be_read_costs_a_row_only_where_the_split_needs_it() -> None:
    raw = timed(["1600000000", "1600000100", "soon", "1600000300", "1600000000123"])
    kept = prepare(raw, CleaningRules(), SplitRule())
    assert (len(kept.interactions), len(kept.quarantine)) == (15, 0)
    assert kept.facts["notes"] == [
        "6 of 15 interactions: no time that can be read (of another unit than most, before 1900, after 2099, the "
        "first day of 1900 or 1970 for one that is not known, or no time); the split needs none"
    ]
    dated = prepare(raw, CleaningRules(), SplitRule(protocol="temporal"))
    assert (len(dated.interactions), dated.facts["notes"]) == (9, [])
    assert dated.quarantine["row"].tolist() == [4, 6, 9, 11, 14, 16]
    assert dated.quarantine["reason"].str.endswith("and the split needs one").all()


def test_of_a_repeated_pair_the_dated_row_counts() -> None:
    raw = timed(["soon", "1600000000", "1600000001", "1600000002"])
    again = raw.interactions.assign(item_id=raw.interactions["item_id"].replace("1", "0"))
    dataset = prepare(RawData(raw.items, again), CleaningRules(), SplitRule())
    assert dataset.interactions["timestamp"].notna().all()


def test_times_none_of_which_can_be_read_are_refused_where_the_split_needs_them() -> None:
    with pytest.raises(UserError, match="split 'temporal' needs times, and none of 12 can be read; name the right"):
        prepare(timed(["a", "b", "c", "d"]), CleaningRules(), SplitRule(protocol="temporal"))


@pytest.mark.parametrize(
    ("n_users", "line"),
    [(1, "the test part has 1 user (of 1), and models are compared over users: give interactions of 2 or more")],
)
@pytest.mark.parametrize("protocol", ["ratio", "temporal", "leave_one_out"])
def test_too_few_users_to_compare_are_refused(n_users: int, line: str, protocol: str) -> None:
    raw = timed([str(1_600_000_000 + second) for second in range(10)], n_users)
    with pytest.raises(UserError) as error:
        prepare(raw, CleaningRules(), SplitRule(protocol=protocol))
    assert str(error.value).startswith(line)
    assert prepare(timed([str(second) for second in range(10)], 2), CleaningRules(), SplitRule()).n_users == 2
