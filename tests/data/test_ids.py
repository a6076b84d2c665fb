"""Ids: two spellings of one id meet, two ids never become one in silence, and who misses is told how near it was."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ids import nearest_repair, normalised, refuse_strangers, spelt_twice
from recsys.errors import UserError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12.0", "12"),
        ("12.00", "12"),
        ("-3.0", "-3"),
        (" 12 ", "12"),
        ("12\t", "12"),
        ("\u00a012\u200b", "12"),
        ("\ufeff12.0\u2060 ", "12"),
        ("\u200bnan", None),
        ("e\u0301", "\u00e9"),
        ("00012", "00012"),
        ("Ab", "Ab"),
        ("9.78E+12", "9.78E+12"),
        ("1.5", "1.5"),
        ("1.10", "1.10"),
        ("v1.0", "v1.0"),
        ("10", "10"),
        ("nan", None),
        ("None", None),
        ("<NA>", None),
        ("NULL", None),
        ("", None),
        (None, None),
    ],
)
def test_one_id_has_one_spelling(written: str | None, read: str | None) -> None:
    found = normalised(pd.Series(["x", written], index=[7, 3], dtype="str", name="id"))
    assert (found.index.tolist(), found.name) == ([7, 3], "id")
    assert found.astype(object).where(found.notna(), None).tolist() == ["x", read]


@given(st.lists(st.one_of(st.none(), st.text(max_size=6))))
def test_normalising_again_changes_nothing(ids: list[str | None]) -> None:
    once = normalised(pd.Series(ids, dtype="str"))
    pd.testing.assert_series_equal(normalised(once), once)


@pytest.mark.parametrize(
    ("here", "there", "repair"),
    [
        ("7", "00007", "leading zeros"),
        ("b00x", "B00X", "case"),
        ("'a1'", "a1", "quotation marks around ids"),
        ("97 80", "9780", "blanks within ids"),
        ("9.78000E+12", "9780000000000", "scientific notation such as 9.78E+12"),
        ("p1.jpg", "p1", "everything after the dot"),
        ("item-7", "Item 7", "punctuation and case"),
    ],
)
def test_the_nearest_repair_is_named_with_a_value_of_each_side(here: str, there: str, repair: str) -> None:
    assert nearest_repair([here], [there]) == (repair, {here})
    with pytest.raises(UserError) as error:
        refuse_strangers(pd.Series([here, here, "q"]), pd.Series(["zz", there]))
    assert str(error.value) == (
        f"no interaction has an item of the item table: '{here}' here, '{there}' there; "
        f"2 rows would match without {repair}: write the ids alike in both files"
    )


def test_what_makes_one_id_of_several_is_no_repair() -> None:
    pages = [f"https://shop.example/p/{n}" for n in range(9)]
    assert nearest_repair([f"{page}?from=mail" for page in pages], pages) is None
    assert nearest_repair(["7"], ["07", "007"]) is None


def test_without_a_repair_a_value_of_each_side_is_shown() -> None:
    with pytest.raises(UserError, match="'7' here, 'zz' there; name the column of the items that holds these ids"):
        refuse_strangers(pd.Series(["7"]), pd.Series(["zz"]))
    refuse_strangers(pd.Series(["7", "8"]), pd.Series(["8"]))
    refuse_strangers(pd.Series([], dtype="str"), pd.Series(["8"]))


def test_ids_of_people_that_differ_by_case_or_zeros_are_counted_with_an_example() -> None:
    said = spelt_twice(pd.Series(["Ann", "ann", "bob", "007", "7", "07", None, "bob"]))
    assert [each.partition(": ")[0] for each in said] == [
        "2 user ids equal another but for case, such as 'Ann' and 'ann'",
        "3 user ids equal another but for leading zeros, such as '007' and '7'",
    ]
    assert said[0].endswith(": make them one in the file if they are the same person")
    assert spelt_twice(pd.Series(["0", "10", "1", "ann", "bob"])) == []
