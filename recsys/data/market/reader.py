"""The market as a source: draws items, users and choices, and writes the pictures."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from recsys.data.decoding import digest_of
from recsys.data.market.attributes import SOURCES, VALUES, Codes, draw_items, draw_liking
from recsys.data.market.choices import choose
from recsys.data.market.rendering import render
from recsys.data.market.writing import write
from recsys.data.options import SourceOptions
from recsys.data.raw import RawData


class MarketOptions(SourceOptions):
    """Dials of the market.

    Attributes:
        n_users: number of users.
        n_items: number of items.
        mean_interactions: mean number of a user's interactions; sparser markets leave content more to tell.
        image_weight: how much what the image shows drives choice, in units of the choice's own noise.
        text_weight: how much what the text says does.
        hidden_weight: how much what neither tells does: only interactions can learn it.
        popularity: how much all users agree.
        missing_image: share of items without an image.
        missing_text: share of items without a text, and without a title, which would say the same.
        seed: of all draws; the same seed gives the same bytes, pictures included.
    """

    reads_files: ClassVar[bool] = False

    n_users: int = Field(default=600, ge=10)
    n_items: int = Field(default=600, ge=20)
    mean_interactions: float = Field(default=12, ge=5)
    image_weight: float = Field(default=0.0, ge=0)
    text_weight: float = Field(default=0.0, ge=0)
    hidden_weight: float = Field(default=1.0, ge=0)
    popularity: float = Field(default=0.7, ge=0)
    missing_image: float = Field(default=0.03, ge=0, lt=1)
    missing_text: float = Field(default=0.03, ge=0, lt=1)
    seed: int = Field(default=0, ge=0)

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each source of choice."""
        return {"image": self.image_weight, "text": self.text_weight, "hidden": self.hidden_weight}


def read(options: MarketOptions, folder: Path, workdir: Path) -> RawData:
    """Make the market; pictures go to `images/` under `workdir`.

    Attributes that image and text tell are columns such as `image_colour` and `text_theme`: the truth to check
    encoders against, which no model reads.
    """
    # A stream for each part, so that a dial of one part leaves the draws of the others as they are.
    streams = [np.random.default_rng((options.seed, index)) for index in range(5)]
    codes = draw_items(options.n_items, streams[0])
    utility = options.popularity * streams[1].standard_normal(options.n_items)
    utility = np.broadcast_to(utility, (options.n_users, options.n_items)).copy()
    for source in SOURCES:
        utility += options.weights[source] * draw_liking(codes[source], options.n_users, streams[1])
    interactions = choose(utility, options.mean_interactions, streams[2])
    items = pd.concat(
        [
            pd.DataFrame({"item_id": [str(index) for index in range(options.n_items)]}),
            _written(codes["text"], options.missing_text, streams[3]),
            _pictured(codes["image"], options.missing_image, streams[4], workdir),
        ],
        axis=1,
    )
    drivers = [source for source in ("image", "text") if options.weights[source] > 0]
    return RawData(items, interactions, truth={"drivers": drivers, "weights": options.weights})


def _written(codes: Codes, missing: float, rng: np.random.Generator) -> pd.DataFrame:
    named = _named("text", codes)
    texts = [write(attributes, rng) for attributes in _records(named)]
    shown = pd.DataFrame(texts, columns=["title", "text"], dtype="object")
    shown[rng.random(len(shown)) < missing] = None
    return shown.join(named.add_prefix("text_"))


def _pictured(codes: Codes, missing: float, rng: np.random.Generator, workdir: Path) -> pd.DataFrame:
    (workdir / "images").mkdir(exist_ok=True)
    named = _named("image", codes)
    pictures = [render(attributes, rng) for attributes in _records(named)]
    present = rng.random(len(pictures)) >= missing
    paths = [f"images/{index}.png" if shown else None for index, shown in enumerate(present)]
    for path, picture in zip(paths, pictures, strict=True):
        if path:
            (workdir / path).write_bytes(picture)
    digests = [digest_of(picture) if shown else None for picture, shown in zip(pictures, present, strict=True)]
    return pd.DataFrame({"image_path": paths, "image_digest": digests}).join(named.add_prefix("image_"))


def _named(source: str, codes: Codes) -> pd.DataFrame:
    return pd.DataFrame({name: np.asarray(VALUES[source][name], dtype=object)[code] for name, code in codes.items()})


def _records(named: pd.DataFrame) -> list[dict[str, str]]:
    return [dict(zip(named.columns, row, strict=True)) for row in named.itertuples(index=False)]
