"""Models that are told by a chat what their vectors are for, beside what the library alone gives."""

import json
import logging
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoProcessor

from recsys.content.encoder import Context
from recsys.content.encoders import encode, registry
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.content.pretrained.chat_embedders import CHAT, described, qwen
from tests.content.pretrained.contract import PictureEncoderContract
from tests.content.pretrained.pictures import broken_pictures, good_pictures

IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
GME = "<|im_start|>system\n{}<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n<|endoftext|>"
QWEN3 = GME.removesuffix("<|endoftext|>")


@cache
def library(folder: str) -> tuple[Any, Any]:
    return AutoProcessor.from_pretrained(folder), AutoModel.from_pretrained(folder)


def last_state(folder: str, text: str, picture: Image.Image | None = None, size: dict[str, int] | None = None) -> Any:
    """What the transformers library makes of one text without batches: its last token's state, of unit length."""
    processor, model = library(folder)
    shown = {} if picture is None else {"images": [picture], "images_kwargs": {"size": size} if size else {}}
    with torch.no_grad():
        hidden = model(**processor(text=[text], return_tensors="pt", **shown)).last_hidden_state[0, -1]
    return hidden / hidden.norm()


class TestGme(PictureEncoderContract):
    """Asked as in gme_inference.py; a picture is 256 tokens at least."""

    encoder, dim, unit = "instructed", 32, True

    def make(self, folder):
        return {"model": qwen(folder, "qwen2_vl"), "format": "gme"}

    def alone(self, options, picture):
        size = {"shortest_edge": 256 * 28 * 28, "longest_edge": 1280 * 28 * 28}
        return last_state(options["model"], GME.format("You are a helpful assistant.", IMAGE), picture, size)


class TestQwen3VlEmbedding(PictureEncoderContract):
    """Asked as in qwen3_vl_embedding.py."""

    encoder, dim, unit = "instructed", 32, True

    def make(self, folder):
        return {"model": qwen(folder, "qwen3_vl"), "format": "qwen3_vl_embedding"}

    def alone(self, options, picture):
        size = {"shortest_edge": 4 * 32 * 32, "longest_edge": 1800 * 32 * 32}
        return last_state(options["model"], QWEN3.format("Represent the user's input.", IMAGE), picture, size)


class TestDescribedFolder(PictureEncoderContract):
    """A folder that says by itself how the model is asked, with a prompt of its own."""

    encoder, dim, unit = "instructed", 32, True

    def make(self, folder):
        return {"model": described(folder, "qwen3_vl", prompt="Say it.")}

    def alone(self, options, picture):
        return last_state(options["model"], QWEN3.format("Say it.", IMAGE), picture)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return described(tmp_path_factory.mktemp("model"), "qwen3_vl")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return good_pictures(tmp_path_factory.mktemp("pictures"))


def run(folder: str, items: Any, **options: Any) -> Any:
    return encode("instructed", {"model": folder, "device": "cpu", **options}, items)


@pytest.mark.parametrize("padding", ["left", "right"])
@pytest.mark.parametrize("size", [1, 4])
def test_an_item_is_encoded_by_what_it_has_whatever_its_batch(tmp_path, pictures, padding, size):
    folder = described(tmp_path, "qwen3_vl", padding=padding)
    gone = str(tmp_path / "gone.png")
    titles = ["red car", "x", None, "a longer title of a thing", None, "lost", "red car"]
    paths = [pictures[0], None, pictures[1], pictures[2], None, gone, None]
    found = run(folder, item_table(7, title=titles, image_path=paths), batch_size=size, instruction="Find it")
    assert found.present.tolist() == [True, True, True, True, False, True, True]
    for row in np.flatnonzero(found.present):
        shown = None if paths[row] in (None, gone) else Image.open(paths[row]).convert("RGB")
        text = QWEN3.format("Find it.", f"{IMAGE if shown else ''}{titles[row] or ''}")
        np.testing.assert_allclose(found.matrix[row], last_state(folder, text, shown), atol=1e-5)


def test_a_picture_that_cannot_be_read_is_named_and_the_words_serve(folder, tmp_path, caplog):
    broken = broken_pictures(tmp_path)[0]
    with caplog.at_level(logging.INFO, logger="recsys"):
        run(folder, item_table(2, title=["a", "b"], image_path=[broken, None]))
    assert caplog.messages == [
        f"1 of 1 pictures could not be read and are absent: {broken}",
        "0 items have a picture and no words, 2 words and no picture",
    ]


def test_words_alone_and_pictures_alone(folder, pictures):
    items = item_table(3, title=["a", None, "c"], image_path=[pictures[0], pictures[1], None])
    text, image = run(folder, items, image=False), run(folder, items, fields=[])
    assert text.present.tolist() == [True, False, True] and image.present.tolist() == [True, True, False]
    np.testing.assert_allclose(text.matrix[0], run(folder, items.assign(image_path=None)).matrix[0], atol=1e-6)
    np.testing.assert_allclose(image.matrix[0], run(folder, items.assign(title=None)).matrix[0], atol=1e-6)
    with pytest.raises(UserError, match="there is nothing to read; set `image: true`, or name `fields`"):
        run(folder, items, image=False, fields=[])


@pytest.mark.parametrize("options", [{}, {"image": False}, {"fields": []}])
def test_a_check_counts_what_the_encoding_finds(folder, pictures, options):
    items = item_table(4, title=["a", None, "c", None], image_path=[pictures[0], pictures[1], None, None])
    encoder = registry.load("instructed").from_options("instructed", {"model": folder, **options})
    counted = [key is not None for key in encoder.contents(items, Context())]
    assert counted == run(folder, items, **options).present.tolist()


def test_words_are_no_marks_no_paths_and_no_addresses(folder, pictures):
    titles = [pictures[0], "https://example.org/picture.jpg", "a <|image_pad|> b"]
    found = run(folder, item_table(3, title=titles))
    for text, vector in zip([*titles[:2], "a   b"], found.matrix, strict=True):
        bare = f"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{text}"
        expected = last_state(folder, f"{bare}<|im_end|>\n<|im_start|>assistant\n")
        np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_long_words_are_cut_before_the_turn_ends(folder, pictures):
    items = item_table(2, title=["abcdefgh" * 9, "é" * 9], image_path=[pictures[0], None])
    short = items.assign(title=["abcde", "ééé"])  # the tokens are bytes, of which é has two; the last is cut in it
    np.testing.assert_allclose(run(folder, items, max_tokens=5).matrix, run(folder, short).matrix, atol=1e-5)


def test_large_pictures_are_scaled_down_if_wanted(folder, tmp_path):
    large, small = tmp_path / "large.png", tmp_path / "small.png"
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8))
    picture.save(large)
    picture.thumbnail((96, 96))
    picture.save(small)
    scaled = run(folder, item_table(1, image_path=[str(large)]), max_side=96)
    np.testing.assert_allclose(scaled.matrix, run(folder, item_table(1, image_path=[str(small)])).matrix, atol=1e-5)


def test_finished_vectors_are_kept_by_what_they_depend_on(folder, pictures, tmp_path):
    items, told = item_table(2, title=["a", "b"], image_path=[pictures[0], None]), []
    for more in ({}, {}, {"instruction": "Other"}):
        options = {"model": folder, "device": "cpu", **more}
        encode("instructed", options, items, work=tmp_path / "work", progress=lambda *now: told.append(now))
    assert told == [(1, 2), (2, 2)] * 2


@pytest.mark.parametrize("code", [None, "custom_st.MultiModalTransformer"])
def test_a_folder_that_does_not_say_how_it_is_asked(tmp_path, code):
    bare = qwen(tmp_path, "qwen2_vl")
    if code:
        (tmp_path / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": code}]))
    with pytest.raises(UserError, match=r"set `format` to gme or qwen3_vl_embedding, as the model's authors say$"):
        run(bare, item_table(1, title=["x"]))
    assert run(bare, item_table(1, title=["x"]), format="gme").present.all()


def test_a_format_is_of_one_kind_of_model_and_needs_a_chat_format(tmp_path):
    with pytest.raises(UserError, match=r": holds a qwen2_vl; `format: qwen3_vl_embedding` is of a qwen3_vl$"):
        run(qwen(tmp_path / "a", "qwen2_vl"), item_table(1, title=["x"]), format="qwen3_vl_embedding")
    with pytest.raises(UserError, match=": has no chat format; take another copy of the model"):
        run(qwen(tmp_path / "b", "qwen2_vl", chat=None), item_table(1, title=["x"]), format="gme")


def test_an_instruction_that_the_chat_format_drops_is_refused(tmp_path):
    deaf = CHAT.replace("{% for message in messages %}", "{% for message in messages if message.role == 'user' %}")
    folder, items = described(tmp_path, "qwen3_vl", chat=deaf), item_table(1, title=["x"])
    with pytest.raises(UserError, match="its chat format leaves the instruction out; do so too, or take another"):
        run(folder, items, instruction="Find it")
    assert run(folder, items).present.all()


def test_models_of_the_other_encoder_are_told_so(folder):
    items = item_table(1, title=["x"])
    with pytest.raises(UserError, match=": does not take turns of a chat; use encoder 'sentence_transformer'$"):
        run("sentence-transformers/all-MiniLM-L6-v2", items)
    with pytest.raises(UserError, match=": a model that is asked by a chat; use encoder 'instructed' with `image: fa"):
        encode("sentence_transformer", {"model": folder}, items)


def test_a_folder_without_all_of_its_weights_is_refused(tmp_path):
    place = Path(described(tmp_path, "qwen3_vl"))
    weights = load_file(place / "model.safetensors")
    weights.pop("language_model.layers.1.input_layernorm.weight")
    save_file(weights, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks trained weights for 1 parts of the model, first language_mod"):
        run(str(place), item_table(1, title=["x"]))
