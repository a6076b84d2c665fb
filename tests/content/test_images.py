"""Pictures as they are found in the wild: opened as a browser shows them, or not at all."""

import numpy as np
import pytest
from PIL import Image

from recsys.content.images import open_rgb
from recsys.data import decoding

NOISE = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)


def save(folder, name, image, **options):
    image.save(folder / name, **options)
    return folder / name


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


def test_a_decompression_bomb_is_absent(tmp_path, monkeypatch):
    path = save(tmp_path, "bomb.png", Image.new("1", (300, 300)))
    assert open_rgb(path) is not None
    monkeypatch.setattr(decoding, "MAX_PIXELS", 60_000)
    assert open_rgb(path) is None
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # Pillow's own limit
    assert open_rgb(path) is None


def test_floats_are_scaled_to_their_own_range(tmp_path):
    slope = np.linspace(0, 1, 40, dtype=np.float32)[None].repeat(40, axis=0)
    picture = open_rgb(save(tmp_path, "height.tiff", Image.fromarray(slope)))
    assert picture.getpixel((0, 3)) == (0, 0, 0) and picture.getpixel((39, 3)) == (255, 255, 255)


def test_size_scales_to_a_square(tmp_path):
    assert open_rgb(save(tmp_path, "a.jpg", Image.fromarray(NOISE)), 32).size == (32, 32)
    assert open_rgb(save(tmp_path, "b.png", Image.new("RGB", (1, 1))), 32).size == (32, 32)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp", "avif", "tiff"])
def test_damaged_files_are_none(tmp_path, suffix):
    whole = save(tmp_path, f"whole.{suffix}", Image.fromarray(NOISE)).read_bytes()
    assert open_rgb(tmp_path / f"whole.{suffix}") is not None
    damaged = {"empty": b"", "text": b"no picture", "cut": whole[: len(whole) // 2], "head": whole[:20]}
    for name, content in damaged.items():
        (tmp_path / f"{name}.{suffix}").write_bytes(content)
        assert open_rgb(tmp_path / f"{name}.{suffix}") is None, name
    assert open_rgb(tmp_path / "nowhere.png") is None and open_rgb(tmp_path) is None


def test_a_line_is_no_picture(tmp_path):
    assert open_rgb(save(tmp_path, "banner.png", Image.new("RGB", (100, 1)))) is not None
    assert open_rgb(save(tmp_path, "line.png", Image.new("RGB", (1, 101)))) is None
