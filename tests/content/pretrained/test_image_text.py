"""Joint models of five families: their halves, how they are joined, and what an item may lack."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoProcessor

from recsys.content.encoders import encode
from recsys.errors import UserError
from tests.content.conftest import frame, item_table
from tests.content.pretrained import models
from tests.content.pretrained.contract import PictureEncoderContract
from tests.content.pretrained.pictures import good_pictures

TEXTS = ["abc", "Hello there, a text beyond the limit of every one of these models", "x", None, "abc", " "]


@cache
def library(folder: str) -> tuple[Any, Any]:
    return AutoProcessor.from_pretrained(folder), AutoModel.from_pretrained(folder)


def unit(rows: Any) -> np.ndarray:
    vector = np.asarray(rows, dtype=np.float64).ravel()
    return vector / np.linalg.norm(vector)


class JointContract(PictureEncoderContract):
    """Its picture half is an encoder of pictures; its text half is compared with the library here."""

    encoder, dim, unit = "image_text", models.DIM, True
    limit = models.LIMIT
    padding, mask = "longest", True

    def alone(self, options, picture):
        processor, model = library(options["model"])
        with torch.no_grad():
            row = model.get_image_features(**processor.image_processor(picture, return_tensors="pt")).pooler_output
        return row / row.norm()

    def test_words_become_what_the_model_alone_makes_of_them(self, options):
        found = encode("image_text", {**options, "part": "text", "batch_size": 2}, item_table(6, text=TEXTS))
        assert found.present.tolist() == [True, True, True, False, True, False]
        processor, model = library(options["model"])
        for row in np.flatnonzero(found.present):
            inputs = processor.tokenizer(
                TEXTS[row].lower() if self.padding == "max_length" else TEXTS[row],
                padding=self.padding, max_length=self.limit, truncation=True, return_attention_mask=self.mask,
                return_tensors="pt",
            )  # fmt: skip
            with torch.no_grad():
                alone = model.get_text_features(**inputs).pooler_output
            np.testing.assert_allclose(found.matrix[row], unit(alone), atol=1e-5)
        assert np.abs(found.matrix[0] - found.matrix[1]).max() > 1e-3


class TestCLIP(JointContract):
    def make(self, folder: Path) -> dict[str, Any]:
        return {"model": str(models.clip(folder)), "part": "image"}


class TestSigLIP(JointContract):
    padding, mask = "max_length", False

    def make(self, folder: Path) -> dict[str, Any]:
        return {"model": str(models.siglip(folder)), "part": "image"}


class TestSigLIP2(JointContract):
    padding, mask = "max_length", False

    def make(self, folder: Path) -> dict[str, Any]:
        return {"model": str(models.siglip2(folder)), "part": "image"}


class TestALIGN(JointContract):
    limit = 64

    def make(self, folder: Path) -> dict[str, Any]:
        return {"model": str(models.align(folder)), "part": "image"}


class TestAltCLIP(JointContract):
    def make(self, folder: Path) -> dict[str, Any]:
        return {"model": str(models.altclip(folder)), "part": "image"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    return str(models.clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture
def items(tmp_path: Path) -> Any:
    """Both, a picture, a text, neither; then both again, and a picture that is none."""
    first, second = good_pictures(tmp_path)[:2]
    paths = [first, second, None, None, first, str(tmp_path / "nowhere.jpg")]
    return item_table(6, image_path=paths, text=["abc", None, "xyz", " ", "abc", "def"])


def part(clip: str, items: Any, name: str, **options: Any) -> Any:
    return encode("image_text", {"model": clip, "device": "cpu", "part": name, **options}, items)


def test_halves_are_joined_and_what_an_item_lacks_takes_nothing_from_the_rest(clip, items):
    image, text = part(clip, items, "image"), part(clip, items, "text")
    assert image.present.tolist() == [True, True, False, False, True, False]
    assert text.present.tolist() == [True, False, True, False, True, True]
    np.testing.assert_allclose(np.linalg.norm(image.matrix, axis=1), image.present, atol=1e-6)

    concat = part(clip, items, "concat")
    np.testing.assert_allclose(concat.matrix, np.hstack([image.matrix, text.matrix]), atol=1e-6)
    for name, weight, options in (("mean", 0.5, {}), ("weighted", 0.8, {"image_weight": 0.8})):
        joined = part(clip, items, name, **options)
        expected = weight * image.matrix + (1 - weight) * text.matrix
        expected[1], expected[2], expected[5] = image.matrix[1], text.matrix[2], text.matrix[5]
        np.testing.assert_allclose(joined.matrix, expected, atol=1e-6)
        assert joined.present.tolist() == concat.present.tolist() == [True, True, True, False, True, True]


def test_a_catalogue_without_pictures_or_without_words(clip, items):
    text = part(clip, items, "text")
    bare = items.assign(image_path=None)
    np.testing.assert_allclose(part(clip, bare, "mean").matrix, text.matrix, atol=1e-6)
    concat = part(clip, bare, "concat").matrix
    assert concat.shape == (6, 2 * models.DIM) and not concat[:, : models.DIM].any()
    wordless = part(clip, items.assign(text=None), "concat")
    assert wordless.matrix.shape == (6, 2 * models.DIM) and not wordless.matrix[:, models.DIM :].any()
    assert not part(clip, bare.assign(text=None), "concat").present.any()


def test_both_halves_count_as_one_work_and_are_kept_for_every_part(clip, items, tmp_path):
    told: list[tuple[int, int]] = []

    def run(name: str) -> None:
        told.clear()
        options = {"model": clip, "device": "cpu", "part": name, "batch_size": 1}
        encode("image_text", options, items, work=tmp_path / "work", progress=lambda *now: told.append(now))

    run("concat")
    assert told == [(done, 6) for done in range(1, 7)]
    run("mean")
    assert told == [(3, 6)]  # the missing file alone is looked for again
    run("text")
    assert told == []


def test_fields_and_the_answers_of_a_corpus(clip, items):
    corpus = frame(item_id=["0", "2"], answer=["abc", "xyz"])
    told = encode("image_text", {"model": clip, "part": "text", "device": "cpu"}, items, corpus=corpus)
    assert told.present.tolist() == [True, False, True, False, False, False]
    np.testing.assert_allclose(
        told.matrix[[0, 2]], part(clip, items, "text", fields=["text"]).matrix[[0, 2]], atol=1e-6
    )


def test_a_model_of_one_modality_is_refused(tmp_path, items):
    folder = models.vit(tmp_path / "vit")
    with pytest.raises(
        UserError, match=r"^\S+vit: not a model of pictures and texts; use encoder 'vision_transformer'"
    ):
        part(str(folder), items, "image")


def test_a_joint_model_is_refused_by_the_encoder_of_pictures(clip, items):
    with pytest.raises(
        UserError, match=r": a model of pictures and texts; use encoder 'image_text' with `part: image`$"
    ):
        encode("vision_transformer", {"model": clip}, items)
