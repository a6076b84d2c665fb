"""Columns of the item table, such as genres, as they are: a column for each value."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.one_hot import join, one_hot
from recsys.data.raw import lacks_column


class AttributesOptions(EncoderOptions):
    """Options of `attributes`.

    Attributes:
        columns: columns of the item table.
        separator: what stands between the values of a cell.
        top: keep so many values of each column, the most frequent; the others become one. None keeps all.
    """

    columns: tuple[str, ...] = Field(("genres",), min_length=1)
    separator: str = Field("|", min_length=1)
    top: int | None = Field(None, ge=1)


@register
class Attributes(Encoder):
    """One-hot values of item columns."""

    Options = AttributesOptions
    modality: ClassVar[Modality] = "attributes"
    description = "one-hot values of columns of the item table, such as genres"
    quick = True

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """A binary matrix; an item without any value is absent."""
        unknown = [column for column in self.options.columns if column not in items]
        if unknown:
            raise lacks_column("encoder 'attributes'", unknown[0], items)
        return join([one_hot(items[column].map(self._values), self.options.top) for column in self.options.columns])

    def _values(self, cell: Any) -> list[Any]:
        if isinstance(cell, list | tuple | np.ndarray):
            return list(cell)
        return [] if pd.isna(cell) else str(cell).split(self.options.separator)
