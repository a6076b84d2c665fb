"""Sentence embeddings: those that the library itself gives, of the weights of all-MiniLM-L6-v2."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen3Config, Qwen3Model

from recsys.content.encoders import encode
from recsys.content.weights import locate
from recsys.errors import UserError
from tests.content.conftest import frame, item_table
from tests.content.pretrained.models import SMALL, letters, save

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
TITLES = ["Alien", "Alien", None, "Notting Hill", "", "Aliens"]
TEXTS = ["a ship in space", "a ship in space", None, "love in London " * 300, " ", None]


@pytest.fixture(scope="module")
def peer() -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(locate(MODEL)), device="cpu")


def test_each_vector_is_that_of_the_library_alone(peer):
    told = []
    found = encode("sentence_transformer", {"device": "cpu", "batch_size": 2},
                   item_table(6, title=TITLES, text=TEXTS), progress=lambda *now: told.append(now))  # fmt: skip
    assert found.present.tolist() == [True, True, False, True, False, True]
    assert told == [(2, 3), (3, 3)]
    for row in np.flatnonzero(found.present):
        words = f"{TITLES[row]} {TEXTS[row] or ''}".strip()
        np.testing.assert_allclose(found.matrix[row], peer.encode(words), atol=1e-6)


def test_fields_a_prompt_and_the_answers_of_a_corpus(peer):
    items = item_table(3, title=["x", "y", "z"], tags=["rock", None, "jazz"])
    tags = encode("sentence_transformer", {"fields": ["tags"], "prompt": "genre: "}, items)
    assert tags.present.tolist() == [True, False, True]
    np.testing.assert_allclose(tags.matrix[0], peer.encode("rock", prompt="genre: "), atol=1e-6)
    corpus = frame(item_id=["2", "0"], answer=["['red car']", "blue car"])
    answers = encode("sentence_transformer", {}, items, corpus=corpus)
    assert answers.present.tolist() == [True, False, True]
    np.testing.assert_allclose(answers.matrix[2], peer.encode("red car"), atol=1e-6)


def test_another_prompt_or_precision_is_other_work(tmp_path):
    items = item_table(2, title=["rock", "jazz"])
    for options in ({}, {"prompt": "genre: "}, {"precision": "bfloat16"}, {}):
        encode("sentence_transformer", options, items, work=tmp_path)
    assert len(list(tmp_path.iterdir())) == len(list(tmp_path.glob("*/*.parquet"))) == 3


@pytest.mark.parametrize("damage", ["cut", "not a model"])
def test_a_damaged_folder_is_one_line(tmp_path, damage):
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in locate(MODEL).rglob("*.*"):
        if file.is_file() and not file.name.startswith("."):
            (folder / file.relative_to(locate(MODEL))).parent.mkdir(exist_ok=True)
            (folder / file.relative_to(locate(MODEL))).write_bytes(file.read_bytes())
    if damage == "cut":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])
    else:
        (folder / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(UserError, match=r"^\S+mine: cannot be loaded as a model \(\w+: [^\n]+\); give whole weights,"):
        encode("sentence_transformer", {"model": str(folder)}, item_table(1, title=["x"]))


@pytest.fixture
def decoder(tmp_path: Path) -> Path:
    """A tiny model that reads from left to right, in a folder that says nothing of pooling."""
    torch.manual_seed(0)
    config = Qwen3Config(**SMALL, num_key_value_heads=2, head_dim=8, vocab_size=56, pad_token_id=0)
    return save(tmp_path / "decoder", Qwen3Model(config), letters())


@pytest.mark.parametrize(("pooling", "place"), [("last", -1), ("cls", 0), ("mean", None)])
def test_pooling_of_a_folder_that_says_nothing_of_it(decoder, pooling, place):
    titles = ["Aliens", "it", "NottingHill"]
    found = encode("sentence_transformer", {"model": str(decoder), "pooling": pooling}, item_table(3, title=titles))
    model, tokens = Qwen3Model.from_pretrained(decoder).eval(), letters()
    for title, vector in zip(titles, found.matrix, strict=True):
        with torch.no_grad():
            hidden = model(**tokens(title, return_tensors="pt", return_token_type_ids=False)).last_hidden_state[0]
        np.testing.assert_allclose(
            vector, hidden.mean(dim=0) if place is None else hidden[place], rtol=1e-4, atol=1e-5
        )
    with pytest.raises(UserError, match=r"has no modules.json\); set `pooling` to mean, cls or last"):
        encode("sentence_transformer", {"model": str(decoder)}, item_table(1, title=["x"]))


def test_an_instruction_is_the_prompt_of_models_that_follow_one(peer):
    items = item_table(1, title=["rock"])
    found = encode("sentence_transformer", {"instruction": "Find music"}, items)
    np.testing.assert_allclose(found.matrix[0], peer.encode("Instruct: Find music\nQuery: rock"), atol=1e-6)
    with pytest.raises(UserError, match="give `prompt` or `instruction`, not both"):
        encode("sentence_transformer", {"instruction": "a", "prompt": "b"}, items)


def test_another_pooling_keeps_what_follows_it():
    found = encode("sentence_transformer", {"pooling": "cls"}, item_table(1, title=["rock"]))
    assert np.linalg.norm(found.matrix[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_vectors_but_for_rounding():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    items = item_table(6, title=TITLES, text=TEXTS)
    slow = encode("sentence_transformer", {"device": "cpu"}, items).matrix
    quick = encode("sentence_transformer", {"device": "cuda"}, items).matrix
    exact = encode("sentence_transformer", {"device": "cuda", "precision": "float32"}, items).matrix
    np.testing.assert_allclose(exact, slow, atol=1e-4)
    np.testing.assert_allclose(quick, slow, atol=2e-2)


@pytest.mark.data
def test_published_vectors_of_listeners_tags_are_reproduced(real):
    table = pd.read_csv(real / "lastfm-2k" / "items.csv", dtype=str)
    published = np.load(real / "lastfm-2k" / "text_feat.npy")
    # The texts that are cut at the model's limit, and the shortest 80; all of them take a minute.
    order = table["text"].str.len().argsort().to_numpy()
    rows = np.concatenate([order[:80], order[-5:]])
    items = item_table(len(rows), text=table["text"].iloc[rows].tolist())
    found = encode("sentence_transformer", {"fields": ["text"], "device": "cpu"}, items)
    cosines = (found.matrix * published[rows]).sum(axis=1)
    assert found.present.all() and cosines.min() >= 0.999


def test_weights_that_a_folder_lacks_are_an_error(decoder):
    weights = load_file(decoder / "model.safetensors")
    weights.pop("layers.1.input_layernorm.weight")
    save_file(weights, decoder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks trained weights for 1 parts of the model, first layers.1.input_layer"):
        encode("sentence_transformer", {"model": str(decoder), "pooling": "last"}, item_table(1, title=["x"]))
