"""Times: every unit and notation to the nanosecond, and none that cannot be true."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.times import to_times

MOMENT = pd.Timestamp("2021-03-01 10:00:00.900")


def times(*stamps: object) -> list[pd.Timestamp]:
    return to_times(pd.Series(list(stamps))).tolist()


@pytest.mark.parametrize(
    "written",
    [
        "2021-03-01T10:00:00.900Z",
        "2021-03-01 10:00:00.9",
        "2021-03-01 10:00:00,900",
        "2021-03-01T12:00:00.900+02:00",
        "2021-03-01 12:00:00.900 +0200",
        "2021-03-01 10:00:00.900+00",
        "2021-03-01 10:00:00.900 UTC",
        "2021/03/01 10:00:00.900",
        " 2021-03-01T10:00:00.900000000Z ",
        "1614592800.9",
        "1614592800.900000000",
        "1614592800900",
        "1614592800900000",
        "1614592800900000000",
        "1.6145928009e9",
        1614592800.9,
        1614592800900,
        MOMENT,
        MOMENT.tz_localize("UTC").tz_convert("Asia/Tokyo"),
    ],
)
def test_one_moment_in_any_notation(written: object) -> None:
    assert times(written) == [MOMENT]


@pytest.mark.parametrize("written", ["soon", "", None, "0001-01-01", "9999-12-31", "-62135596800", "1e300", "nan"])
def test_what_cannot_be_true_is_no_time(written: str | None) -> None:
    assert [pd.isna(found) for found in times("1600000000", written)] == [False, True]
    assert [pd.isna(found) for found in times("2020-01-01T00:00:00.5Z", written)] == [False, True]


@given(
    years=st.lists(st.integers(1, 9999), min_size=1, max_size=20), notation=st.sampled_from(["", " 10:00", "T10:00Z"])
)
def test_years_of_other_calendars_never_come_round_as_ours(years: list[int], notation: str) -> None:
    """1442 after the hijra and 2564 after Buddha are beyond what nanoseconds can count."""
    found = to_times(pd.Series([f"{year:04d}-01-10{notation}" for year in years]))
    read = [None if pd.isna(time) else time.year for time in found]
    assert read == [year if 1900 <= year < 2100 else None for year in years]


def test_days_as_one_number() -> None:
    assert times("20150304", "20150305") == [pd.Timestamp("2015-03-04"), pd.Timestamp("2015-03-05")]
    assert times("20150304101500") == [pd.Timestamp("2015-03-04 10:15:00")]
    assert times("201503041015", "201503042359") == [
        pd.Timestamp("2015-03-04 10:15:00"),
        pd.Timestamp("2015-03-04 23:59:00"),
    ]


def test_numbers_of_another_unit_than_most_are_not_read() -> None:
    found = times("1600000000123", "1600000000", "1600000000124", "1600000000123456")
    assert [pd.isna(time) for time in found] == [False, True, False, True]


@pytest.mark.parametrize(
    "written", [0, -1, "1970-01-01", "1969-12-31T19:00:00-05:00", "1970-01-01 09:00", "1900-01-01"]
)
@pytest.mark.parametrize("share", [0.05, 0.7])
def test_what_stands_for_an_unknown_time_is_none(written: object, share: float) -> None:
    known = [f"202{n % 5}-03-04T05:06:07" if isinstance(written, str) else 1600000000 + n for n in range(100)]
    found = to_times(pd.Series([written if n < 100 * share else time for n, time in enumerate(known)]))
    assert found.isna().tolist() == [n < 100 * share for n in range(100)]


def test_days_of_1970_among_their_like_and_numbers_from_0_are_times() -> None:
    assert times("1970-01-01", "1970-01-09", "1971-03-04")[0] == pd.Timestamp("1970-01-01")
    assert not pd.isna(times(0, 1, 2, 1000)).any()


def test_small_numbers_are_seconds_in_their_order() -> None:
    assert times("100", "101.5") == [pd.Timestamp(100, unit="s"), pd.Timestamp(101.5, unit="s")]


@given(
    nanoseconds=st.lists(st.integers(4 * 10**17, 4 * 10**18), min_size=2, max_size=20, unique=True),
    notation=st.sampled_from(["ns", "s", "iso"]),
)
def test_no_nanosecond_is_lost(nanoseconds: list[int], notation: str) -> None:
    write = {
        "ns": str,
        "s": lambda n: f"{n // 10**9}.{n % 10**9:09d}",
        "iso": lambda n: pd.Timestamp(n).isoformat() + "Z",
    }[notation]
    found = to_times(pd.Series([write(n) for n in nanoseconds]))
    assert found.astype("int64").tolist() == nanoseconds
