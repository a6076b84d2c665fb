"""Options that trained encoders share."""

from typing import Literal

from pydantic import Field

from recsys.content.encoder import EncoderOptions


class RunOptions(EncoderOptions):
    """How a model is run; none of it changes what the vectors mean.

    Attributes:
        batch_size: contents that the model sees at once. None: a size that suits the device. Either is halved for
            as long as memory does not suffice.
        device: `auto` takes CUDA where there is any.
        precision: `auto` is mixed bfloat16 (float16 on cards without it) on CUDA and float32 on the CPU.
    """

    batch_size: int | None = Field(None, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"


class ModelOptions(RunOptions):
    """Which weights, and how they are run.

    Attributes:
        model: a folder of weights, or the id of a model on the hub (see `recsys.content.weights`).
        revision: the commit of a hub model. None: the one that `known` names for this model.
    """

    model: str
    revision: str | None = None
