"""Picture files of every kind, good and broken."""

from pathlib import Path

import numpy as np
from PIL import Image

SIZES = ((40, 60), (90, 33), (200, 100), (48, 48), (64, 20), (31, 77))


def good_pictures(folder: Path) -> list[str]:
    """Plain RGB pictures of several shapes, as .png and .jpg."""
    random = np.random.default_rng(0)
    paths = []
    for number, (width, height) in enumerate(SIZES):
        coarse = Image.fromarray(random.integers(0, 256, (5, 4, 3), dtype=np.uint8))
        path = folder / f"good{number}.{'png' if number % 2 else 'jpg'}"
        coarse.resize((width, height)).save(path)
        paths.append(str(path))
    return paths


def odd_pictures(folder: Path) -> list[str]:
    """Pictures that a model cannot take as they are, but that are pictures."""
    red = Image.new("RGB", (40, 30), (200, 0, 0))
    blue = Image.new("RGB", (40, 30), (0, 0, 200))
    cases = {
        "cmyk.jpg": (red.convert("CMYK"), {}),
        "grey.jpg": (red.convert("L"), {}),
        "deep.png": (Image.fromarray(np.full((30, 40), 30000, dtype=np.uint16)), {}),
        "clear.png": (Image.new("RGBA", (40, 30)), {}),
        "palette.png": (red.convert("P"), {}),
        "animated.gif": (red, {"save_all": True, "append_images": [blue]}),
        "dot.png": (Image.new("RGB", (1, 1)), {}),
        "banner.png": (Image.new("RGB", (300, 3)), {}),
    }
    for name, (image, options) in cases.items():
        image.save(folder / name, **options)
    return [str(folder / name) for name in cases]


def broken_pictures(folder: Path) -> list[str]:
    """Files that are no pictures, or such as no model should be shown."""
    whole = Path(good_pictures(folder)[0]).read_bytes()
    contents = {"cut.jpg": whole[: len(whole) // 2], "text.jpg": b"no picture", "empty.png": b""}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    Image.new("1", (13_000, 13_000)).save(folder / "bomb.png")
    Image.new("RGB", (1, 4000)).save(folder / "line.png")
    return [str(folder / name) for name in (*contents, "bomb.png", "line.png", "nowhere.png")]
