"""From which rating on a row counts as liked, for the scales that there are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestration.cli.own_data.thresholds import FEWEST, threshold
from recsys.errors import UserError

STARS = [1, 2, 3, 4, 5]


def drawn(values: list[float], shares: list[float] | None = None, n: int = 2000) -> pd.Series:
    return pd.Series(np.random.default_rng(3).choice(values, n, p=shares)).astype("float64")


@pytest.mark.parametrize(
    ("ratings", "least"),
    [
        (drawn(STARS), 4),
        (drawn([n / 2 for n in range(1, 11)]), 4),
        (drawn([0.15, 0.25, 0.35, 0.45, 0.55]), 0.45),
        (drawn(list(range(101))), 70),
        (drawn([10, 20, 30, 40, 50]), 40),
        (drawn([-1, 1]), 1),
        (drawn([0, 1]), 1),
        (drawn(STARS, [0.6, 0.3, 0.06, 0.03, 0.01]), 3),
        (pd.Series(np.random.default_rng(1).uniform(-10, 10, 5000)), 4),
    ],
)
def test_the_upper_part_of_a_scale(ratings: pd.Series, least: float) -> None:
    found = threshold(ratings)
    assert found.value == least
    assert f"min_rating: {least:g}" in found.reason and found.feedback == f"a rating of {least:g} or more"


def test_zeros_that_mean_not_rated_are_said() -> None:
    books = pd.concat([pd.Series(np.zeros(620)), drawn(list(range(1, 11)), n=380)], ignore_index=True)
    found = threshold(books)
    assert found.value == 8
    assert found.reason.startswith("! min_rating: 8 in the upper part of a scale of 1 to 10; 62 % of the rows are 0")
    clicked = threshold(drawn([0, 1], [0.97, 0.03]))
    assert clicked.value == 1 and "the only value beside 0" in clicked.reason


def test_counts_are_no_opinions() -> None:
    plays = pd.Series(np.random.default_rng(1).zipf(1.6, 5000)).astype("float64")
    assert threshold(plays, is_count=True).value is None
    assert threshold(pd.concat([plays, pd.Series([0.0])]), is_count=True).value == 1
    assert threshold(plays).value == 2  # by another name: the median, not 70 % of the highest


@given(
    scale=st.lists(st.integers(-50, 50), min_size=3, max_size=40, unique=True),
    side=st.sampled_from([-1, 1]),
    times=st.integers(4, 1000),
)
def test_a_code_far_from_the_scale_is_no_rating(scale: list[int], side: int, times: int) -> None:
    """99 for 'not rated' would be the only value that counts as liked, and -99 would make all others count."""
    spread = max(scale) - min(scale)
    code = (max(scale) if side > 0 else min(scale)) + side * times * spread
    assume(code != 0)
    ratings = pd.concat([drawn([float(value) for value in scale]), pd.Series([float(code)] * 200)])
    with pytest.raises(UserError, match=rf"but 9 % of the rows are {code:g}, which may be a code for 'not rated'"):
        threshold(ratings)
    assert threshold(ratings, given=float(max(scale))).reason.startswith("! min_rating: ")


@pytest.mark.parametrize("ratings", [drawn([-10, 0, 5, 10]), drawn([0.5, 3, 4, 5]), drawn([-1, 7, 8, 9, 10])])
def test_a_gap_in_a_scale_is_no_code(ratings: pd.Series) -> None:
    assert threshold(ratings).value is not None


def test_what_cannot_be_guessed_is_refused_and_can_be_said() -> None:
    hardly = drawn([-1, 1], [0.97, 0.03])
    with pytest.raises(UserError, match=r"only 2\.\d % of the rows are above -1.*--min-rating"):
        threshold(hardly)
    assert threshold(hardly, given=1).value == 1
    with pytest.raises(UserError, match="--min-rating 7: no row reaches it; the ratings go from 1 to 5"):
        threshold(drawn(STARS), given=7)
    assert threshold(drawn([5, 5])).value is None


@given(
    scale=st.lists(st.integers(-1000, 1000), min_size=2, max_size=150, unique=True),
    divisor=st.sampled_from([1, 2, 10, 1000]),
    seed=st.integers(0, 10_000),
    power=st.floats(0.2, 4),
)
def test_a_threshold_always_leaves_a_tenth_of_the_rated_rows(
    scale: list[int], divisor: int, seed: int, power: float
) -> None:
    weights = np.random.default_rng(seed).random(len(scale)) ** power + 1e-9
    ratings = drawn([value / divisor for value in scale], (weights / weights.sum()).tolist(), n=500)
    assume(ratings.nunique() > 1)
    try:
        found = threshold(ratings)
    except UserError as error:
        assert "--min-rating" in str(error)
        return
    rated = ratings[ratings != 0] if "not rated" in found.reason else ratings
    assert found.value is None or (rated >= found.value).mean() >= FEWEST
    assert found.value is None or (rated < found.value).any() or rated.nunique() == 1
