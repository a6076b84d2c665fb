"""Attributes and description keywords: a column for each value, by the field's name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.content.descriptions import FIELDS
from recsys.content.encoders import encode
from recsys.content.integrity import inspect
from recsys.errors import UserError
from tests.content.conftest import frame, item_table

GENRES = item_table(5, genres=["Drama|War", " drama ", None, "Comedy", ""])


def test_attributes_are_ordered_by_frequency_then_alphabet():
    features = encode("attributes", {}, GENRES)
    # columns: drama (2 items), comedy, war
    np.testing.assert_array_equal(features.matrix, [[1, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert features.present.tolist() == [True, True, False, True, False]


def test_rare_attributes_become_one_column():
    features = encode("attributes", {"top": 1}, GENRES)
    np.testing.assert_array_equal(features.matrix, [[1, 1], [1, 0], [0, 0], [0, 1], [0, 0]])


def test_lists_numbers_and_several_columns():
    items = item_table(3, tags=[["a", "b"], np.array(["b"]), []], year=[1999, 1999, None])
    features = encode("attributes", {"columns": ["tags", "year"]}, items)
    np.testing.assert_array_equal(features.matrix, [[1, 1, 1], [1, 0, 1], [0, 0, 0]])
    with pytest.raises(UserError, match=r"^encoder 'attributes': items have no column 'brand' \(known: "):
        encode("attributes", {"columns": ["brand"]}, items)


def test_a_column_without_values_gives_no_item_content():
    features = encode("attributes", {"columns": ["title"]}, item_table(3))
    assert features.matrix.shape == (3, 1) and not features.present.any()


def answers(**given):
    return frame(item_id=list(given), answer=list(given.values()))


def test_keywords_go_to_the_field_that_names_them():
    corpus = answers(
        **{
            "0": "[Mood] {Dark}, [Genre] {Drama}",
            "1": "Mood: Dark",
            "2": "[Genre] {Dark}",
            "9": "[Genre] {War}, [Mood] {Sad}",  # an item that is not in the catalogue leaves no column
            "4": "Sorry, I cannot help.",
        }
    )
    features = encode("keywords", {"fields": ["Genre", "Mood"]}, item_table(5), corpus=corpus)
    # columns: genre dark, genre drama, mood dark
    np.testing.assert_array_equal(features.matrix, [[0, 1, 1], [0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert features.present.tolist() == [True, True, True, False, False]


def test_several_values_of_a_field_and_the_rare_ones():
    corpus = answers(**{"0": "[Genre] {Drama, War}", "1": "[Genre] {drama}", "2": "[Genre] {Sci-Fi}"})
    features = encode("keywords", {"fields": ["Genre"], "top": 1}, item_table(3), corpus=corpus)
    np.testing.assert_array_equal(features.matrix, [[1, 1], [1, 0], [0, 1]])


moods = st.sampled_from(["dark", "happy", "sad", "tense"])


@settings(max_examples=30)
@given(st.lists(st.tuples(moods, moods, moods, moods, moods), min_size=2, max_size=20, unique=True))
def test_different_descriptions_have_different_vectors(values):
    """Published code gave every item the same row, whatever its description said."""
    fields = FIELDS["movies"]
    said = {
        str(n): ", ".join(f"[{f}] {{{v}}}" for f, v in zip(fields, row, strict=True)) for n, row in enumerate(values)
    }
    items = item_table(len(values))
    features = encode("keywords", {"fields": fields}, items, corpus=answers(**said))
    assert inspect(features, items).distinct == 1
    assert (features.matrix.sum(axis=1) == 5).all()


def test_mistakes_are_one_line():
    with pytest.raises(UserError, match=r"^encoder 'keywords': needs a description corpus; name one in the study$"):
        encode("keywords", {}, item_table(1))
    with pytest.raises(UserError, match=r"no answer about any of the 2 items gives one of Genre, .*set `fields` to"):
        encode("keywords", {"fields": ["Genre", "Mood"]}, item_table(2), corpus=answers(**{"0": "A car"}))
    with pytest.raises(
        UserError, match=r"^the description corpus has no parsed fields; set `fields` to what its prompt"
    ):
        encode("keywords", {}, item_table(2), corpus=answers(**{"0": "A car"}))
