"""Texts that name the users of their items, and those in which ids stand by chance."""

import numpy as np
import pandas as pd
import pytest

from recsys.data.users_in_text import share_naming_users

RNG = np.random.default_rng(0)
N_USERS, N_ITEMS = 300, 200
TAKEN = [(u, i) for u in range(N_USERS) for i in RNG.permutation(N_ITEMS)[:10]]


def pairs(prefix: str) -> pd.DataFrame:
    return pd.DataFrame([(f"{prefix}{u}", f"p{i}") for u, i in TAKEN], columns=["user_id", "item_id"])


def texts(of_item: list[str]) -> pd.Series:
    return pd.Series(of_item, index=[f"p{i}" for i in range(N_ITEMS)])


def first_user(item: int) -> int:
    return next((u for u, i in TAKEN if i == item), 0)


@pytest.mark.parametrize("prefix", ["u", "", "anna.b@shop.example-"])
@pytest.mark.parametrize("written", ["{} fan", "great! ({}), they say", "seen by {}; bought", "@{}: fine."])
def test_a_text_that_names_its_users(prefix: str, written: str) -> None:
    naming = texts([written.format(f"{prefix}{first_user(item)}") for item in range(N_ITEMS)])
    assert share_naming_users(naming, pairs(prefix)) > 0.95
    naming[naming.index[N_ITEMS // 10 :]] = "no word of anyone"
    assert share_naming_users(naming, pairs(prefix)) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("most", [10, 300])
def test_numbers_that_are_ids_by_chance(most: int) -> None:
    """A size or a year is an id of some user, and now and then of one who took the item."""
    sizes = texts([" x ".join(map(str, RNG.integers(most, size=8))) for _ in range(N_ITEMS)])
    assert share_naming_users(sizes, pairs("")) == 0


def test_others_than_its_own_users_and_no_text_at_all() -> None:
    others = {item: {u for u, i in TAKEN if i == item} for item in range(N_ITEMS)}
    naming = texts([f"by u{next(u for u in range(N_USERS) if u not in others[item])}" for item in range(N_ITEMS)])
    assert share_naming_users(naming, pairs("u")) == 0
    assert share_naming_users(naming.map(lambda _: None), pairs("u")) == 0


def test_a_size_that_is_an_id_of_users_with_the_same_taste() -> None:
    """Items of a series share a number, and whose id it is likes that series now and then."""
    taste, series = RNG.integers(10, size=N_USERS), np.arange(N_ITEMS) % 10
    numbers = np.array([next(u for u in RNG.permutation(N_USERS) if taste[u] == one or one > 1) for one in range(10)])
    rows = [(str(u), f"p{i}") for u in range(N_USERS) for i in np.flatnonzero(series == taste[u])[:15]]
    sizes = texts([f"size {numbers[one]}" for one in series])
    assert share_naming_users(sizes, pd.DataFrame(rows, columns=["user_id", "item_id"])) == 0
