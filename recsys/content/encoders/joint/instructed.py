"""Vision-language models trained to give one vector of a picture, words or both, for a purpose that is named.

Qwen3-VL-Embedding (Li et al. 2026), GME (Zhang et al., CVPR 2025), and other models that the sentence-transformers
library talks to in turns of a chat. The instruction is the system message, the item is the user's.
"""

import logging
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from recsys.content.encoder import Checkpoint, Context, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features, of_one_width
from recsys.content.pretrained.encoder import PretrainedEncoder
from recsys.content.pretrained.options import ModelOptions
from recsys.content.texts import item_texts

if TYPE_CHECKING:
    from recsys.content.encoders.joint._instructed_model import InstructedModel

QWEN = "Qwen/Qwen3-VL-Embedding-2B"
log = logging.getLogger(__name__)


class InstructedOptions(ModelOptions):
    """Options of `instructed`, beside those of every trained encoder.

    Attributes:
        instruction: what the vectors are for, in a sentence. None: the model's own default.
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the
            answer where a corpus is given, else title and text. An empty list: pictures alone are read.
        image: whether the items' pictures are read.
        format: the family by whose published script the model is asked. None: as the model's folder says.
        max_tokens: words are cut after so many tokens.
        max_side: pictures with a longer side, in pixels, are scaled down to it first. None leaves that to the model,
            which may spend more than a thousand tokens on a picture.
        batch_size: as of every trained encoder; small, since a picture is many tokens.
    """

    model: str = QWEN
    instruction: str | None = Field(None, min_length=1)
    fields: tuple[str, ...] | None = None
    image: bool = True
    format: Literal["gme", "qwen3_vl_embedding"] | None = None
    max_tokens: int = Field(1024, ge=1)
    max_side: int | None = Field(None, ge=28)
    batch_size: int | None = Field(8, ge=1)

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not self.image and self.fields == ():
            raise ValueError("there is nothing to read; set `image: true`, or name `fields`")
        return self

    @property
    def part(self) -> Literal["joint", "image", "text"]:
        """What is read of an item."""
        if not self.image:
            return "text"
        return "image" if self.fields == () else "joint"


@register
class Instructed(PretrainedEncoder):
    """The vector of an item's picture and words by one forward pass, of unit length.

    An item that lacks one of the two is encoded by the other, in the same space; one that lacks both is absent.
    """

    Options = InstructedOptions
    modality: ClassVar[Modality] = "joint"
    description = "a picture, words or both by an instruction: Qwen3-VL-Embedding, GME"
    instead = "tfidf_svd"
    known = (
        Checkpoint(QWEN, 2048, 4300, "Apache-2.0"),
        Checkpoint("Qwen/Qwen3-VL-Embedding-8B", 4096, 16300, "Apache-2.0"),
        # Later revisions need code from the hub, which is not executed.
        Checkpoint(
            "Alibaba-NLP/gme-Qwen2-VL-2B-Instruct",
            1536,
            8840,
            "Apache-2.0",
            revision="cfeb66885b598de483cc04eb08c7d9da534d7afe",
        ),
        Checkpoint("Alibaba-NLP/gme-Qwen2-VL-7B-Instruct", 3584, 33200, "Apache-2.0"),
    )

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items; one with neither a readable picture nor words is absent."""
        from recsys.content.pretrained.contents import Contents

        model, texts = self.load(context), self._texts(items, context)
        if not self.options.image:
            return self.run(Contents.texts(texts), model.of_texts, context)
        pictures = Contents.captioned(items, texts)
        n, unpictured = len(pictures.distinct), Contents.texts(texts.where(items["image_path"].isna(), ""))
        seen = self.run(pictures, model.of_pictures, context.after(0, n + len(unpictured.distinct)))
        rest = Contents.texts(texts.where(~seen.present, ""))  # those whose picture cannot be read among them
        read = self.run(rest, model.of_texts, context.after(n, n + len(rest.distinct)))
        wordless = int((seen.present & (texts == "").to_numpy()).sum())
        log.info("%d items have a picture and no words, %d words and no picture", wordless, read.present.sum())
        return _either(seen, read)

    def load(self, context: Context) -> "InstructedModel":
        """The model on its device."""
        from recsys.content.encoders.joint._instructed_model import InstructedModel

        return InstructedModel(self.weights(context), self.options, self.runtime)

    def _texts(self, items: pd.DataFrame, context: Context) -> pd.Series:
        if self.options.fields == ():
            return pd.Series("", index=items.index, dtype="string")
        return item_texts("instructed", items, self.options.fields, context.corpus)


def _either(first: Features, second: Features) -> Features:
    """Rows of the first where they are present, else of the second."""
    rows = np.where(first.present[:, None], *of_one_width(first, second))
    return Features(rows, first.present | second.present)
