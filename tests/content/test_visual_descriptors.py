"""Pictures of every kind are described, broken ones are absent, and equal ones are read once."""

import numpy as np
import pytest
from PIL import Image

from recsys.content.encoders import encode
from tests.content.conftest import item_table, pictured


def save(folder, name, image, **options):
    image.save(folder / name, **options)
    return str(folder / name)


def colours(folder, n=12):
    """Pictures of six red and six blue shades, each with noise."""
    random = np.random.default_rng(1)
    paths = []
    for number in range(n):
        pixels = random.integers(0, 60, (60, 40, 3), dtype=np.uint8)
        pixels[..., 0 if number < n // 2 else 2] += 160
        paths.append(save(folder, f"{number}.png", Image.fromarray(pixels)))
    return paths


def test_pictures_of_one_colour_are_neighbours(tmp_path):
    features = encode("visual_descriptors", {"dim": 4}, item_table(12, image_path=colours(tmp_path)))
    cosine = features.matrix @ features.matrix.T
    np.fill_diagonal(cosine, -np.inf)
    nearest = cosine.argmax(axis=1)
    assert ((nearest < 6) == (np.arange(12) < 6)).all()


def test_blocks_weigh_the_same(tmp_path):
    features = encode("visual_descriptors", {"dim": None}, item_table(12, image_path=colours(tmp_path)))
    # Three blocks, each of total variance 1.
    assert features.matrix.var(axis=0).sum() == pytest.approx(3, rel=1e-4)


def test_a_shape_is_told_from_its_turned_copy_of_the_same_colours(tmp_path):
    rows = np.zeros((96, 96), dtype=np.uint8)
    rows[::8] = rows[1::8] = 255
    paths = [
        save(tmp_path, f"{n}.png", Image.fromarray(np.roll(p, n, axis=(0, 1))))
        for n, p in enumerate([rows, rows.T, rows, rows.T])
    ]
    matrix = encode("visual_descriptors", {"dim": None}, item_table(4, image_path=paths)).matrix
    assert np.linalg.norm(matrix[0] - matrix[2]) < np.linalg.norm(matrix[0] - matrix[1])


def test_missing_and_broken_pictures_are_absent(tmp_path):
    paths = colours(tmp_path, 4)
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    broken = [str(tmp_path / name) for name in ("cut.png", "text.jpg", "empty.jpg", "none.jpg")]
    items = item_table(9, image_path=[*paths, *broken, None])
    features = encode("visual_descriptors", {}, items)
    assert features.present.tolist() == [True] * 4 + [False] * 5
    nothing = encode("visual_descriptors", {}, items[4:])
    assert not nothing.present.any() and len(nothing.matrix) == 5


def test_one_picture_alone_is_present(tmp_path):
    features = encode("visual_descriptors", {}, item_table(1, image_path=colours(tmp_path, 1)))
    assert features.present.tolist() == [True]


def test_equal_pictures_are_read_once_and_progress_is_told(tmp_path):
    paths = colours(tmp_path, 3)
    told = []
    items = item_table(6, image_path=paths + paths, image_digest=["a", "b", "c", "a", "b", "c"])
    features = encode("visual_descriptors", {}, items, progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]
    np.testing.assert_array_equal(features.matrix[:3], features.matrix[3:])


def test_several_pictures_of_an_item_are_averaged(tmp_path):
    paths = colours(tmp_path, 5)
    one_each = encode("visual_descriptors", {"dim": 3}, item_table(5, image_path=paths)).matrix
    # The same pictures in the same order, so that what is computed of all of them is the same.
    found = encode("visual_descriptors", {"dim": 3}, pictured(paths[:3], [paths[3]], [], [paths[4], paths[0]]))
    assert found.present.tolist() == [True, True, False, True]
    np.testing.assert_allclose(found.matrix[0], one_each[:3].mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found.matrix[1], one_each[3])
    np.testing.assert_allclose(found.matrix[3], (one_each[4] + one_each[0]) / 2, rtol=1e-5, atol=1e-6)


def test_workers_give_the_same_vectors(tmp_path):
    items = item_table(12, image_path=colours(tmp_path))
    alone = encode("visual_descriptors", {"dim": 4}, items)
    together = encode("visual_descriptors", {"dim": 4, "workers": 2}, items)
    np.testing.assert_array_equal(alone.matrix, together.matrix)
