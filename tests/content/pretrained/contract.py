"""What every encoder of pictures must do; a family's test says how to make a tiny model and what it gives alone."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from recsys.content.encoders import encode
from tests.content.conftest import item_table, pictured
from tests.content.pretrained.pictures import good_pictures


class PictureEncoderContract:
    """Inherit, name the encoder, and say how it is made and what one picture becomes without it."""

    encoder: str
    dim: int
    unit = False

    def make(self, folder: Path) -> dict[str, Any]:
        """Weights in a folder, and the options that name them."""
        raise NotImplementedError

    def alone(self, options: dict[str, Any], picture: Image.Image) -> torch.Tensor:
        """The vector of one picture by the library, without batches."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    def options(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        torch.manual_seed(0)
        return {**self.make(tmp_path_factory.mktemp("weights")), "device": "cpu"}

    def test_each_vector_is_that_of_the_model_alone(self, options, tmp_path):
        paths = good_pictures(tmp_path)[:4]
        found = encode(self.encoder, {**options, "batch_size": 3}, item_table(len(paths), image_path=paths))
        assert found.matrix.shape == (len(paths), self.dim) and found.present.all()
        for path, vector in zip(paths, found.matrix, strict=True):
            expected = self.alone(options, Image.open(path).convert("RGB")).numpy().ravel()
            np.testing.assert_allclose(vector, expected, rtol=1e-4, atol=1e-5)
        assert np.linalg.norm(found.matrix[0] - found.matrix[1]) > 1e-3

    def test_odd_pictures_are_read_and_broken_ones_are_absent(self, options, odd, broken, caplog):
        items = item_table(len(odd) + len(broken) + 1, image_path=[*odd, *broken, None])
        with caplog.at_level(logging.WARNING, logger="recsys"):
            found = encode(self.encoder, options, items)
        assert found.present.tolist() == [True] * len(odd) + [False] * (len(broken) + 1)
        (line,) = caplog.messages
        assert line.startswith(
            f"{len(broken)} of {len(odd) + len(broken)} pictures could not be read and are absent: "
        )

    def test_equal_files_are_encoded_once(self, options, tmp_path):
        good = good_pictures(tmp_path)[:3]
        told: list[tuple[int, int]] = []
        items = item_table(7, image_path=[*good, *good, None], image_digest=["a", "b", "c", "a", "b", "c", None])
        found = encode(self.encoder, options, items, progress=lambda *now: told.append(now))
        assert told == [(3, 3)]
        np.testing.assert_array_equal(found.matrix[:3], found.matrix[3:6])

    def test_several_pictures_of_an_item_are_averaged_but_for_broken_ones(self, options, tmp_path):
        a, b, c, d = good_pictures(tmp_path)[:4]
        gone = str(tmp_path / "gone.png")
        one_each = encode(self.encoder, options, item_table(4, image_path=[a, b, c, d])).matrix
        found = encode(self.encoder, options, pictured([a, b, gone, c], [d], [gone, gone], [], [c, a, b]))
        assert found.present.tolist() == [True, True, False, False, True]
        mean = one_each[:3].mean(axis=0)
        mean = mean / np.linalg.norm(mean) if self.unit else mean
        np.testing.assert_allclose(found.matrix[0], mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found.matrix[4], found.matrix[0], rtol=1e-4, atol=1e-6)
        # An item of one picture has the very vector that it has in a catalogue of such items.
        np.testing.assert_array_equal(found.matrix[1], one_each[3])

    def test_items_without_pictures(self, options):
        found = encode(self.encoder, options, item_table(3))
        assert len(found.matrix) == 3 and not found.present.any()

    def test_a_vector_depends_neither_on_its_batch_nor_on_its_place(self, options, tmp_path):
        good = good_pictures(tmp_path)[:4]
        alone = encode(self.encoder, {**options, "batch_size": 1}, item_table(4, image_path=good)).matrix
        together = encode(self.encoder, {**options, "batch_size": 4}, item_table(4, image_path=good[::-1])).matrix
        np.testing.assert_allclose(together[::-1], alone, rtol=1e-4, atol=1e-5)

    def test_a_lower_precision_changes_the_vectors_by_rounding_alone(self, options, tmp_path):
        items = item_table(4, image_path=good_pictures(tmp_path)[:4])
        exact = encode(self.encoder, options, items).matrix
        rough = encode(self.encoder, {**options, "precision": "bfloat16"}, items).matrix
        cosines = (rough * exact).sum(axis=1) / np.linalg.norm(rough, axis=1) / np.linalg.norm(exact, axis=1)
        assert cosines.min() > 0.98 and not np.array_equal(rough, exact)

    @pytest.mark.gpu
    def test_a_gpu_gives_the_same_vectors_but_for_rounding(self, options, tmp_path):
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
        items = item_table(6, image_path=good_pictures(tmp_path))
        slow = encode(self.encoder, options, items).matrix
        exact = encode(self.encoder, {**options, "device": "cuda", "precision": "float32"}, items).matrix
        quick = encode(self.encoder, {**options, "device": "cuda"}, items).matrix
        np.testing.assert_allclose(exact, slow, rtol=1e-2, atol=1e-3)
        cosines = (quick * slow).sum(axis=1) / np.linalg.norm(quick, axis=1) / np.linalg.norm(slow, axis=1)
        assert cosines.min() > 0.999
