"""Vision transformers: pictures as words of 14 or 16 pixels a side.

ViT (Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021), DINOv2 and DINOv3 (Oquab et al. 2023; Siméoni
et al. 2025), and whatever else the transformers library loads as an image model.
"""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import Field, model_validator

from recsys.content.encoder import Checkpoint, Context, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.pretrained.encoder import PretrainedEncoder, loading
from recsys.content.pretrained.options import ModelOptions
from recsys.content.weights import digest
from recsys.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from recsys.content.pretrained.running import Inputs, Tower

VIT = "google/vit-base-patch16-224"
SPECIAL_TOKENS = ("cls_token", "class_embedding", "distillation_token", "register_tokens")
"""Names of the weights whose tokens stand before those of the patches."""


class VisionTransformerOptions(ModelOptions):
    """Options of `vision_transformer`, beside those of every trained encoder.

    Attributes:
        pooling: `cls`, the class token after the last layer; `mean`, the mean of the tokens of the picture's
            patches; `pooler`, what the model itself makes of them.
        layer: after which layer, or after which ones, whose vectors are then put side by side, all in one pass: 0 is
            before the first, -1 after the last. None: after the last, normalised as the model itself does.
    """

    model: str = VIT
    pooling: Literal["cls", "mean", "pooler"] = "cls"
    layer: int | Annotated[tuple[int, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _pooler_is_last(self) -> Self:
        if self.pooling == "pooler" and self.layer is not None:
            raise ValueError("`pooler` is made of the last layer: leave `layer` out, or set `pooling` to cls or mean")
        return self


@register
class VisionTransformer(PretrainedEncoder):
    """The hidden state that stands for the whole picture."""

    Options = VisionTransformerOptions
    modality: ClassVar[Modality] = "image"
    description = "a vision transformer: ViT, DINOv2, DINOv3 or another image model of the transformers library"
    instead = "visual_descriptors"
    known = (
        Checkpoint(VIT, 768, 346, "Apache-2.0", revision="3f49326eb077187dfe1c2a2bb15fbd74e6ab91e3"),
        Checkpoint(
            "facebook/dinov2-base", 768, 346, "Apache-2.0", revision="f9e44c814b77203eaa57a6bdbbd535f21ede1415"
        ),
        Checkpoint("facebook/dinov3-vitb16-pretrain-lvd1689m", 768, 343, "DINOv3 License, to be accepted"),
    )

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items' pictures; an item without a readable one is absent."""
        from recsys.content.pretrained.contents import Contents

        return self.run(Contents.pictures(items), self.tower(context), context)

    def tower(self, context: Context) -> "Tower":
        """The model on its device."""
        import torch
        from transformers import AutoImageProcessor

        from recsys.content.pretrained.loading import SAFELY, load_model
        from recsys.content.pretrained.pictures import prepare_pictures
        from recsys.content.pretrained.running import Tower

        folder, pooling = self.weights(context), self.options.pooling
        model = load_model(folder, self.runtime.device, may_lack=() if pooling == "pooler" else ("pooler.",))
        with loading(folder):
            processor = AutoImageProcessor.from_pretrained(folder, **SAFELY)
        if hasattr(model, "get_image_features"):
            raise UserError(f"{folder}: a model of pictures and texts; use encoder 'image_text' with `part: image`")
        n_special = _special_tokens(model)
        if pooling == "cls" and not n_special:
            raise UserError(f"{folder}: has no class token; set `pooling` to mean or pooler")
        layers = (self.options.layer,) if isinstance(self.options.layer, int) else self.options.layer or ()

        def forward(inputs: "Inputs") -> "Tensor":
            output = model(**inputs, output_hidden_states=bool(layers))
            if not layers:
                return _pool(output, pooling, n_special)
            return torch.cat([_of_layer(_layer(output, layer), pooling, n_special) for layer in layers], dim=1)

        return Tower(
            prepare=partial(prepare_pictures, partial(processor, return_tensors="pt")),
            forward=forward,
            identity=("vision_transformer", digest(folder), pooling, *map(str, layers)),
        )


def _special_tokens(model: Any) -> int:
    """How many tokens stand before those of the patches."""
    special = [weight for name, weight in model.named_parameters() if name.rpartition(".")[2] in SPECIAL_TOKENS]
    return sum(weight.shape[1] if weight.ndim == 3 else 1 for weight in special)


def _pool(output: Any, pooling: str, n_special: int) -> "Tensor":
    if pooling == "pooler":
        if getattr(output, "pooler_output", None) is None:
            raise UserError("pooling 'pooler': this model has none; set `pooling` to cls or mean")
        return output.pooler_output.flatten(1)
    return _of_layer(output.last_hidden_state, pooling, n_special)


def _layer(output: Any, layer: int) -> "Tensor":
    states = output.hidden_states
    if not -len(states) <= layer < len(states):
        raise UserError(f"layer {layer}: this model has layers 0 to {len(states) - 1}")
    return states[layer]


def _of_layer(hidden: "Tensor", pooling: str, n_special: int) -> "Tensor":
    if hidden.ndim == 4:  # a convolutional network's maps
        return hidden.mean(dim=(2, 3))
    return hidden[:, 0] if pooling == "cls" else hidden[:, n_special:].mean(dim=1)
