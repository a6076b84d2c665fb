"""Pictures as they are found in the wild, opened as plain RGB or not at all."""

import logging
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

log = logging.getLogger(__name__)

MOST_OBLONG = 100
"""Sides that differ by more make a line, not a picture; scaled by its shorter side it would fill the memory."""


def open_rgb(path: Path, size: int | None = None) -> Image.Image | None:
    """The picture as RGB, or None where it is missing, damaged, too oblong, or too large to be honest.

    Of an animation the first frame counts; transparent parts become white; a rotation in the EXIF data is
    applied. Pictures above Pillow's limit of pixels (a decompression bomb) are refused before they are decoded.

    Args:
        path: an image file of any format that Pillow reads.
        size: scale to a square of so many pixels a side, whatever the proportions.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if max(image.size) > MOST_OBLONG * min(image.size):
                    raise ValueError(f"{image.width} x {image.height} pixels are a line")
                if size is not None:
                    image.draft(None, (size, size))  # lets the JPEG decoder scale down, which is its cheapest step
                picture = _flatten(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow's decoders raise almost any type on damaged bytes
        log.debug("%s: cannot be read as an image: %s", path, error)
        return None
    return picture if size is None else picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit greyscale, which Pillow's own conversion would clip to white
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 256).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")
