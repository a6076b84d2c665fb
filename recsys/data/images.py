"""Finding items' image files and telling usable ones from broken ones before anything relies on them."""

import hashlib
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image

from recsys.data.quarantine import collect, set_aside
from recsys.errors import UserError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"})
MAX_PIXELS = 50_000_000
"""Larger images are refused before they are decoded: a small file can claim a size that fills the memory."""


@dataclass(frozen=True)
class Inspection:
    """What opening one image file showed: `digest` of its bytes, or the `problem` that makes it unusable."""

    digest: str | None = None
    problem: str | None = None


def digest_of(content: bytes) -> str:
    """Hash of a file's bytes: encoders key what they have computed by it."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def inspect(path: Path) -> Inspection:
    """Read and decode an image file once."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                return Inspection(problem=f"image of {image.width} x {image.height} pixels is too large")
            # Decoding finds truncation, which `verify` leaves unnoticed; JPEG is quicker at reduced size.
            image.draft("RGB", (64, 64))
            image.load()
    except Image.DecompressionBombError:
        return Inspection(problem="image has more pixels than can be decoded safely")
    except (OSError, SyntaxError, ValueError) as error:
        return Inspection(problem=f"image cannot be read ({_reason(error)})")
    return Inspection(digest=digest_of(content))


def files_by_stem(folder: Path) -> dict[str, Path]:
    """The image files of a folder by their names without suffix: where ids name files."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UserError(f"image folder {folder}: {_reason(error)}; name an existing folder or leave it out") from None
    paths = [folder / name for name in names]
    return {path.stem: path for path in reversed(paths) if path.suffix.lower() in SUFFIXES}


def attach_images(items: pd.DataFrame, paths: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give items their images.

    Args:
        items: with `item_id`.
        paths: absolute paths aligned with `items`; None or NaN where an item has no image. A path whose file
            does not exist is such an item too: not having an image is an ordinary case.

    Returns:
        The items with `image_path` and `image_digest`, both None where there is no usable image, and the
        quarantine of the images that exist and cannot be used.
    """
    found = [Path(path) if isinstance(path, (str, Path)) and Path(path).is_file() else None for path in paths]
    with ThreadPoolExecutor() as pool:
        inspected = pool.map(inspect, [path for path in found if path])
        inspections = [next(inspected) if path else Inspection() for path in found]
    problems = _column(items, [seen.problem for seen in inspections])
    digests = _column(items, [seen.digest for seen in inspections])
    usable = _column(items, [str(path) for path in found]).where(digests.notna(), None)
    broken = items[problems.notna()]
    quarantine = set_aside("images", broken, ("item_id",), problems.dropna().tolist())
    return items.assign(image_path=usable, image_digest=digests), collect([quarantine])


def _column(items: pd.DataFrame, values: Sequence[str | None]) -> pd.Series:
    return pd.Series(values, index=items.index, dtype="object")


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
