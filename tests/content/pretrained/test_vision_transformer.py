"""Vision transformers of three families, and every way in which their tokens become one vector."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoModel

from recsys.content.encoders import encode
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.content.pretrained import models
from tests.content.pretrained.contract import PictureEncoderContract
from tests.content.pretrained.pictures import good_pictures


@cache
def library(folder):
    return AutoImageProcessor.from_pretrained(folder), AutoModel.from_pretrained(folder)


def hidden(folder, picture):
    processor, model = library(folder)
    with torch.no_grad():
        return model(**processor(picture, return_tensors="pt"))


class TestViT(PictureEncoderContract):
    encoder, dim = "vision_transformer", 16

    def make(self, folder):
        return {"model": str(models.vit(folder))}

    def alone(self, options, picture):
        return hidden(options["model"], picture).last_hidden_state[:, 0]


class TestDINOv2(PictureEncoderContract):
    encoder, dim = "vision_transformer", 16

    def make(self, folder):
        return {"model": str(models.dinov2(folder)), "pooling": "mean"}

    def alone(self, options, picture):
        return hidden(options["model"], picture).last_hidden_state[:, 1:].mean(dim=1)


class TestDINOv3(PictureEncoderContract):
    encoder, dim = "vision_transformer", 16

    def make(self, folder):
        return {"model": str(models.dinov3(folder)), "pooling": "mean"}

    def alone(self, options, picture):
        return hidden(options["model"], picture).last_hidden_state[:, 1 + models.REGISTERS :].mean(dim=1)


class TestConvNext(PictureEncoderContract):
    encoder, dim = "vision_transformer", 16

    def make(self, folder):
        return {"model": str(models.convnext(folder)), "pooling": "pooler"}

    def alone(self, options, picture):
        return hidden(options["model"], picture).pooler_output


def refusal(folder: Path, tmp_path: Path, **options: str) -> str:
    items = item_table(1, image_path=good_pictures(tmp_path)[:1])
    with pytest.raises(UserError) as error:
        encode("vision_transformer", {"model": str(folder), "device": "cpu", **options}, items)
    return str(error.value)


def test_weights_that_are_not_there_are_not_made_up(tmp_path):
    folder = models.vit(tmp_path / "vit")
    state = load_file(folder / "model.safetensors")
    save_file({name: tensor for name, tensor in state.items() if "pooler" not in name}, folder / "model.safetensors")
    assert encode("vision_transformer", {"model": str(folder)}, item_table(1)).present.tolist() == [False]
    assert refusal(folder, tmp_path, pooling="pooler") == (
        f"{folder}: lacks trained weights for 2 parts of the model, first pooler.dense.bias"
    )
    kept = {name: tensor for name, tensor in state.items() if "cls_token" not in name}
    save_file(kept, folder / "model.safetensors")
    assert "lacks trained weights for 1 parts of the model, first embeddings.cls_token" in refusal(folder, tmp_path)


def test_a_model_that_does_not_fit_the_options(tmp_path):
    convnext = models.convnext(tmp_path / "convnext")
    assert refusal(convnext, tmp_path) == f"{convnext}: has no class token; set `pooling` to mean or pooler"


def test_work_is_kept_by_weights_and_not_by_where_they_lie(tmp_path):
    items = item_table(6, image_path=good_pictures(tmp_path))
    first, work = models.vit(tmp_path / "first"), tmp_path / "work"
    told: list[tuple[int, int]] = []

    def run(folder: Path) -> np.ndarray:
        told.clear()
        options = {"model": str(folder), "batch_size": 2}
        return encode("vision_transformer", options, items, work=work, progress=lambda *now: told.append(now)).matrix

    vectors = run(first)
    assert len(told) == 3
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    np.testing.assert_array_equal(run(copy), vectors)
    assert not told
    assert not np.allclose(run(models.vit(tmp_path / "other")), vectors)


def test_several_layers_in_one_pass(tmp_path):
    folder = models.dinov2(tmp_path / "m")
    paths = good_pictures(tmp_path)[:2]
    options = {"model": str(folder), "device": "cpu", "pooling": "mean", "layer": [1, -1]}
    found = encode("vision_transformer", options, item_table(2, image_path=paths))
    processor, model = library(str(folder))
    with torch.no_grad():
        states = model(
            **processor(Image.open(paths[0]).convert("RGB"), return_tensors="pt"), output_hidden_states=True
        )
    expected = torch.cat([states.hidden_states[layer][0, 1:].mean(dim=0) for layer in (1, -1)])
    np.testing.assert_allclose(found.matrix[0], expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match=r"^layer 9: this model has layers 0 to 2$"):
        encode("vision_transformer", options | {"layer": 9}, item_table(2, image_path=paths))
    with pytest.raises(UserError, match="`pooler` is made of the last layer"):
        encode("vision_transformer", options | {"pooling": "pooler"}, item_table(2, image_path=paths))
