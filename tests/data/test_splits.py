"""Splits: hand-computed cases, and what must hold for any input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from recsys.data.splits import PROTOCOLS, WITHOUT_EFFECT, SplitRule, assign_parts, is_drawn, of_repeat
from recsys.errors import UserError


def users_of(*sizes: int) -> pd.DataFrame:
    """Users with so many rows each, in the order of time."""
    user = np.repeat(np.arange(len(sizes)), sizes)
    item = np.concatenate([np.arange(size) for size in sizes])
    return pd.DataFrame({"user": user, "item": item, "timestamp": item * 10})


def counts(frame: pd.DataFrame, parts: pd.Series) -> list[tuple[int, int, int]]:
    table = pd.crosstab(frame["user"], parts).reindex(columns=["train", "valid", "test"], fill_value=0)
    return [tuple(row) for row in table.to_numpy().tolist()]


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("mmrec", [(1, 0, 0), (1, 0, 1), (1, 1, 1), (7, 1, 1), (8, 1, 1), (12, 1, 2), (24, 3, 3)]),
        ("floor", [(1, 0, 0), (2, 0, 0), (3, 0, 0), (9, 0, 0), (8, 1, 1), (13, 1, 1), (24, 3, 3)]),
        ("ceil", [(1, 0, 0), (1, 0, 1), (1, 1, 1), (7, 1, 1), (8, 1, 1), (11, 2, 2), (24, 3, 3)]),
    ],
)
def test_shares_become_whole_rows(rounding: str, expected: list[tuple[int, int, int]]) -> None:
    frame = users_of(1, 2, 3, 9, 10, 15, 30)
    for protocol in ("ratio", "temporal"):
        rule = SplitRule(protocol=protocol, rounding=rounding)
        assert counts(frame, assign_parts(frame, rule)) == expected


def test_leave_one_out_takes_the_last_two() -> None:
    frame = users_of(1, 2, 4)
    parts = assign_parts(frame, SplitRule(protocol="leave_one_out"))
    assert parts.tolist() == ["train", "train", "test", "train", "train", "valid", "test"]
    drawn = assign_parts(frame.drop(columns="timestamp"), SplitRule(protocol="leave_one_out"))
    assert counts(frame, drawn) == [(1, 0, 0), (1, 0, 1), (2, 1, 1)]


def test_temporal_holds_out_the_latest_of_each_user() -> None:
    frame = users_of(10, 20)
    parts = assign_parts(frame, SplitRule(protocol="temporal"))
    assert parts[:10].tolist() == ["train"] * 8 + ["valid", "test"]
    assert parts[10:].tolist() == ["train"] * 16 + ["valid"] * 2 + ["test"] * 2


def test_global_time_cuts_at_the_same_moments_for_all() -> None:
    frame = pd.DataFrame({"user": [0] * 5 + [1] * 5, "item": list(range(5)) * 2, "timestamp": range(10)})
    parts = assign_parts(frame, SplitRule(protocol="global_time", valid=0.2, test=0.2))
    assert parts.tolist() == ["train"] * 6 + ["valid"] * 2 + ["test"] * 2


def test_ratio_differs_by_seed_and_is_uniform() -> None:
    frame = users_of(*[10] * 400)
    drawn = {seed: assign_parts(frame, SplitRule(seed=seed)) for seed in (1, 2)}
    assert not drawn[1].equals(drawn[2])
    held_out = (drawn[1] == "test").groupby(frame["item"]).sum()
    # 400 draws over ten places: 40 each, spread 6.
    assert held_out.between(16, 64).all()


def test_the_first_repeat_has_the_rules_own_split_and_others_draw_anew() -> None:
    frame, rule = users_of(*[10] * 40), SplitRule(seed=3)
    assert of_repeat(rule, 1) == rule
    drawn = [assign_parts(frame, of_repeat(rule, number)) for number in (1, 2, 3)]
    assert drawn[0].equals(assign_parts(frame, rule))
    assert not any(one.equals(other) for one, other in [drawn[:2], drawn[1:], drawn[::2]])
    neighbour = assign_parts(frame, of_repeat(SplitRule(seed=4), 1))
    assert not any(each.equals(neighbour) for each in drawn)


@pytest.mark.parametrize(
    ("protocol", "dated", "drawn"),
    [
        ("ratio", True, True),
        ("ratio", False, True),
        ("leave_one_out", True, False),
        ("leave_one_out", False, True),
        ("temporal", True, False),
        ("global_time", True, False),
        ("fixed", False, False),
    ],
)
def test_a_split_is_drawn_or_a_fact(protocol: str, dated: bool, drawn: bool) -> None:
    frame = users_of(4, 5) if dated else users_of(4, 5).drop(columns="timestamp")
    assert is_drawn(SplitRule(protocol=protocol), frame) == drawn


def test_fixed_takes_the_sources_labels() -> None:
    frame = users_of(3).assign(part=["train", "test", "valid"])
    assert assign_parts(frame, SplitRule(protocol="fixed")).tolist() == ["train", "test", "valid"]


@pytest.mark.parametrize(
    ("frame", "rule", "line"),
    [
        (
            users_of(3),
            SplitRule(protocol="fixed"),
            "split 'fixed' needs a source that labels its rows; choose another protocol such as 'ratio'",
        ),
        (
            users_of(3).drop(columns="timestamp"),
            SplitRule(protocol="temporal"),
            "split 'temporal' needs timestamps, which the source lacks; "
            "name the timestamp column in its options or choose the protocol 'ratio'",
        ),
        (
            users_of(2, 2),
            SplitRule(protocol="leave_one_out"),
            "split 'leave_one_out' leaves the valid part empty: it takes users of 3 interactions or more; "
            "read more data",
        ),
        (
            users_of(9, 9),
            SplitRule(rounding="floor"),
            "split 'ratio' leaves the valid part empty: users have too few interactions; "
            "raise the share or set rounding 'ceil'",
        ),
        (
            users_of(9, 9).assign(timestamp=5),
            SplitRule(protocol="global_time"),
            "split 'global_time' leaves the train part empty: too many rows share one timestamp; "
            "choose another protocol such as 'ratio'",
        ),
        (
            users_of(2).assign(part="train"),
            SplitRule(protocol="fixed"),
            "split 'fixed' leaves the valid part empty: the source labels no row so; "
            "choose another protocol such as 'ratio'",
        ),
    ],
)
def test_what_cannot_be_split_is_named(frame: pd.DataFrame, rule: SplitRule, line: str) -> None:
    with pytest.raises(UserError) as error:
        assign_parts(frame, rule)
    assert str(error.value) == line


def test_shares_must_leave_training_rows() -> None:
    with pytest.raises(ValidationError, match="together must leave a share for training"):
        SplitRule(valid=0.5, test=0.5)


FRAMES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20), st.integers(0, 6)), min_size=12, max_size=120).map(
    lambda rows: pd.DataFrame(rows, columns=["user", "item", "timestamp"]).drop_duplicates(["user", "item"])
)


@settings(max_examples=80)
@given(
    frame=FRAMES,
    protocol=st.sampled_from(sorted(PROTOCOLS)),
    rounding=st.sampled_from(["floor", "ceil", "mmrec"]),
    share=st.sampled_from([0.1, 0.25, 0.4]),
    seed=st.integers(0, 3),
)
def test_whatever_the_input(frame: pd.DataFrame, protocol: str, rounding: str, share: float, seed: int) -> None:
    given = {"rounding": rounding, "valid": share, "test": share, "seed": seed}
    meant = {key: value for key, value in given.items() if key not in WITHOUT_EFFECT.get(protocol, ())}
    rule = SplitRule.model_validate({"protocol": protocol, **meant})
    try:
        parts = assign_parts(frame, rule)
    except UserError:
        return
    assert parts.index.equals(frame.index)
    assert parts.isin(["train", "valid", "test"]).all()
    shuffled = frame.sample(frac=1, random_state=seed)
    assert assign_parts(shuffled, rule).sort_index().equals(parts.sort_index())
    if protocol != "global_time":
        trained = set(frame["user"][parts == "train"])
        assert set(frame["user"]) == trained
    if protocol != "ratio":
        times = frame["timestamp"].groupby([frame["user"], parts]).agg(["min", "max"]).unstack()
        assert not (times["max"]["train"] > times["min"].get("test")).any()
