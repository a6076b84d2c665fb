"""Fields that have a type in Parquet and JSON: whole numbers, floats and lists."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.readers import read
from recsys.errors import UserError
from tests.data.test_readers import reasons, write


def test_parquet_keeps_integer_ids_exact_beside_missing_ones(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": pd.array([1, 2**53 + 1, None], dtype="Int64"), "item_id": [5, 6, 7]})
    frame.to_parquet(tmp_path / "buys.parquet")
    raw = read("table", {"interactions": "buys.parquet"}, tmp_path, tmp_path)
    assert raw.interactions["user_id"].tolist() == ["1", "9007199254740993"]
    assert reasons(raw) == [("interactions", 3, "? / 7", "no user id")]


@pytest.mark.parametrize("column", ["user_id", "item_id"])
@pytest.mark.parametrize(
    ("suffix", "exact", "kind"),
    [(".parquet", 2**53, "float64"), (".csv", 2**53, "float64"), (".parquet", 2**24, "float32")],
)
def test_ids_that_floats_cannot_hold_are_refused(
    tmp_path: Path, suffix: str, exact: int, kind: str, column: str
) -> None:
    """Several ids would be one: as text nothing shows of which."""
    frame = pd.DataFrame({"user_id": [1, 2, 3], "item_id": [5, 6, 7], "rating": [1e17, 2.0, 3.0]})
    frame[column] = (frame[column] + exact).astype(kind)
    file = tmp_path / f"buys{suffix}"
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_csv(file, index=False)
    refusal = (
        f"buys{suffix}: column '{column}' holds ids as floats, such as {frame[column][0]:.0f}, which are too large"
    )
    with pytest.raises(UserError, match=refusal):
        read("table", {"interactions": file.name}, tmp_path, tmp_path)


@pytest.mark.parametrize("ids", [[2.0**53 - 1, 5.0, 2.0], ["1e+20", "x", "y"], ["9.78E+12", "5", "6"]])
def test_exact_floats_and_codes_that_look_like_floats_are_ids(tmp_path: Path, ids: list[object]) -> None:
    pd.DataFrame({"user_id": [1, 2, 3], "item_id": ids}).to_parquet(tmp_path / "buys.parquet")
    raw = read("table", {"interactions": "buys.parquet"}, tmp_path, tmp_path)
    expected = ["9007199254740991", "5", "2"] if isinstance(ids[0], float) else ids
    assert raw.interactions["item_id"].tolist() == expected


def test_a_list_of_one_is_its_value_and_a_list_of_several_is_quarantined(tmp_path: Path) -> None:
    rows = [{"user_id": f"u{n}", "item_id": f"i{n}", "rating": n, "timestamp": 1_600_000_000 + n} for n in range(5)]
    rows[1] |= {"rating": [5, 1]}
    rows[2] |= {"user_id": ["u2", "u3"]}
    rows[3] |= {"user_id": ["u3"], "timestamp": [1_600_000_003]}
    (tmp_path / "buys.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = {"interactions": "buys.jsonl", "rating_column": "rating", "timestamp_column": "timestamp"}
    raw = read("table", options, tmp_path, tmp_path)
    assert raw.interactions["user_id"].tolist() == ["u0", "u3", "u4"]
    assert raw.interactions["rating"].tolist() == [0, 3, 4]
    assert raw.interactions["timestamp"].notna().all()
    several = "several values in one field"
    assert reasons(raw) == [("interactions", 2, "u1 / i1", several), ("interactions", 3, "? / i2", several)]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_lists_that_come_late_in_a_column_are_joined(tmp_path: Path, suffix: str) -> None:
    ids = [f"i{n}" for n in range(1200)]
    frame = pd.DataFrame({"item_id": ids, "text": [None] * 1199 + [["a", "b"]]})
    file = tmp_path / f"goods{suffix}"
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_json(file, orient="records", lines=True)
    pd.DataFrame({"user_id": "u", "item_id": ids}).to_csv(tmp_path / "buys.csv", index=False)
    raw = read("table", {"interactions": "buys.csv", "items": file.name}, tmp_path, tmp_path)
    assert raw.items["text"].dropna().tolist() == ["a b"]


def test_numbers_of_small_floats_are_read_whole(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": [2**24 - 1, 5, 2], "item_id": ["a", "b", "c"], "rating": [2**24, 4.5, np.inf]})
    frame = frame.astype({"user_id": "float32", "rating": "float32"})
    frame["timestamp"] = np.array([1_600_000_000, 1_600_000_128, 1_600_000_512], "float32")
    frame.to_parquet(tmp_path / "buys.parquet")
    options = {"interactions": "buys.parquet", "rating_column": "rating", "timestamp_column": "timestamp"}
    raw = read("table", options, tmp_path, tmp_path)
    assert raw.interactions["user_id"].tolist() == ["16777215", "5"]
    assert raw.interactions["rating"].tolist() == [2**24, 4.5]
    assert raw.interactions["timestamp"].astype(str).tolist() == ["2020-09-13 12:26:40", "2020-09-13 12:28:48"]


def test_lists_are_joined_to_texts_and_kept_as_attributes(tmp_path: Path) -> None:
    write(tmp_path, buys_dot_csv="user_id,item_id\n1,7\n")
    pd.DataFrame({"item_id": [7, 8], "features": [["red", "oak"], None]}).to_parquet(tmp_path / "goods.parquet")
    options = {"interactions": "buys.csv", "items": "goods.parquet", "text_columns": ["features"]}
    raw = read("table", options, tmp_path, tmp_path)
    assert raw.items["text"].dropna().to_dict() == {0: "red oak"}
    assert list(raw.items["features"][0]) == ["red", "oak"]
