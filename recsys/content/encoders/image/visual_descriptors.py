"""Colour, texture and shape of pictures, without trained weights.

The classical descriptors that image retrieval used before networks: what a person sees of a cover at a glance.
They need no weights, and are the yardstick that a trained image encoder must beat.
"""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features, mean_of_each
from recsys.content.pretrained.contents import Contents

if TYPE_CHECKING:
    from recsys.content.encoders.image._descriptors import Blocks

log = logging.getLogger(__name__)

BATCH = 64


class VisualDescriptorsOptions(EncoderOptions):
    """Options of `visual_descriptors`.

    Attributes:
        size: pictures are scaled to a square of so many pixels a side first.
        dim: number of columns after a principal component analysis; fewer where there are fewer pictures;
            None keeps all descriptors.
        workers: number of processes that read and describe pictures.
    """

    size: int = Field(96, ge=32, multiple_of=16)
    dim: int | None = Field(128, ge=1)
    workers: int = Field(1, ge=1)


@register
class VisualDescriptors(Encoder):
    """Descriptors of three kinds, each standardised and of equal weight."""

    Options = VisualDescriptorsOptions
    modality: ClassVar[Modality] = "image"
    description = "colour (HSV, CIELAB layout), texture (LBP, co-occurrence) and shape (HOG) of pictures"
    reduces = True

    def contents(self, items: pd.DataFrame, context: Context) -> list[str | None]:
        """The digests of the pictures."""
        return Contents.pictures(items).keys

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the pictures, of several their mean; an item without a readable one is absent.

        Equal files are read once.
        """
        contents = Contents.pictures(items)
        paths = contents.distinct
        n = len(paths)
        described: dict[str, Blocks] = {}
        pictures = zip(paths, self._describe(list(paths.values())), strict=True)
        for done, (key, blocks) in enumerate(pictures, start=1):
            if blocks is not None:
                described[key] = blocks
            if context.progress and (done % BATCH == 0 or done == n):
                context.progress(done, n)
        if len(described) < n:
            log.warning("%d of %d pictures could not be read", n - len(described), n)
        return self._assemble([list(of_item) for of_item in contents.by_item], described)

    def _describe(self, paths: list[str]) -> "Iterator[Blocks | None]":
        from joblib import Parallel, delayed

        from recsys.content.encoders.image._descriptors import describe_file

        if self.options.workers == 1:
            return (describe_file(path, self.options.size) for path in paths)
        pool = Parallel(n_jobs=self.options.workers, batch_size=BATCH, return_as="generator")
        return pool(delayed(describe_file)(path, self.options.size) for path in paths)

    def _assemble(self, keys: list[list[str]], described: "dict[str, Blocks]") -> Features:
        from sklearn.decomposition import PCA

        if not described:
            return Features(np.zeros((len(keys), 1), np.float32), np.zeros(len(keys), dtype=bool))
        blocks = [_standardise(np.stack(kind)) for kind in zip(*described.values(), strict=True)]
        vectors = np.concatenate(blocks, axis=1)
        if self.options.dim is not None and len(vectors) > 1:
            dim = min(self.options.dim, *vectors.shape)
            with np.errstate(invalid="ignore"):  # shares of a variance that is zero, where all pictures look the same
                vectors = PCA(dim, svd_solver="covariance_eigh").fit_transform(vectors)
        row_of = {key: row for row, key in enumerate(described)}
        rows = [[row_of[key] for key in of_item if key in row_of] for of_item in keys]
        present = np.array([bool(of_item) for of_item in rows], dtype=bool)
        matrix = np.zeros((len(keys), vectors.shape[1]))
        of_items = vectors[[row for of_item in rows for row in of_item]]
        matrix[present] = mean_of_each(of_items, [len(of_item) for of_item in rows if of_item])
        return Features.where(present, matrix)


def _standardise(block: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and spread 1, scaled so that a block's weight does not grow with its width."""
    spread = block.std(axis=0)
    varies = spread > 1e-9
    return (block - block.mean(axis=0)) / np.where(varies, spread, 1) / np.sqrt(max(varies.sum(), 1))
