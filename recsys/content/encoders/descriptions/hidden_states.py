"""Hidden states of a vision-language model, as they were pooled when it described the items."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

import pandas as pd

from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.files.matrix_file import MatrixFile, MatrixFileOptions
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.vlm.describer import Pooling
from recsys.content.vlm.options import Layer, hidden_name
from recsys.errors import UserError


class HiddenStatesOptions(EncoderOptions):
    """Options of `hidden_states`.

    Attributes:
        pooling: which hidden states (see `recsys.content.vlm.describer`), one of those that the corpus came with.
        layer: of which layer, where the corpus has several.
    """

    pooling: Pooling = "answer_end"
    layer: Layer | None = None


@register
class HiddenStates(Encoder):
    """Vectors that came with a description corpus, found by item id."""

    Options = HiddenStatesOptions
    modality: ClassVar[Modality] = "descriptions"
    description = "hidden states of the vision-language model that wrote a description corpus"
    licence = "that of the model"
    quick = True

    def contents(self, items: pd.DataFrame, context: Context) -> Sequence[Hashable | None]:
        """The items that the corpus describes, where its hidden states are still to be made."""
        if context.poolings is None or context.corpus is None:
            return super().contents(items, context)
        self._choose(context.poolings)
        described = set(context.corpus["item_id"])
        return [name if name in described else None for name in items["item_id"]]

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """The pooled vectors; items that the model was not asked about are absent."""
        found = sorted(file.stem for file in context.hidden.glob("*.safetensors")) if context.hidden else []
        rows = MatrixFile(MatrixFileOptions(file=f"{self._choose(found)}.safetensors", key="matrix"))
        return rows.encode(items, Context(folder=context.hidden))

    def _choose(self, found: Sequence[str]) -> str:
        """The pooling that is asked for, which must be one of those that the corpus has."""
        if not found:
            raise UserError(
                "encoder 'hidden_states': needs a description corpus that a model of this study writes, with "
                "`poolings`; one read from a file has no hidden states"
            )
        wanted = hidden_name(self.options.pooling, self.options.layer)
        if wanted not in found:
            layered = " (`layer` is what stands behind the @)" if "@" in "".join(found) else ""
            raise UserError(
                f"encoder 'hidden_states': the corpus has no '{wanted}'; set `pooling` to one of {', '.join(found)}"
                f"{layered}, or add it to the corpus' `poolings`"
            )
        return wanted
