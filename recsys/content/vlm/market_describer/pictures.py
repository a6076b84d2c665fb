"""What the describer sees, and what is to be said of it: the pictures of whole markets, rendered in bulk."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recsys.data.market.attributes import VALUES, draw_items
from recsys.data.market.rendering import render

WORDS: dict[str, tuple[str, ...]] = {
    "Colour": VALUES["image"]["colour"],
    "Shape": VALUES["image"]["shape"],
    "Pattern": VALUES["image"]["pattern"],
    "Background": VALUES["image"]["background"],
    "Material": VALUES["text"]["material"],
}
"""The values of the fields, in the order of the answer."""
VISIBLE = ("Colour", "Shape", "Pattern", "Background")
"""The fields that a picture shows; a material is drawn independently of it, so that it can only be guessed."""


@dataclass(frozen=True)
class Pictures:
    """Pictures and their truth.

    Attributes:
        pixels: uint8, shape (n_pictures, SIDE, SIDE, 3).
        codes: for each field, the index of each picture's value in `WORDS`, int64, shape (n_pictures, n_fields).
    """

    pixels: np.ndarray
    codes: np.ndarray

    def values(self) -> list[list[str]]:
        """The value of each field, in the order of `WORDS`, for each picture."""
        return [[words[code] for words, code in zip(WORDS.values(), row, strict=True)] for row in self.codes]


def answer(values: list[str]) -> str:
    """An answer in the format that the prompt asks for, from the value of each field."""
    return ", ".join(f"[{field}] {{{value}}}" for field, value in zip(WORDS, values, strict=True))


def market_pictures(seed: int, n_pictures: int) -> Pictures:
    """The pictures of the market of this seed and so many items, drawn from the streams that its reader uses."""
    drawn = draw_items(n_pictures, np.random.default_rng((seed, 0)))
    rng = np.random.default_rng((seed, 4))
    shown = {name: np.asarray(VALUES["image"][name])[codes].tolist() for name, codes in drawn["image"].items()}
    items = [dict(zip(shown, values, strict=True)) for values in zip(*shown.values(), strict=True)]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(render(item, rng)))) for item in items])
    codes = [*(drawn["image"][field.lower()] for field in VISIBLE), drawn["text"]["material"]]
    return Pictures(pixels, np.stack(codes, axis=1))
