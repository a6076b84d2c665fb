"""Models trained to put a picture and its words at the same place.

CLIP (Radford et al., ICML 2021), ALIGN (Jia et al., ICML 2021), AltCLIP (Chen et al., ACL Findings 2023), SigLIP and
SigLIP 2 (Zhai et al., ICCV 2023; Tschannen et al. 2025), and their kin in the transformers library.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from recsys.content.encoder import Checkpoint, Context, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features, of_one_width, unit_rows
from recsys.content.pretrained.encoder import PretrainedEncoder
from recsys.content.pretrained.options import ModelOptions
from recsys.content.texts import item_texts

if TYPE_CHECKING:
    from recsys.content.pretrained.running import Tower

CLIP = "openai/clip-vit-large-patch14"
SIGLIP = "google/siglip2-base-patch16-224"
Part = Literal["image", "text", "concat", "mean", "weighted"]


class ImageTextOptions(ModelOptions):
    """Options of `image_text`, beside those of every trained encoder.

    Attributes:
        part: `image` or `text` alone; `concat`, one beside the other; `mean` or `weighted`, both in one.
        image_weight: of the picture in `weighted`; the rest is the text's.
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the
            answer where a corpus is given, else title and text.
    """

    model: str = CLIP
    part: Part = "concat"
    image_weight: float = Field(0.5, ge=0, le=1)
    fields: tuple[str, ...] | None = Field(None, min_length=1)


@register
class ImageText(PretrainedEncoder):
    """A picture's vector, its words' vector, or both, each of unit length before they are joined.

    The vectors of an item's several pictures are averaged at unit length, and the mean is scaled to it again.
    An item that lacks one of the two has zeros for it in `concat`, and the other alone in `mean` and `weighted`.
    Words are cut where the model's own limit of tokens is reached (77 for CLIP, 64 for SigLIP).
    """

    Options = ImageTextOptions
    modality: ClassVar[Modality] = "joint"
    description = "pictures and words in one space: CLIP, SigLIP 2, ALIGN, AltCLIP"
    instead = "tfidf_svd"
    known = (
        Checkpoint(CLIP, 2 * 768, 1710, "MIT", revision="32bd64288804d66eefd0ccbe215aa642df71cc41"),
        Checkpoint(SIGLIP, 2 * 768, 1501, "Apache-2.0", revision="75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2"),
        Checkpoint("openai/clip-vit-base-patch16", 2 * 512, 598, "MIT"),
        Checkpoint("kakaobrain/align-base", 2 * 640, 688, "as its page on the hub says"),
        Checkpoint("BAAI/AltCLIP", 2 * 768, 3460, "CreativeML OpenRAIL-M"),
    )

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items; one with neither a readable picture nor words is absent."""
        from recsys.content.pretrained.contents import Contents

        part, towers = self.options.part, self.towers(context)
        if part == "image":
            return _unit(self.run(Contents.pictures(items), towers["pictures"], context))
        texts = Contents.texts(item_texts("image_text", items, self.options.fields, context.corpus))
        if part == "text":
            return _unit(self.run(texts, towers["texts"], context))
        pictures = Contents.pictures(items)
        n = len(pictures.distinct)
        total = n + len(texts.distinct)
        image = self.run(pictures, towers["pictures"], context.after(0, total))
        text = self.run(texts, towers["texts"], context.after(n, total))
        return _join(_unit(image), _unit(text), self.options.image_weight if part == "weighted" else 0.5, part)

    def towers(self, context: Context) -> "dict[str, Tower]":
        """The two halves of the model on its device."""
        from recsys.content.encoders.joint._two_towers import load_towers

        return load_towers(self.weights(context), self.runtime.device)


def _unit(features: Features) -> Features:
    return replace(features, matrix=unit_rows(features.matrix))


def _join(image: Features, text: Features, image_weight: float, part: Part) -> Features:
    present, (left, right) = image.present | text.present, of_one_width(image, text)
    if part == "concat":
        return Features(np.concatenate([left, right], axis=1), present)
    weight = np.where(image.present & text.present, np.float32(image_weight), image.present)[:, None]
    return Features((weight * left + (1 - weight) * right).astype(np.float32), present)
