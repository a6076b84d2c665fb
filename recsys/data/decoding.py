"""The one place that opens a user's picture.

Pictures come from strangers, so that neither a file's name nor its bytes are trusted. Only formats of pictures are
decoded (Pillow knows others, and hands PostScript to Ghostscript), of regular files, within limits of bytes and
pixels. Whatever a decoder raises is a `PictureError` with one of few reasons, so that faults can be counted.
"""

import hashlib
import os
import re
import stat
import warnings
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "TIFF")
"""What is decoded, by the first bytes of a file, whatever its name says."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif", ".tif", ".tiff"})
MAX_BYTES = 50_000_000
MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: a small file can claim a size that fills the memory."""
MOST_OBLONG = 100
"""Sides that differ by more make a line, not a picture; scaled by its shorter side it would fill the memory."""
_BEGINNINGS = re.compile(rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|GIF8|BM|....ftypavi[fs]|II\*\0|MM\0\*", re.DOTALL)


class PictureError(Exception):
    """A picture cannot be used; the reason is worded alike for all pictures with the same fault."""


def digest_of(content: bytes) -> str:
    """Hash of a file's bytes: encoders key what they have computed by it."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file, or of one that a link leads to.

    Raises:
        PictureError: there is none, it is a folder, a pipe or a device, or it is empty or too large.
    """
    try:
        # Without O_NONBLOCK the opening of a pipe would wait for a writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PictureError("not a regular file")
            if found.st_size > MAX_BYTES:
                raise PictureError(f"file of more than {MAX_BYTES / 1e6:.0f} MB")
            content = file.read(MAX_BYTES)
    except IsADirectoryError:
        raise PictureError("not a regular file") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise PictureError(f"file cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if not content:
        raise PictureError("empty file")
    return content


def decode(content: bytes, size: int | None = None) -> Image.Image:
    """A picture as a browser shows it, in RGB.

    Of an animation the first frame counts, transparent parts become white, a rotation in the EXIF data is applied,
    16-bit greyscale keeps its range, and CMYK and palettes become RGB.

    Args:
        content: the bytes of a file.
        size: the picture may be smaller than it is, with sides of so many pixels at least, where that is cheaper.

    Raises:
        PictureError: it is damaged, not a picture of a known format, too large, or a line.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of harmless faults, and of sizes that are refused below
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                _refuse_extremes(image)
                if size is not None:
                    image.draft(None, (size, size))  # scaling down is the JPEG decoder's cheapest step
                return _flatten(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(_too_large()) from None
    except Exception as error:  # Pillow's decoders raise almost any type on damaged bytes
        raise PictureError(_reason(error, content)) from error


def _refuse_extremes(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(_too_large())
    if max(image.size) > MOST_OBLONG * min(image.size):
        raise PictureError(f"more than {MOST_OBLONG} times as long as broad")


def _too_large() -> str:
    return f"more than {MAX_PIXELS / 1e6:.0f} million pixels"


def _reason(error: Exception, content: bytes) -> str:
    if isinstance(error, Image.UnidentifiedImageError) and not _BEGINNINGS.match(content):
        return f"not a picture of a known format ({', '.join(FORMATS)})"
    if isinstance(error, MemoryError):
        return "takes too much memory to decode"
    return "picture is truncated" if "truncated" in str(error).lower() else "picture is damaged"


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16 bits or floats, which Pillow's own conversion would clip to white
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Whole numbers by their upper byte; floats, which have no scale of their own, from darkest to lightest."""
    import numpy as np

    values = np.asarray(image)
    if image.mode != "F":
        return Image.fromarray((values.clip(0, 65535) // 256).astype(np.uint8))
    values = np.nan_to_num(values, posinf=0, neginf=0)
    return Image.fromarray((255 * (values - values.min()) / max(float(np.ptp(values)), 1e-12)).astype(np.uint8))
