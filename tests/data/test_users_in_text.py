"""Texts that name the users of their items, and those in which ids stand by chance."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def spelt(like: str) -> pd.DataFrame:
    return pairs("").assign(user_id=lambda rows: rows["user_id"].map(lambda user: like.format(int(user))))


def listing(taken: pd.DataFrame, between: str) -> pd.Series:
    return taken.groupby("item_id")["user_id"].agg(between.join)


MARKS = st.characters(categories=["P", "S", "Z", "Cc"]).filter(
    lambda mark: not any(map(str.isalnum, unicodedata.normalize("NFKC", mark)))  # such as a sign for "kg"
)
PLAIN = ["user{}", "Ann Smith{}", "Smith{}, Ann", "u{}.", "#u{}", "{{{:04x}-9ab}}", "Ab{}+/x=="]
ABROAD = ["张{}", "\uff55{}", "Ørsted{}", "김{}"]


@settings(max_examples=25, deadline=None)
@given(between=st.text(MARKS, min_size=1, max_size=3), like=st.sampled_from(PLAIN + ABROAD))
def test_whatever_separates_the_names_and_is_in_them(between: str, like: str) -> None:
    taken = spelt(like)
    assert share_naming_users(listing(taken, between), taken) == 1


@pytest.mark.parametrize(
    ("like", "written"),
    [
        ("User{}", "uSER{}"),
        ("user{}", "\uff35\uff33\uff25\uff32{}"),
        ("{:05}", "{}"),
        ("{}", "{:08}"),
        ("u{}@shop.example", "<U{}@Shop.Example>"),
        ("user{}", "来自user{}的评价"),
        ("张{}", "我是张{}很好"),
        ("user{}", "user{}님이"),
    ],
)
def test_an_id_in_another_spelling(like: str, written: str) -> None:
    assert share_naming_users(listing(spelt(written), " · "), spelt(like)) == 1


def test_users_whose_ids_differ_by_nothing_but_their_spelling_are_one() -> None:
    """Two who took the same item are no two pieces of evidence, and what both took together is their activity."""
    taken = pairs("u")
    twice = pd.concat([taken, taken.assign(user_id=taken["user_id"].str.upper() + ".")])
    one = texts([f"by u{first_user(item)}" if item < N_ITEMS // 10 else "by none" for item in range(N_ITEMS)])
    assert share_naming_users(one, twice) == share_naming_users(one, taken) > 0
    assert share_naming_users(one, taken.assign(user_id="***")) == 0


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


def by_tastes(rng: np.random.Generator, n_series: int, rate: float) -> tuple[pd.DataFrame, pd.Series]:
    """Users who take a share of one series each, and texts with a number for each series, the id of whoever it is."""
    n_users, n_items = 120, 10 * n_series
    series = np.arange(n_items) % n_series
    is_of_taste = rng.integers(n_series, size=n_users)[:, None] == series
    likes = rng.random((n_users, n_items)) < np.where(is_of_taste, rate, 0.02)
    users, items = np.nonzero(likes)
    numbers = rng.choice(n_users, n_series, replace=False)
    of_items = [f"size {numbers[one]}-{rng.integers(500, 999)}" for one in series]
    ids = {"user_id": users.astype(str), "item_id": np.char.add("p", items.astype(str))}
    return pd.DataFrame(ids), pd.Series(of_items, index=[f"p{item}" for item in range(n_items)])


@pytest.mark.parametrize("rate", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("n_series", [3, 6])
def test_a_few_numbers_that_fit_tastes_by_chance(n_series: int, rate: float) -> None:
    """Whole series are taken by those who like them, so that a few ids by chance may be of users who took all."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        taken, sizes = by_tastes(rng, n_series, rate)
        assert share_naming_users(sizes, taken) == 0


@pytest.mark.parametrize(
    ("n_reviewers", "rate", "is_found"), [(6, 1, True), (3, 1, True), (2, 1, False), (6, 0.5, False)]
)
def test_a_few_users_who_are_named_in_all_they_took(n_reviewers: int, rate: float, is_found: bool) -> None:
    """Users who took half of the items naming them may like a series, and one or two may be named by chance."""
    rng = np.random.default_rng(0)
    naming = [(f"rev{k}", f"p{i}") for k in range(n_reviewers) for i in rng.choice(N_ITEMS, 24, replace=False)]
    said = pd.DataFrame(naming, columns=["user_id", "item_id"])
    reviews = said.groupby("item_id")["user_id"].agg(", ".join).reindex(texts([""] * N_ITEMS).index, fill_value="none")
    share = share_naming_users(reviews, pd.concat([pairs("u"), said.sample(frac=rate, random_state=0)]))
    assert share == pytest.approx((reviews != "none").mean() if is_found else 0)
