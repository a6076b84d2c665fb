"""What a study may say about a vision-language model, checked before anything is loaded."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recsys.content.vlm.describer import Pooling


class VlmOptions(BaseModel):
    """Options of an extraction.

    Attributes:
        model: weights by name, folder or hub id (see `recsys.content.weights`).
        revision: the commit of a hub model.
        prompt: the name of a prompt that comes with the program, or a YAML file relative to the dataset's folder.
        inputs: what the model is shown of an item beside the prompt. An item without an image is asked about
            its text where both are shown.
        text_fields: columns of the item table that are its text, in this order.
        poolings: which hidden states become vectors (see `recsys.content.vlm.describer`); any number of them
            in the same pass, or none. The published embeddings are `answer_end`.
        layer: whose hidden states: 0 are the embeddings, 1 the first layer's, -1 the last layer's; a share of
            the depth if it is written with a point, such as 0.5 or 1.0.
        max_new_tokens: an answer is cut off after so many tokens.
        temperature: 0 always takes the likeliest token; above it tokens are drawn.
        seed: of what is drawn. Each item has a stream of its own, so its answer does not hang on its batch.
        max_side: pictures with a longer side, in pixels, are scaled down to it first: some models spend a token
            on every 28 x 28 pixels. None leaves that to the model's own settings.
        batch_size: items a forward pass; it changes speed and memory, not results.
        device: where the model runs; `auto` is a CUDA device if there is one.
        precision: of the weights; `auto` is bfloat16 on a CUDA device and float32 on a CPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    revision: str | None = None
    prompt: str
    inputs: tuple[Literal["image", "text"], ...] = Field(("image",), min_length=1)
    text_fields: tuple[str, ...] = Field(("title", "text"), min_length=1)
    poolings: tuple[Pooling, ...] = ("answer_end",)
    layer: int | Annotated[float, Field(gt=0, le=1)] = -1
    max_new_tokens: int = Field(128, ge=1)
    temperature: float = Field(0.0, ge=0)
    seed: int = 0
    max_side: int | None = Field(None, ge=28)
    batch_size: int = Field(8, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
