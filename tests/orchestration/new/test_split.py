"""Times: by which a split is proposed, and when not."""

import pandas as pd
import pytest

from orchestration.settings import Settings
from tests.orchestration.new.tables import goods, of_frames, options, refusal, taken

START = 1_600_000_000


def timed(values: list[object], name: str = "when") -> pd.DataFrame:
    return taken(**{name: values})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("unix_timestamp", [START + n for n in range(5000)]),
        ("timestamp:float", [START + n / 4 for n in range(5000)]),
        ("time_ms", [START * 1000 + n for n in range(5000)]),
        ("event_time", [(START + n) * 10**9 for n in range(5000)]),
        ("Datum", [f"2021-03-{n:02d}T10:00:00.{n:03d}Z" for n in range(1, 28)]),
        ("t_dat", ["2018-09-20", "2019-01-31", "2020-02-29"]),
    ],
)
def test_times_of_any_kind_make_the_split_temporal(settings: Settings, name: str, values: list[object]) -> None:
    study, said = of_frames(settings, timed(values, name), goods())
    assert options(study)["timestamp_column"] == name
    assert study.datasets["mine"].split.protocol == "temporal"
    assert "split: temporal, so that each person's last interactions are predicted" in said
    assert study.datasets["mine"].scenario.date_of_data in said


def test_one_time_a_person_orders_nothing(settings: Settings) -> None:
    rows = taken().assign(
        date=lambda rows: (pd.Timestamp(2024, 1, 1) + pd.to_timedelta(rows["user_id"], "D")).astype(str)
    )
    study, said = of_frames(settings, rows, goods())
    assert study.datasets["mine"].split.protocol == "ratio"
    assert "! split: ratio, at random, since nobody has interactions at more than one time" in said


def test_the_split_that_was_asked_for(settings: Settings) -> None:
    study, said = of_frames(settings, timed(["2024-01-01", "2024-05-05"], "date"), goods(), "--split", "ratio")
    assert study.datasets["mine"].split.protocol == "ratio" and "split: ratio, as you said" in said


def test_times_that_are_mostly_missing_or_unreadable_are_not_used_in_silence(settings: Settings) -> None:
    rows = timed(["2024-01-01", None, "2024-05-05"], "date")
    study, said = of_frames(settings, rows, goods())
    assert "timestamp_column" not in options(study)
    assert "! column 'date' is empty in 3" in said and "of the rows and is not used as time" in said
    _, said = of_frames(settings, timed(["09 13, 2009", "07 2, 2010"], "reviewTime"), goods(), "--force")
    assert "! column 'reviewTime' looks like a time that cannot be read" in said
    line = refusal_of_time(settings)
    assert line == "column 'mood' cannot be the time: 'bad' is neither a date such as 2024-01-31 nor a number"


def refusal_of_time(settings: Settings) -> str:
    for file in settings.studies.iterdir():
        file.unlink()
    return refusal(settings, timed(["good", "bad"], "mood"), goods(), "--time-column", "mood")


def test_zeros_among_times_are_no_times_and_are_counted(settings: Settings) -> None:
    rows = timed([START + n for n in range(5000)], "ts")
    rows.loc[rows.index % 12 == 0, "ts"] = 0
    study, said = of_frames(settings, rows, goods())
    assert (
        study.datasets["mine"].split.protocol == "temporal" and study.datasets["mine"].scenario.date_of_data == "2020"
    )
    assert "! time: 50 of 600 rows have none that can be read, and the split leaves them out" in said


@pytest.mark.parametrize("values", [[-START - n for n in range(5000)], [2019, 2020, 2021]])
def test_numbers_that_are_an_order_at_most_are_taken_aloud(settings: Settings, values: list[object]) -> None:
    _, said = of_frames(settings, timed(values, "timestamp"), goods())
    assert (
        "! time: 'timestamp', by its name; its numbers are no dates and are used as an order, the largest as" in said
    )
    assert "at one time" not in said


def test_times_that_most_rows_of_a_person_share_are_said(settings: Settings) -> None:
    rows = timed(["2024-01-31"], "date")
    rows.loc[rows.groupby("user_id").cumcount() >= 7, "date"] = "2024-02-29"
    study, said = of_frames(settings, rows, goods())
    assert study.datasets["mine"].split.protocol == "temporal"
    assert "! time: 100 % of the people have more than half of their interactions at one time; which of these" in said


def test_a_time_without_a_known_name_is_pointed_out(settings: Settings) -> None:
    _, said = of_frames(settings, timed([START + n for n in range(5000)], "x"), goods())
    assert "! column 'x' looks like a time and is not used; --time-column 'x' uses it" in said


@pytest.mark.parametrize("name", ["purchased_on", "ordered", "gekauft_am", "購入日"])
def test_the_only_column_of_dates_is_the_time_and_that_is_said(settings: Settings, name: str) -> None:
    rows = timed(["2024-01-31", "2024-02-29", "2024-03-31"], name)
    study, said = of_frames(settings, rows, goods())
    assert options(study)["timestamp_column"] == name
    assert f"! time: '{name}', the only column of dates; another column, or none, with --time-column NAME or" in said
    study, said = of_frames(settings, rows, goods(), "--time-column", "none", "--force")
    assert "timestamp_column" not in options(study)
    assert "drawn at random, since no column is taken as the time" in said


@pytest.mark.parametrize(
    "columns",
    [
        {"sent_off": ["2024-01-31", "2024-02-29"], "fetched": ["2024-03-31", "2024-04-30"]},
        {"release": ["2024-01-31", "2024-02-29"]},
        {"fetched": ["2024-01-31", "2024-02-29", "soon"]},
        {"fetched": ["2024-01-31"]},
    ],
)
def test_dates_that_may_be_others_are_not_the_time(settings: Settings, columns: dict[str, list[str]]) -> None:
    study, said = of_frames(settings, taken(**columns), goods())
    assert "timestamp_column" not in options(study)
    assert "drawn at random, since no column is taken as the time" in said
    assert "looks like a time and is not used" in said or min(map(len, columns.values())) != 2


def test_dates_of_the_item_are_not_the_time(settings: Settings) -> None:
    rows = taken().assign(shelved=lambda rows: "2024-01-" + (1 + rows["item_id"] % 28).astype(str).str.zfill(2))
    study, said = of_frames(settings, rows, goods())
    assert "timestamp_column" not in options(study) and "no column is taken as the time" in said


def test_a_length_of_time_is_no_time(settings: Settings) -> None:
    study, _ = of_frames(settings, timed([float(n) for n in range(300)], "dwell_time"), goods())
    assert "timestamp_column" not in options(study)
