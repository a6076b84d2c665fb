"""Torchvision's classifiers: which there are, their weights, and a model that ends at a layer."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision import models
from torchvision.models import WeightsEnum
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from recsys.content.pretrained.encoder import loading
from recsys.content.weights import HUB_SECONDS
from recsys.errors import UserError, hint
from recsys.store import sha256_of

AS_TRAINED = {name: {"transform_input": True, "init_weights": False} for name in ("googlenet", "inception_v3")}
"""Arguments without which some architectures are not as they were trained."""


def known_weights(model: str) -> dict[str, Any]:
    """The weights that torchvision has for a classification model, by name."""
    names = models.list_models(module=models)
    if model not in names:
        raise UserError(f"model '{model}': torchvision has no such classification model{hint(model, names)}")
    return dict(models.get_model_weights(model).__members__)


def weights_called(name: str, model: str) -> WeightsEnum:
    """Torchvision's weights of a classification model by their name; UserError where there are none of that name."""
    known = known_weights(model)
    if name not in known:
        raise UserError(f"model '{model}': has no weights '{name}': name others or give a file{hint(name, known)}")
    return known[name]


def file_of(weights: WeightsEnum) -> Path:
    """Where torchvision keeps weights that it has fetched."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name


def fetch(weights: WeightsEnum, instead: str) -> Path:
    """The file of weights, fetched if it is not there yet; its hash, of which its name bears a part, is checked."""
    file = file_of(weights)
    published = file.stem.rpartition("-")[2]
    if file.is_file():
        if not sha256_of(file).startswith(published):
            raise UserError(f"{file}: is not what torchvision published under this name; delete it to have it fetched")
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(weights.url, str(file), published, progress=False)
    except Exception as error:  # a network's errors have many types, a wrong hash has that of a bug
        raise _not_fetched(weights, error, instead) from None
    return file


def ask_for(weights: WeightsEnum, instead: str) -> None:
    """UserError where weights are neither in torchvision's cache nor at their address; fetches nothing."""
    if file_of(weights).is_file():
        return
    try:
        urlopen(Request(weights.url, method="HEAD"), timeout=HUB_SECONDS).close()
    except Exception as error:  # as above
        raise _not_fetched(weights, error, instead) from None


def _not_fetched(weights: WeightsEnum, error: Exception, instead: str) -> UserError:
    file, reason = file_of(weights), (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(
        f"weights '{weights}': cannot fetch {file.name} from {weights.url} ({reason}); put it into {file.parent}, "
        f"give a file of your own as `weights`, or {instead}"
    )


HEADS = ("classifier", "fc", "head", "heads")
"""Modules in which torchvision's architectures decide on a class."""


def load(model: str, layers: Sequence[str], file: Path) -> nn.Module:
    """The model up to some layers, with the weights of a file: what comes after them need not be in it.

    Args:
        model: a name that `known_weights` takes.
        layers: names of layers; none: `avgpool`, or what else is last before the classes.
        file: a state dict.

    Returns:
        A module whose outputs are keyed by their layers.
    """
    with warnings.catch_warnings(action="ignore"):  # of weights that are not kept, and of the difference to training
        network = models.get_model(model, weights=None, **AS_TRAINED.get(model, {})).eval()
        names = get_graph_node_names(network)[1]
        layers = layers or [_before_head(names)]
        extractor = _up_to(layers, network, model, names)
        _refuse_channels_last(layers, model, names)
    with loading(file):
        state = load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
        needed = extractor.state_dict()
        missing = [name for name in needed if name not in state]
        if missing:
            up_to = ", ".join(f"'{layer}'" for layer in layers)
            raise UserError(f"{file}: has no '{missing[0]}', which {model} needs up to {up_to}; give its state dict")
        extractor.load_state_dict({name: state[name] for name in needed})
    return extractor


def _up_to(layers: Sequence[str], network: nn.Module, model: str, names: list[str]) -> nn.Module:
    try:
        return create_feature_extractor(network, return_nodes={layer: layer for layer in layers})
    except ValueError:
        # A layer is named by its node, or by the module of which that is a part.
        known = [*names, *dict(network.named_modules())]
        unknown = next((layer for layer in layers if layer not in known), layers[0])
        raise UserError(
            f"model '{model}': has no layer '{unknown}'; its last ones are {', '.join(names[-4:])}"
        ) from None


def _refuse_channels_last(layers: Sequence[str], model: str, names: list[str]) -> None:
    """UserError for a layer of Swin before it moves its channels, whose maps would be averaged over the wrong axes."""
    if "permute" not in names:
        return
    after = names[names.index("permute") :]
    for layer in layers:
        if layer not in after:
            raise UserError(f"model '{model}': layer '{layer}' has its channels last; name one of {', '.join(after)}")


def _before_head(names: list[str]) -> str:
    if "avgpool" in names:
        return "avgpool"
    head = next(number for number, name in enumerate(names) if name.partition(".")[0] in HEADS)
    return names[head - 1]


def one_vector(output: Tensor, layer: str) -> Tensor:
    """A row per picture: maps of features are averaged over their places."""
    if output.ndim == 4:
        output = output.mean(dim=(2, 3))
    if output.ndim != 2:
        shape = tuple(output.shape[1:])
        raise UserError(f"layer '{layer}': gives {shape} numbers a picture; name one that gives a vector or maps")
    return output
