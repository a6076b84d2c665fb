"""Descriptions as attributes: a column for each value of each field that a model was asked to fill in."""

from typing import ClassVar

import pandas as pd
from pydantic import Field

from recsys.content.descriptions import FIELDS, parse_corpus
from recsys.content.encoders.base import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.one_hot import join, one_hot
from recsys.errors import UserError

SEPARATORS = r"[,;|]"


class KeywordsOptions(EncoderOptions):
    """Options of `keywords`.

    Attributes:
        fields: names of the fields that the answers give; those of a movie prompt unless said otherwise.
        top: keep so many values of each field, the most frequent; the others become one.
    """

    fields: tuple[str, ...] = Field(FIELDS["movies"], min_length=1)
    top: int = Field(50, ge=1)


@register
class Keywords(Encoder):
    """One-hot values of parsed fields, found by the field's name."""

    Options = KeywordsOptions
    modality: ClassVar[Modality] = "descriptions"
    description = "one-hot values of the fields in a vision-language model's answers"

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """A binary matrix; an item whose answer gives no field is absent."""
        if context.corpus is None:
            raise UserError("encoder 'keywords': needs a description corpus; name one in the study")
        table, _ = parse_corpus(context.corpus, self.options.fields)
        fields = table.set_index("item_id").reindex(items["item_id"])
        if fields.isna().all(axis=None):
            raise UserError(
                f"encoder 'keywords': no answer about any of the {len(items)} items gives one of "
                f"{', '.join(self.options.fields)}; set `fields` to what the prompt asked for"
            )
        return join([one_hot(fields[field].str.split(SEPARATORS), self.options.top) for field in self.options.fields])
