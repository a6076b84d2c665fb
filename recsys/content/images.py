"""An item's picture as an encoder or a model takes it: plain RGB, or nothing."""

import logging
from pathlib import Path

from PIL import Image

from recsys.data.decoding import PictureError, decode, read_bytes

log = logging.getLogger(__name__)


def open_rgb(path: Path, size: int | None = None) -> Image.Image | None:
    """The picture as a browser shows it (see `recsys.data.decoding`), or None where it is missing or unusable.

    Args:
        path: an image file of one of the formats that are decoded.
        size: scale to a square of so many pixels a side, whatever the proportions.
    """
    try:
        picture = decode(read_bytes(path), size)
    except PictureError as error:
        log.debug("%s: %s", path, error)
        return None
    return picture if size is None else picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
