"""Encoders and parsing on real catalogues: figures that a mistake would move."""

import numpy as np
import pandas as pd
import pytest

from recsys.content.descriptions import FIELDS, parse_corpus, read_corpus
from recsys.content.encoders import encode
from recsys.content.integrity import inspect, problems
from recsys.content.neighbours import nearest
from tests.content.conftest import item_table, shared_genres

pytestmark = pytest.mark.data

# Shares of the 2,490 answers: all five fields, and exactly as asked.
KEYWORDS = {
    "phi-3.5-vision": (1.0, 0.9867),
    "phi-4-multimodal": (1.0, 0.9996),
    "qwen2-vl-7b": (1.0, 1.0),
    "qwen2.5-vl-3b": (0.9827, 0.8044),
    "qwen2.5-vl-7b": (1.0, 1.0),
    "qwen3-vl-2b": (1.0, 0.9924),
    "qwen3-vl-4b": (1.0, 0.9924),
    "qwen3-vl-8b": (1.0, 0.8627),
}
PROSE = (
    "phi-3.5-vision_description",
    "phi-3.5-vision_misaligned",
    "qwen2-vl-7b_description",
    "qwen2-vl-7b_misaligned",
)


def corpus(real, name):
    return read_corpus(real / "movielens-small" / "lvlm" / f"{name}.csv")


@pytest.mark.parametrize("model", KEYWORDS)
def test_keyword_corpora_comply(real, model):
    read = corpus(real, f"{model}_keywords")
    assert len(read.answers) == 2490 and read.quarantine.empty
    table, compliance = parse_corpus(read.answers, FIELDS["movies"])
    assert (round(compliance.complete, 4), round(compliance.exact, 4)) == KEYWORDS[model]
    values = table[list(FIELDS["movies"])].stack()
    assert not values.str.contains(r"[\[\]{}\n]").any()
    assert values.str.len().max() <= 50


@pytest.mark.parametrize("name", PROSE)
def test_prose_corpora_are_read_and_hold_no_fields(real, name):
    read = corpus(real, name)
    assert len(read.answers) == 2490 and read.quarantine.empty
    assert parse_corpus(read.answers, FIELDS["movies"])[1].complete == 0


def lift_of_neighbours(movies: pd.DataFrame, features) -> float:
    """How much more of their genres the ten nearest movies share than two movies drawn at random."""
    items = np.flatnonzero(features.present)
    found = nearest(features, items, k=10)
    drawn = np.random.default_rng(0).choice(items, len(found))
    real, chance = (shared_genres(movies, found["item"], other) for other in (found["neighbour"], drawn))
    return real / chance


def test_plots_and_titles_tell_genres(movies):
    features = encode("tfidf_svd", {}, movies)
    assert features.present.all() and problems(inspect(features, movies)) == []
    assert lift_of_neighbours(movies, features) > 1.2
    only_plots = encode("tfidf_svd", {"fields": ["text"]}, movies)
    assert only_plots.present.sum() == 2718


def test_posters_tell_genres(movies):
    features = encode("visual_descriptors", {}, movies)
    assert features.present.sum() == 3631 and problems(inspect(features, movies)) == []
    assert lift_of_neighbours(movies, features) > 1.2


def test_keywords_tell_genres(real, movies):
    answers = corpus(real, "qwen2-vl-7b_keywords").answers
    features = encode("keywords", {"fields": FIELDS["movies"]}, movies, corpus=answers)
    assert features.present.sum() == 1571
    assert lift_of_neighbours(movies, features) > 1.8


def test_genres_as_attributes(movies):
    features = encode("attributes", {}, movies)
    assert features.matrix.shape == (3650, 20)
    assert problems(inspect(features, movies)) == []


def test_listeners_tags_agree_with_a_sentence_encoder(real):
    table = pd.read_csv(real / "lastfm-2k" / "items.csv", dtype=str)
    items = item_table(len(table), text=table["text"].tolist()).assign(item_id=table["itemID"].astype(object))
    ours = encode("tfidf_svd", {}, items)
    theirs = encode("matrix_file", {"file": "text_feat.npy"}, items, folder=real / "lastfm-2k")
    assert ours.matrix.shape == (1425, 128) and theirs.matrix.shape == (1425, 384)
    asked = np.flatnonzero(ours.present & theirs.present)
    pairs = [
        set(zip(found["item"], found["neighbour"], strict=True))
        for found in (nearest(ours, asked, 10), nearest(theirs, asked, 10))
    ]
    # Ten drawn at random of 1,424 would agree in 0.7 %.
    assert len(pairs[0] & pairs[1]) / len(pairs[0]) > 0.2


def test_half_precision_features_of_a_published_set(real):
    items = item_table(7050)
    features = encode("matrix_file", {"file": "image_feat.npy"}, items, folder=real / "baby")
    assert features.matrix.shape == (7050, 256) and features.matrix.dtype == np.float32
    assert problems(inspect(features, items)) == []
