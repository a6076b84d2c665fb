"""Classifiers of torchvision, read before their last layer.

ResNet-50 at `avgpool` (He et al., Deep residual learning for image recognition, CVPR 2016; 2048 columns) is the
image extractor of most published studies of multimodal recommendation.
"""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pandas as pd
from pydantic import Field

from recsys.content.encoder import Checkpoint, Context, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.pretrained.encoder import PretrainedEncoder
from recsys.content.pretrained.options import RunOptions
from recsys.store import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

    from recsys.content.pretrained.running import Inputs, Tower

FILES = (".safetensors", ".pth", ".pt")
FETCHED = {"resnet50": "resnet50-11ad3fa6.pth"}
"""Names of the files in torchvision's cache of the weights in `known`: asking torchvision takes seconds."""


class TorchvisionBackboneOptions(RunOptions):
    """Options of `torchvision_backbone`, beside those of how a model is run.

    Attributes:
        model: a classification model of torchvision, such as `resnet50`.
        layer: the layer whose output is the vector, by its name in the model, or several whose vectors are put side
            by side; maps of features are averaged. None: the last before the classes, `avgpool` where there is one.
        weights: a name that torchvision gives to weights of this model, or a file with a state dict of one's own:
            .safetensors, or .pth, from which tensors are read and nothing else.
    """

    model: str = "resnet50"
    layer: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    weights: str = "IMAGENET1K_V2"


@register
class TorchvisionBackbone(PretrainedEncoder):
    """The output of a layer, for pictures prepared as the weights were trained."""

    Options = TorchvisionBackboneOptions
    modality: ClassVar[Modality] = "image"
    description = "a layer of an image classifier of torchvision, such as ResNet-50 before its last"
    instead = "visual_descriptors"
    known = (Checkpoint("resnet50", 2048, 103, "BSD-3-Clause", revision="IMAGENET1K_V2"),)

    @classmethod
    def has(cls, checkpoint: Checkpoint) -> bool:
        """Whether torchvision has fetched these weights before."""
        cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "torch"
        place = Path(os.environ.get("TORCH_HOME", cache)).expanduser()
        return (place / "hub" / "checkpoints" / FETCHED[checkpoint.model]).is_file()

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items' pictures; an item without a readable one is absent."""
        from recsys.content.pretrained.contents import Contents

        return self.run(Contents.pictures(items), self.tower(context), context)

    def find_weights(self, context: Context) -> None:
        """UserError where there are no such weights, or they can neither be found nor fetched."""
        from recsys.content.encoders.image._torchvision import ask_for, known_weights, weights_called

        model, asked = self.options.model, self.options.weights
        if asked.endswith(FILES):
            known_weights(model)
            context.find(asked)
        else:
            ask_for(weights_called(asked, model), self.remedy)

    def tower(self, context: Context) -> "Tower":
        """The model on its device."""
        import torch

        from recsys.content.encoders.image._torchvision import fetch, load, one_vector, weights_called
        from recsys.content.pretrained.pictures import prepare_pictures
        from recsys.content.pretrained.running import Tower

        model, asked = self.options.model, self.options.weights
        layers = (self.options.layer,) if isinstance(self.options.layer, str) else self.options.layer or ()
        own = asked.endswith(FILES)
        weights = weights_called("DEFAULT" if own else asked, model)
        file = context.find(asked) if own else fetch(weights, self.remedy)
        extractor = load(model, layers, file).to(self.runtime.device)

        def forward(inputs: "Inputs") -> "Tensor":
            outputs = extractor(**inputs)
            return torch.cat([one_vector(outputs[layer], layer) for layer in layers or outputs], dim=1)

        return Tower(
            prepare=partial(prepare_pictures, partial(_stack, weights.transforms())),
            forward=forward,
            identity=("torchvision_backbone", model, *layers, sha256_of(file)),
        )


def _stack(transform: Any, pictures: list[Any]) -> "Inputs":
    import torch

    return {"x": torch.stack([transform(picture) for picture in pictures])}
