"""Words to vectors: alike where words are shared, absent where there are none, the same each time."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from recsys.content.encoders import encode
from recsys.errors import UserError
from tests.content.conftest import frame, item_table

ITEMS = item_table(
    5,
    title=["Alien", "Aliens", "Notting Hill", None, "!"],
    text=["space monster ship", "space monster war", "love bookshop London", " ", None],
)


def test_shared_words_make_items_alike_and_empty_ones_absent():
    features = encode("tfidf_svd", {}, ITEMS)
    assert features.present.tolist() == [True, True, True, False, False]
    cosine = features.matrix @ features.matrix.T
    assert cosine[0, 1] > 0.3 > abs(cosine[0, 2])
    np.testing.assert_allclose(np.diag(cosine)[:3], 1, rtol=1e-5)
    assert not features.matrix[3:].any()


def test_full_rank_keeps_the_cosines_of_tfidf():
    texts = ["a1 b1 c1", "b1 c1 c1 d1", "d1 e1", "a1 e1 e1 b1"]
    weights = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    features = encode("tfidf_svd", {"fields": ["text"]}, item_table(4, text=texts))
    np.testing.assert_allclose(features.matrix @ features.matrix.T, (weights @ weights.T).toarray(), atol=1e-5)


def test_dim_is_capped_by_the_data_and_draws_are_repeatable():
    random = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in random.integers(0, 300, 20)) for _ in range(60)]
    items = item_table(60, text=texts)
    assert encode("tfidf_svd", {}, items).matrix.shape == (60, 60)
    small = encode("tfidf_svd", {"dim": 8}, items)
    assert small.matrix.shape == (60, 8)
    np.testing.assert_array_equal(small.matrix, encode("tfidf_svd", {"dim": 8}, items).matrix)


def test_any_column_and_the_answers_of_a_corpus():
    items = item_table(3, title=["x", "y", "z"], tags=["rock", "rock", "jazz"])
    by_tags = encode("tfidf_svd", {"fields": ["tags"]}, items).matrix
    np.testing.assert_allclose(by_tags @ by_tags.T, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-6)
    corpus = frame(item_id=["2", "0", "9"], answer=["['red car']", "red car", "blue"])
    features = encode("tfidf_svd", {}, items, corpus=corpus)
    assert features.present.tolist() == [True, False, True]
    np.testing.assert_allclose(features.matrix[0], features.matrix[2], atol=1e-6)
    both = encode("tfidf_svd", {"fields": ["tags", "answer"]}, items, corpus=corpus)
    assert both.present.all()


def test_stop_words_and_min_df():
    items = item_table(3, text=["the of and", "the sea sea", "a sea sails"])
    assert encode("tfidf_svd", {"stop_words": "english"}, items).present.tolist() == [False, True, True]
    assert encode("tfidf_svd", {"stop_words": "english", "min_df": 2}, items).matrix.shape == (3, 1)


def test_mistakes_are_one_line():
    with pytest.raises(UserError, match=r"^encoder 'tfidf_svd': items have no column 'plot' \(known: item_id, "):
        encode("tfidf_svd", {"fields": ["plot"]}, ITEMS)
    with pytest.raises(UserError, match=r"^encoder 'tfidf_svd': no words in default fields of 2 items \(min_df 1\);"):
        encode("tfidf_svd", {}, item_table(2))
