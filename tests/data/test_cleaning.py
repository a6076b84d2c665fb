"""Cleaning: hand-computed cases, and what must hold for any input."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from recsys.data.cleaning import CleaningRules, KCore, clean
from recsys.data.raw import RawData
from recsys.errors import UserError
from tests.data.strategies import catalogue, raw_data


def interactions(*rows: tuple[str, str, float, int]) -> RawData:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    return catalogue(frame.assign(row=range(2, len(rows) + 2)), n_items=4)


def pairs(raw: RawData) -> list[tuple[str, str]]:
    return list(zip(raw.interactions["user_id"], raw.interactions["item_id"], strict=True))


def test_latest_of_a_repeated_pair_counts_before_the_threshold() -> None:
    raw = interactions(("u", "0", 5, 1), ("u", "0", 1, 9), ("u", "1", 1, 1), ("u", "1", 5, 9), ("u", "2", 5, 3))
    cleaned = clean(raw, CleaningRules(min_rating=4))
    assert pairs(cleaned.raw) == [("u", "1"), ("u", "2")]
    assert cleaned.steps == {"read": 5, "duplicates": 2, "min_rating": 1, "k_core": 0}
    assert cleaned.raw.quarantine.to_numpy().tolist() == [
        ["interactions", 2, "u / 0", "pair again: the latest was kept, else the first"],
        ["interactions", 3, "u / 0", "rating below 4"],
        ["interactions", 4, "u / 1", "pair again: the latest was kept, else the first"],
    ]


def test_first_of_a_repeated_pair_counts_where_no_time_tells() -> None:
    raw = interactions(("u", "0", 5, 7), ("u", "0", 1, 7))
    assert clean(raw, CleaningRules()).raw.interactions["rating"].tolist() == [5]
    timeless = RawData(raw.items, raw.interactions.drop(columns="timestamp"))
    assert clean(timeless, CleaningRules()).raw.interactions["rating"].tolist() == [5]


def test_core_is_taken_until_it_holds_and_unmet_items_leave() -> None:
    # Item 2 goes for having one row; user c then has one row and goes; user d never had two.
    rows = [("a", "0"), ("a", "1"), ("b", "0"), ("b", "1"), ("c", "0"), ("c", "2"), ("d", "1")]
    raw = interactions(*[(user, item, 1.0, 0) for user, item in rows])
    cleaned = clean(raw, CleaningRules(k_core=2))
    assert pairs(cleaned.raw) == rows[:4]
    assert cleaned.raw.items["item_id"].tolist() == ["0", "1"]
    items_out = cleaned.raw.quarantine.query("table == 'items'")
    assert items_out[["key", "reason"]].to_numpy().tolist() == [[str(i), "fewer than 2 interactions"] for i in (2, 3)]


def test_items_without_interactions_stay_unless_the_core_asks_for_one() -> None:
    raw = interactions(("u", "0", 1, 0))
    assert clean(raw, CleaningRules(k_core={"users": 1})).raw.items["item_id"].tolist() == ["0", "1", "2", "3"]
    assert clean(raw, CleaningRules(k_core={"items": 1})).raw.items["item_id"].tolist() == ["0"]


def test_rules_are_read_as_written() -> None:
    assert CleaningRules(k_core=5).k_core == KCore(users=5, items=5)
    assert CleaningRules(k_core={"items": 5}).k_core == KCore(users=0, items=5)
    for wrong in ({"k_core": -1}, {"k_core": {"item": 5}}, {"min_ratings": 3}, {"min_rating": math.nan}):
        with pytest.raises(ValidationError):
            CleaningRules(**wrong)


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (
            CleaningRules(min_rating=6),
            "cleaning leaves no interaction: 'min_rating' removed the last 1; lower 'min_rating' (6.0)",
        ),
        (
            CleaningRules(k_core=2),
            "cleaning leaves no interaction: 'k_core' removed the last 1; lower 'k_core' (users: 2, items: 2)",
        ),
    ],
)
def test_an_empty_result_names_the_step(rules: CleaningRules, line: str) -> None:
    with pytest.raises(UserError) as error:
        clean(interactions(("u", "0", 1, 0), ("u", "0", 1, 1)), rules)
    assert str(error.value) == line


def test_no_interactions_and_no_ratings_are_refused() -> None:
    with pytest.raises(UserError, match="the source has no usable interaction"):
        clean(interactions(), CleaningRules())
    raw = interactions(("u", "0", 1, 0))
    with pytest.raises(UserError, match="'min_rating' is set but the source has no ratings"):
        clean(RawData(raw.items, raw.interactions.drop(columns="rating")), CleaningRules(min_rating=1))


@settings(max_examples=60)
@given(raw=raw_data(), users=st.integers(0, 4), items=st.integers(0, 4), min_rating=st.sampled_from([None, 2.0, 3.0]))
def test_whatever_the_input(raw: RawData, users: int, items: int, min_rating: float | None) -> None:
    rules = CleaningRules(min_rating=min_rating, k_core={"users": users, "items": items})
    try:
        cleaned = clean(raw, rules)
    except UserError:
        return
    kept, out = cleaned.raw.interactions, cleaned.raw.quarantine.query("table == 'interactions'")
    assert sorted([*kept["row"], *out["row"]]) == raw.interactions["row"].tolist()
    assert len(out) == sum(cleaned.steps[step] for step in ("duplicates", "min_rating", "k_core"))
    assert kept["user_id"].value_counts().min() >= users
    assert kept["item_id"].value_counts().min() >= items
    assert not kept.duplicated(["user_id", "item_id"]).any()
    assert min_rating is None or kept["rating"].min() >= min_rating
    again = clean(cleaned.raw, rules)
    assert again.steps == {"read": len(kept), "duplicates": 0, "min_rating": 0, "k_core": 0}


@settings(max_examples=30)
@given(raw=raw_data(), k=st.integers(2, 4))
def test_the_core_is_the_largest_one(raw: RawData, k: int) -> None:
    """Peeling in another order, one user or item at a time, ends in the same place."""
    left = raw.interactions.drop_duplicates(["user_id", "item_id"])
    while True:
        counts = pd.concat([left[side].value_counts() for side in ("item_id", "user_id")], keys=["item_id", "user_id"])
        few = counts[counts < k]
        if few.empty:
            break
        side, key = few.index[0]
        left = left[left[side] != key]
    expected = set(zip(left["user_id"], left["item_id"], strict=True))
    try:
        assert set(pairs(clean(raw, CleaningRules(k_core=k)).raw)) == expected
    except UserError:
        assert not expected
