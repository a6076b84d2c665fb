"""Pictures of every kind are described, broken ones are absent, and equal ones are read once."""

import numpy as np
import pytest
from PIL import Image

from recsys.content import images
from recsys.content.encoders import encode
from recsys.content.images import open_rgb
from tests.content.conftest import item_table

NOISE = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)


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


def test_a_decompression_bomb_is_absent(tmp_path, monkeypatch):
    path = save(tmp_path, "bomb.png", Image.new("1", (300, 300)))
    assert open_rgb(path) is not None
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 60_000)  # between half of 90,000 and all: Pillow only warns
    assert open_rgb(path) is None
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 10_000)
    assert open_rgb(path) is None


def test_pictures_of_every_mode_look_as_a_browser_shows_them(tmp_path):
    red = Image.new("RGB", (40, 40), (200, 0, 0))
    clear = Image.new("RGBA", (40, 40), (200, 0, 0, 0))
    frames = {"save_all": True, "append_images": [Image.new("RGB", (40, 40), (0, 0, 200))]}
    deep = Image.fromarray(np.full((40, 40), 128 * 257, dtype=np.uint16))
    turned = Image.fromarray(np.repeat([[[200, 0, 0]], [[0, 0, 200]]], 20, axis=0).repeat(40, axis=1).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    cases = {
        "cmyk.jpg": (red.convert("CMYK"), {}, (200, 0, 0)),
        "palette.png": (red.convert("P"), {}, (200, 0, 0)),
        "grey.jpg": (Image.new("L", (40, 40), 90), {}, (90, 90, 90)),
        "grey_alpha.png": (Image.new("LA", (40, 40), (90, 255)), {}, (90, 90, 90)),
        "clear.png": (clear, {}, (255, 255, 255)),
        "clear_palette.gif": (clear.convert("P"), {"transparency": clear.convert("P").getpixel((0, 0))}, (255,) * 3),
        "deep.png": (deep, {}, (128, 128, 128)),
        "animated.gif": (red, frames, (200, 0, 0)),
        "animated.webp": (red, {**frames, "lossless": True}, (200, 0, 0)),
        "turned.png": (turned, {"exif": exif}, (0, 0, 200)),
    }
    for name, (image, options, expected) in cases.items():
        picture = open_rgb(save(tmp_path, name, image, **options))
        assert picture is not None and picture.mode == "RGB", name
        np.testing.assert_allclose(picture.getpixel((5, 5)), expected, atol=6, err_msg=name)


def test_size_scales_to_a_square(tmp_path):
    assert open_rgb(save(tmp_path, "a.jpg", Image.fromarray(NOISE)), 32).size == (32, 32)
    assert open_rgb(save(tmp_path, "b.png", Image.new("RGB", (1, 1))), 32).size == (32, 32)


def test_equal_pictures_are_read_once_and_progress_is_told(tmp_path):
    paths = colours(tmp_path, 3)
    told = []
    items = item_table(6, image_path=paths + paths, image_digest=["a", "b", "c", "a", "b", "c"])
    features = encode("visual_descriptors", {}, items, progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]
    np.testing.assert_array_equal(features.matrix[:3], features.matrix[3:])


def test_workers_give_the_same_vectors(tmp_path):
    items = item_table(12, image_path=colours(tmp_path))
    alone = encode("visual_descriptors", {"dim": 4}, items)
    together = encode("visual_descriptors", {"dim": 4, "workers": 2}, items)
    np.testing.assert_array_equal(alone.matrix, together.matrix)
