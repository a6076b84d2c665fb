"""Picture files on their way to a model."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from PIL import Image

from recsys.content.images import open_rgb
from recsys.content.pretrained.running import Inputs, Prepared


def prepare_pictures(process: Callable[[list[Image.Image]], Inputs], paths: Sequence[str]) -> Prepared:
    """A model's inputs of the pictures that can be opened.

    Args:
        process: the model's own preparation: it scales, crops and normalises RGB pictures of any size.
        paths: picture files, of which some may be missing or damaged.
    """
    opened = open_all(paths)
    pictures = [picture for picture in opened if picture is not None]
    readable = [picture is not None for picture in opened]
    return Prepared(readable, dict(process(pictures)) if pictures else {})


def open_all(paths: Sequence[str]) -> list[Image.Image | None]:
    """The pictures in RGB; None in the place of one that cannot be opened."""
    # Pillow decodes without holding the interpreter's lock: in as many threads as torch computes in.
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(open_rgb, map(Path, paths)))
