"""Content that helps is found in any script, with and without spaces between words."""

from functools import cache

import numpy as np
import pytest

from recsys.content.encoders import encode
from recsys.content.features import Features
from recsys.models.multimodal.attributeitemknn import AttributeItemKNN
from recsys.recommender import TrainingData
from tests.content.conftest import item_table
from tests.content.goods import WORDS, purchases, split, titles

TRAIN, TEST = split(purchases())
UNSPACED = ("Chinese", "Japanese", "Thai", "Khmer")
COMPOUND = ("German", "Korean")


def vectors(language: str, join: str = " ") -> Features:
    found = titles(language, join)
    return encode("tfidf_svd", {}, item_table(len(found), title=found))


def recall(content: dict[str, Features]) -> np.ndarray:
    """Share of each person's later items among the first twenty."""
    model = AttributeItemKNN.from_params(n_neighbours=20, shrink=0.0, content_weight=3.0)
    model.fit(TrainingData(TRAIN, content))
    scores = np.where(TRAIN.toarray() > 0, -np.inf, model.score(np.arange(TRAIN.shape[0])))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    return np.take_along_axis(TEST.toarray(), best, axis=1).sum(axis=1) / 2


@cache
def recall_without_content() -> np.ndarray:
    return recall({})


def standard_errors(differences: np.ndarray) -> float:
    return float(differences.mean() / (differences.std(ddof=1) / np.sqrt(len(differences)) + 1e-12))


CASES = [(language, " ") for language in WORDS] + [(language, "") for language in (*UNSPACED, *COMPOUND)]


@pytest.mark.parametrize(("language", "join"), CASES)
def test_content_helps_in_any_script(language, join):
    assert standard_errors(recall({"text": vectors(language, join)}) - recall_without_content()) > 3


@pytest.mark.parametrize("language", UNSPACED)
def test_spaces_that_no_reader_needs_change_no_vector(language):
    np.testing.assert_array_equal(vectors(language).matrix, vectors(language, "").matrix)
