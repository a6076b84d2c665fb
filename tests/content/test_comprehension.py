"""Fields beside known attributes, beside one another, and how much they tell: counted by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from recsys.content.descriptions.comprehension import AGREEMENT, agreement_with_attributes
from recsys.content.descriptions.consistency import agreement_between, coarseness
from recsys.errors import UserError
from tests.content.conftest import frame, item_table

TRUTH = {"Genre": "genres"}
SCORES = ["precision", "recall", "f1"]
ITEMS = item_table(5, genres=["Drama|War", "Drama", "Comedies", None, "Comedy"])


def said(**fields):
    n_items = len(next(iter(fields.values())))
    return frame(item_id=[str(item) for item in range(n_items)], **fields).set_index("item_id")


GENRES = said(Genre=["drama", "Sci-Fi, Drama", "Drama", "War", None])  # items 0, 1 and 2 have both


def test_agreement_over_all_values():
    found = agreement_with_attributes(GENRES, ITEMS, TRUTH, min_support=1).iloc[0]
    # True: drama, war; drama; comedy. Given: drama; sci fi, drama; drama. Two of four given are right, of four true.
    assert (found["n_items"], found["n_true_values"], found["n_given_values"]) == (3, 3, 2)
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)
    assert found["known"] == 0.75  # sci fi is no genre
    assert found["f1_chance"] == pytest.approx((2 * 3) / 3 / 4)  # drama: 2 true, 3 given, of 3 items
    assert found["n_supported"] == 3
    # drama: 2 of 3 given, all true; war and comedy: never given.
    assert found["macro_precision"] == pytest.approx(2 / 9)
    assert found["macro_recall"] == pytest.approx(1 / 3)
    assert found["macro_f1"] == pytest.approx(0.8 / 3)
    assert found[["accuracy", "majority", "proportional"]].isna().all()  # an item has two genres


def test_macro_means_are_over_values_with_support():
    found = agreement_with_attributes(GENRES, ITEMS, TRUTH, min_support=2).iloc[0]
    assert (found["n_supported"], found["macro_recall"]) == (1, 1)
    none = agreement_with_attributes(GENRES, ITEMS, TRUTH, min_support=3).iloc[0]
    assert none["n_supported"] == 0 and np.isnan(none["macro_f1"])


def test_an_attribute_of_one_value_has_an_accuracy_and_chances():
    items = item_table(5, image_colour=["red", "red", "blue", "red", "grey"])
    colours = said(Colour=["Red", "red, blue", "Blue.", "blue", "Grey"])
    found = agreement_with_attributes(colours, items, {"Colour": "image_colour"}).iloc[0]
    assert found["accuracy"] == 0.6  # 'red, blue' is not the answer
    assert found["majority"] == 0.6
    assert found["proportional"] == pytest.approx(0.36 + 0.04 + 0.04)


def test_chance_is_what_permuted_answers_give():
    random = np.random.default_rng(0)
    genres = ["drama", "war", "comedy", "crime"]
    truth = ["|".join(random.choice(genres, random.integers(1, 4), replace=False)) for _ in range(60)]
    answers = [", ".join(random.choice([*genres, "odd"], random.integers(1, 3), replace=False)) for _ in range(60)]
    items = item_table(60, genres=truth)
    permuted = [
        agreement_with_attributes(said(Genre=list(random.permutation(answers))), items, TRUTH)["f1"][0]
        for _ in range(30)
    ]
    expected = agreement_with_attributes(said(Genre=answers), items, TRUTH)["f1_chance"][0]
    assert np.mean(permuted) == pytest.approx(expected, abs=4 * np.std(permuted) / np.sqrt(30))


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    true, given = random.random((2, 80, 6)) < 0.4
    true[:, 0] = given[:, 1] = True  # nobody says nothing
    names = np.array(list("abcdef"))
    items = item_table(80, genres=["|".join(names[row]) for row in true])
    fields = said(Genre=[", ".join(names[row]) for row in given])
    found = agreement_with_attributes(fields, items, TRUTH).iloc[0]
    for average, prefix in (("micro", ""), ("macro", "macro_")):
        expected = precision_recall_fscore_support(true, given, average=average)[:3]
        assert found[[f"{prefix}{score}" for score in SCORES]].tolist() == pytest.approx(expected)


genres = st.lists(st.sampled_from(["Drama", "dramas", "War", "N/A", ""]), max_size=3).map("|".join)


@given(st.lists(st.tuples(genres, genres), min_size=1, max_size=10), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_items_does_not_matter(cells, random):
    truth, answers = zip(*cells, strict=True)
    items, fields = item_table(len(cells), genres=list(truth)), said(Genre=list(answers))
    order = random.sample(range(len(cells)), len(cells))
    first = agreement_with_attributes(fields, items, TRUTH, min_support=1)
    again = agreement_with_attributes(fields.iloc[order], items.iloc[order[::-1]], TRUTH, min_support=1)
    pd.testing.assert_frame_equal(first, again)
    assert tuple(first) == AGREEMENT


@given(st.lists(genres.filter(lambda cell: "r" in cell), min_size=1, max_size=10))
@settings(max_examples=25)
def test_the_truth_agrees_with_itself(cells):
    found = agreement_with_attributes(said(Genre=cells), item_table(len(cells), genres=cells), TRUTH).iloc[0]
    assert (found["precision"], found["recall"], found["f1"], found["known"]) == (1, 1, 1, 1)
    between = agreement_between({"a": said(Genre=cells), "b": said(Genre=cells)}).iloc[0]
    assert (between["equal"], between["jaccard"]) == (1, 1)


def test_nothing_in_common_is_a_row_without_figures():
    found = agreement_with_attributes(said(Genre=["N/A"]), ITEMS, TRUTH).iloc[0]
    assert found["n_items"] == 0 and np.isnan(found["f1"])
    assert agreement_between({"a": said(Genre=["N/A"]), "b": said(Genre=["War"])})["n_items"].tolist() == [0]
    assert agreement_with_attributes(GENRES, ITEMS, {}).empty


def test_mistakes_are_one_line():
    with pytest.raises(UserError, match=r"^the descriptions have no field 'Mood' \(known: Genre\)$"):
        agreement_with_attributes(GENRES, ITEMS, {"Mood": "genres"})
    with pytest.raises(UserError, match=r"^the truth of field 'Genre': items have no column 'brand' \(known: item_"):
        agreement_with_attributes(GENRES, ITEMS, {"Genre": "brand"})


def test_agreement_between_models():
    found = agreement_between(
        {
            "a": said(Genre=["War", "Drama", "Drama, War", "war"], Mood=["Dark"] * 4),
            "b": said(Genre=["war", "War", "Drama", "WAR"], Mood=["dark"] * 4),
            "c": said(Genre=["War", None, None, None]),
        }
    ).set_index(["field", "first", "second"])
    assert found.index.tolist() == [
        ("Genre", "a", "b"),
        ("Genre", "a", "c"),
        ("Genre", "b", "c"),
        ("Mood", "a", "b"),
    ]
    genre = found.loc[("Genre", "a", "b")]
    # Two of four equal; of the third, one value of two. Categories of a: war twice, drama, drama and war; of b: war
    # three times, drama. By chance 2/4 * 3/4 + 1/4 * 1/4 = 7/16 agree: (8/16 - 7/16) / (9/16).
    assert (genre["n_items"], genre["equal"], genre["jaccard"]) == (4, 0.5, 0.625)
    assert genre["kappa"] == pytest.approx(1 / 9)
    assert found.loc[("Genre", "a", "c"), "n_items"] == 1
    mood = found.loc[("Mood", "a", "b")]
    assert mood["equal"] == 1 and np.isnan(mood["kappa"])  # always the same answer: agreement tells nothing


def test_coarseness():
    found = coarseness(said(Genre=["Drama", "drama, War", "N/A", "Drama"], Mood=["Dark"] * 4, Era=[None] * 4))
    genre, mood, era = (found.iloc[row] for row in range(3))
    assert (genre["n_items"], genre["n_values"], genre["top"], genre["top_share"]) == (3, 2, "drama", 1)
    bits = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert (genre["entropy"], genre["effective_values"]) == pytest.approx((bits, 2**bits))
    assert (mood["n_values"], mood["top_share"], mood["entropy"], mood["effective_values"]) == (1, 1, 0, 1)
    assert (era["n_items"], era["n_values"]) == (0, 0) and era[["top", "top_share", "entropy"]].isna().all()
