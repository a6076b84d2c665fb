"""Tiny models, made once, and a few pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.content.vlm.tiny import FAMILIES, ODD

SIZES = [(64, 64), (40, 80), (100, 30), (64, 64), (30, 30)]
"""Wide, high and square pictures, so that a batch has images of different numbers of tokens."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family's tiny model."""
    root = tmp_path_factory.mktemp("models")

    def place(family: str) -> Path:
        if not (root / family).exists():
            (FAMILIES | ODD)[family](root / family)
        return root / family

    return place


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of different pictures."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(len(SIZES))]
    for path, (width, height) in zip(paths, SIZES, strict=True):
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return paths
