"""Encoders and parsing on real catalogues: figures that a mistake would move."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recsys.content.descriptions import FIELDS, fields_of, parse_corpus, read_corpus, values, vocabulary
from recsys.content.descriptions.comprehension import agreement_with_attributes
from recsys.content.descriptions.consistency import agreement_between, coarseness
from recsys.content.descriptions.user_signal import user_signal
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


def described(real, model):
    return fields_of(corpus(real, f"{model}_keywords").answers, FIELDS["movies"])


def test_values_of_a_real_corpus_are_spelled_alike(real):
    words = vocabulary(values(described(real, "qwen3-vl-8b")))
    assert len(words) == words.groupby(["field", "value"]).ngroups == 977
    assert words["becomes"].nunique() < words["value"].nunique()
    assert not words["becomes"].dropna().str.contains(r"[A-Z&\-/.,'()]").any()


def test_a_model_sees_genres_in_posters(real, movies):
    found = agreement_with_attributes(described(real, "qwen2-vl-7b"), movies, {"Genre": "genres"}).iloc[0]
    assert found["n_items"] == 1571 and found["known"] > 0.8
    assert found["precision"] > 0.7 and found["f1"] > 2.5 * found["f1_chance"]


def test_models_agree_on_genres_more_than_by_chance(real):
    corpora = {model: described(real, model)[["Genre"]] for model in ("qwen2-vl-7b", "qwen3-vl-4b", "phi-3.5-vision")}
    found = agreement_between(corpora)
    assert (found["n_items"] == 2490).all() and (found["kappa"] > 0.4).all()


def test_audiences_and_formats_are_coarse(real):
    found = coarseness(described(real, "qwen2-vl-7b")).set_index("field")
    assert found["top"].to_dict() == {
        "Genre": "drama",
        "Audience": "adults",
        "Visual Format": "live action",
        "Mood": "witty",
        "Setting": "urban",
    }
    assert (found.loc[["Audience", "Visual Format"], "effective_values"] < 2).all()
    assert (found.loc[["Genre", "Mood", "Setting"], "effective_values"] > 10).all()


def test_people_choose_by_genre_and_mood(real, movies):
    ratings = pd.read_csv(real / "movielens-small" / "ratings.csv", dtype={"movieId": str})
    ratings = ratings[ratings["movieId"].isin(movies["item_id"])]
    items = pd.Index(movies["item_id"]).get_indexer(ratings["movieId"])
    shape = (int(ratings["userId"].max()) + 1, len(movies))
    train = sparse.csr_array((np.ones(len(ratings), np.float32), (ratings["userId"], items)), shape=shape)
    said = described(real, "qwen2-vl-7b")[["Genre", "Mood"]]
    found = user_signal(said, movies["item_id"].tolist(), train, n_rewired=5, n_permutations=49)
    assert (found["n_items"] == 1571).all()
    assert (found["ratio"] > 1.08).all() and (found["ratio_sd"] < 0.01).all() and (found["p_value"] == 0.02).all()
    assert (found["user_ratio"] > found["ratio"]).all()  # those who rated most rated of everything


def lift_of_neighbours(movies: pd.DataFrame, features) -> float:
    """How much more of their genres the ten nearest movies share than two movies drawn at random."""
    items = np.flatnonzero(features.present)
    found = nearest(features, items, k=10)
    drawn = np.random.default_rng(0).choice(items, len(found))
    real, chance = (shared_genres(movies, found["item"], other) for other in (found["neighbour"], drawn))
    return real / chance


# How much more of their genres movies share that are near by the words of the answers; less where the prompt was
# about something else.
LIFTS = {
    "phi-3.5-vision_keywords": 1.8,
    "phi-4-multimodal_keywords": 1.7,
    "qwen2-vl-7b_keywords": 2.3,
    "qwen2.5-vl-3b_keywords": 1.9,
    "qwen2.5-vl-7b_keywords": 2.1,
    "qwen3-vl-2b_keywords": 1.9,
    "qwen3-vl-4b_keywords": 2.1,
    "qwen3-vl-8b_keywords": 2.2,
    "phi-3.5-vision_description": 1.3,
    "phi-3.5-vision_misaligned": 1.1,
    "qwen2-vl-7b_description": 1.4,
    "qwen2-vl-7b_misaligned": 1.2,
}


@pytest.mark.parametrize("name", LIFTS)
def test_every_corpus_is_a_text_to_encode(real, movies, name):
    answers = corpus(real, name).answers
    known = movies[movies["item_id"].isin(answers["item_id"])].reset_index(drop=True)
    features = encode("tfidf_svd", {}, known, corpus=answers)
    assert features.matrix.shape == (1571, 128) and features.present.all()
    assert problems(inspect(features, known)) == []
    assert lift_of_neighbours(known, features) == pytest.approx(LIFTS[name], abs=0.1)


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
