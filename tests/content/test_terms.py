"""Words of any script are found whole, their pieces are shared, and what nobody sees in a text changes nothing."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.content.encoders import encode, share_isolated
from recsys.content.features import Features
from recsys.content.terms import UNSPACED_MARK, count_terms, find_runs
from tests.content.conftest import item_table

UNSPACED = ["木椅橡木台灯", "日本語のテーブル", "ภาษาไทยเก้าอี้", "ពាក្យខ្មែរ", "ພາສາລາວ", "မြန်မာစာ"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Kid's Toy-Story 2: l'été", ["kid", "toy", "story", "ete"]),
        ("हिन्दी की किताबें", ["हिन्दी", "की", "किताबें"]),
        ("தமிழ் நூல்", ["தமிழ்", "நூல்"]),
        ("বাংলা বই", ["বাংলা", "বই"]),
        ("나무 책", ["나무", "책"]),
        ("בַּיִת בית", ["בית", "בית"]),
        ("بَيْت بيت می\u200cخواهم", ["بيت", "بيت", "میخواهم"]),
        ("བོད་ཡིག", ["བོད", "ཡིག"]),
        ("Straße STRASSE ﬁlm １２ é 9", ["strasse", "strasse", "film", "12"]),
        ("iPhone15手机壳，红", ["iphone15", UNSPACED_MARK + "手机壳", UNSPACED_MARK + "红"]),
    ],
)
def test_words(text, words):
    assert list(find_runs(text)) == words


@pytest.mark.parametrize("text", UNSPACED)
@given(cut=st.integers(1, 5), space=st.sampled_from([" ", "\u3000", "\u200b", "\n"]))
def test_a_space_inside_an_unspaced_script_changes_nothing(text, cut, space):
    assert list(find_runs(text[:cut] + space + text[cut:])) == list(find_runs(text))
    assert list(find_runs(text)) == [UNSPACED_MARK + unicodedata.normalize("NFKC", text)]


@given(st.text())
def test_any_text_has_words_that_are_words_again(text):
    words = [word.removeprefix(UNSPACED_MARK) for word in find_runs(text)]
    assert [found.removeprefix(UNSPACED_MARK) for word in words for found in find_runs(word)] == words
    assert count_terms([text, text]).words.shape[0] == 2


def vectors(*titles: str) -> Features:
    return encode("tfidf_svd", {}, item_table(len(titles), title=list(titles)))


def cosine(first: str, second: str) -> float:
    """Beside a third title, which neither of them resembles."""
    rows = vectors(first, second, "xyzzy")
    return float(rows.matrix[0] @ rows.matrix[1])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Holztisch", "Tischlampe"),
        ("책상의자", "나무의자는"),
        ("木椅橡木", "台灯橡木"),
        ("วรรณกรรมไทย", "อาหารไทย"),
        ("テーブルランプ", "木のテーブル"),
        ("हिन्दी किताब", "तमिल किताब"),
        ("книга", "книги"),
    ],
)
def test_texts_that_share_a_part_are_alike(first, second):
    assert cosine(first, second) > 0.05
    assert abs(cosine(first, "Qwerty")) < 1e-3


def test_marks_tell_words_apart():
    assert abs(cosine("कि", "का")) < 1e-3  # cut at the vowel sign, both would be the letter ka


def test_share_of_items_that_have_no_word_in_common_with_another():
    titles = ["Notting Hill", "Hill House", "Alien", "木椅", "台灯", "!", None]
    assert share_isolated("tfidf_svd", {}, item_table(7, title=titles)) == pytest.approx(3 / 5)
    assert share_isolated("visual_descriptors", {}, item_table(7, title=titles)) is None


def test_equal_titles_are_equal_rows_in_any_encoding():
    composed, decomposed = (unicodedata.normalize(form, "Café ガラス 의자") for form in ("NFC", "NFD"))
    rows = vectors(composed, decomposed, "Tisch").matrix
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
