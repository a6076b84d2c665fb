"""Descriptions as attributes: a column for each value of each field that a model was asked to fill in."""

from typing import ClassVar

import pandas as pd
from pydantic import Field

from recsys.content.descriptions import fields_of, value_sets, values
from recsys.content.descriptions.synonyms import Merge
from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.one_hot import join, one_hot
from recsys.errors import UserError


class KeywordsOptions(EncoderOptions):
    """Options of `keywords`.

    Attributes:
        fields: which fields of the corpus; all that it has unless said otherwise.
        merge: merge near-synonyms, by which model and up to which distance; None leaves them apart.
        top: keep so many values of each field, the most frequent; the others become one.
    """

    fields: tuple[str, ...] | None = Field(None, min_length=1)
    merge: Merge | None = None
    top: int = Field(50, ge=1)


@register
class Keywords(Encoder):
    """One-hot values of parsed fields, found by the field's name."""

    Options = KeywordsOptions
    modality: ClassVar[Modality] = "descriptions"
    description = "one-hot values of the fields in a vision-language model's answers"
    quick = True

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """A binary matrix; an item whose answer gives no field is absent."""
        if context.corpus is None:
            raise UserError("encoder 'keywords': needs a description corpus; name one in the study")
        fields = fields_of(context.corpus, self.options.fields).reindex(items["item_id"])
        if fields.isna().all(axis=None):
            raise UserError(
                f"encoder 'keywords': no answer about any of the {len(items)} items gives one of "
                f"{', '.join(map(str, fields))}; set `fields` to what the prompt asked for"
            )
        merge = self.options.merge
        said = value_sets(values(fields, merge and merge.load(context.folder)))
        per_item = said.reindex(index=items["item_id"], columns=fields.columns)
        return join([one_hot(per_item[field], self.options.top) for field in per_item])
