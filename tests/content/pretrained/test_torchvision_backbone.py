"""Torchvision's classifiers, with weights from files of one's own and from where torchvision fetches them."""

import warnings
from collections.abc import Iterator
from functools import cache, partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision import models
from torchvision.models import ResNet18_Weights

from recsys.content.encoder import Checkpoint
from recsys.content.encoders import encode
from recsys.content.encoders.image._torchvision import AS_TRAINED, file_of, known_weights, load, one_vector
from recsys.content.encoders.image.torchvision_backbone import FETCHED, TorchvisionBackbone
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.content.pretrained.contract import PictureEncoderContract
from tests.content.pretrained.pictures import good_pictures
from tests.local_server import listening

NAME = "torchvision_backbone"
CHECKPOINT = Checkpoint("resnet18", 512, 45, "BSD-3-Clause", revision="IMAGENET1K_V1")


@cache
def library(file: str) -> torch.nn.Module:
    network = models.resnet18().eval()
    network.load_state_dict(load_file(file))
    network.fc = torch.nn.Identity()
    return network


class TestResNet18(PictureEncoderContract):
    encoder, dim = NAME, 512

    def make(self, folder):
        save_file(models.resnet18().state_dict(), folder / "resnet18.safetensors")
        return {"model": "resnet18", "weights": str(folder / "resnet18.safetensors")}

    def alone(self, options, picture):
        with torch.no_grad():
            return library(options["weights"])(ResNet18_Weights.DEFAULT.transforms()(picture)[None])


def test_maps_are_averaged_and_a_head_of_ones_own_does_no_harm(tmp_path):
    torch.manual_seed(0)
    torch.save(models.resnet18(num_classes=7).state_dict(), tmp_path / "mine.pth")
    items = item_table(2, image_path=good_pictures(tmp_path)[:2])
    maps, pooled = (
        encode(
            NAME, {"model": "resnet18", "weights": "mine.pth", "layer": layer, "device": "cpu"}, items, folder=tmp_path
        )
        for layer in ("layer4", "avgpool")
    )
    np.testing.assert_allclose(maps.matrix, pooled.matrix, rtol=1e-5)


def test_several_layers_stand_side_by_side(tmp_path):
    torch.manual_seed(0)
    save_file(models.resnet18().state_dict(), tmp_path / "mine.safetensors")
    items = item_table(2, image_path=good_pictures(tmp_path)[:2])
    first, last, both = (
        encode(
            NAME,
            {"model": "resnet18", "weights": "mine.safetensors", "layer": layer, "device": "cpu"},
            items,
            folder=tmp_path,
        ).matrix
        for layer in ("layer1", "avgpool", ["layer1", "avgpool"])
    )
    np.testing.assert_allclose(both, np.concatenate([first, last], axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "head"),
    [
        ("vit_b_16", "heads"),
        ("densenet121", "classifier"),
        ("swin_t", "head"),
        ("shufflenet_v2_x0_5", "fc"),
        ("googlenet", "fc"),
        ("resnet18", "fc"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_without_a_layer_it_is_what_the_head_decides_on(model, head, tmp_path):
    with warnings.catch_warnings(action="ignore"):
        network = models.get_model(model, weights=None, **AS_TRAINED.get(model, {})).eval()
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    setattr(network, head, torch.nn.Identity())
    extractor = load(model, (), tmp_path / "mine.safetensors")
    pictures = torch.rand(2, 3, 224, 224)
    with torch.inference_mode():
        (vector,) = (one_vector(output, layer) for layer, output in extractor(pictures).items())
        torch.testing.assert_close(vector, network(pictures))


def refusal(tmp_path: Path, **options: str) -> str:
    with pytest.raises(UserError) as error:
        encode(
            NAME,
            {"device": "cpu", "model": "resnet18", **options},
            item_table(1, image_path=good_pictures(tmp_path)[:1]),
        )
    return str(error.value)


def test_mistakes_are_one_line(tmp_path):
    file = tmp_path / "mine.safetensors"
    state = models.resnet18().state_dict()
    save_file({name: tensor for name, tensor in state.items() if not name.startswith("layer4")}, file)
    assert refusal(tmp_path, model="resnet51") == (
        "model 'resnet51': torchvision has no such classification model; did you mean 'resnet50'?"
    )
    assert refusal(tmp_path, weights="IMAGENET1K_V9") == (
        "model 'resnet18': has no weights 'IMAGENET1K_V9': name others or give a file; did you mean 'IMAGENET1K_V1'?"
    )
    assert refusal(tmp_path, weights=str(file), layer="pool") == (
        "model 'resnet18': has no layer 'pool'; its last ones are layer4.1.relu_1, avgpool, flatten, fc"
    )
    # Its maps have their channels last, and a mean over places would be one over columns and channels.
    assert refusal(tmp_path, model="swin_t", weights=str(file), layer="features.3") == (
        "model 'swin_t': layer 'features.3' has its channels last; name one of permute, avgpool, flatten, head"
    )
    assert refusal(tmp_path, weights=str(file)) == (
        f"{file}: has no 'layer4.0.conv1.weight', which resnet18 needs up to 'avgpool'; give its state dict"
    )
    assert refusal(tmp_path, weights="none.pth").startswith("none.pth: there is no such file; give a file that exists")
    (tmp_path / "cut.safetensors").write_bytes(file.read_bytes()[:5000])
    assert "cannot be loaded as a model (SafetensorError: " in refusal(
        tmp_path, weights=str(tmp_path / "cut.safetensors")
    )


class Touch:
    """A pickle of this makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_runs_nothing(tmp_path):
    torch.save({"conv1.weight": Touch(tmp_path / "ran")}, tmp_path / "evil.pth")
    line = refusal(tmp_path, weights=str(tmp_path / "evil.pth"))
    assert line.startswith(f"{tmp_path}/evil.pth: cannot be loaded as a model (UnpicklingError: ") and "\n" not in line
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where torchvision fetches weights of ResNet-18 from, and an empty place to keep them."""
    folder = tmp_path / "served"
    folder.mkdir()
    torch.save(models.resnet18().state_dict(), folder / "weights.pth")
    name = f"resnet18-{sha256((folder / 'weights.pth').read_bytes()).hexdigest()[:8]}.pth"
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *args: None})
    weights = ResNet18_Weights.IMAGENET1K_V1.value
    before = weights.url
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setitem(FETCHED, "resnet18", name)
    with listening(partial(handler, directory=str(folder))) as address:
        object.__setattr__(weights, "url", f"{address}/{name}")
        yield (folder / "weights.pth").rename(folder / name)
        object.__setattr__(weights, "url", before)


def test_known_weights_are_looked_for_where_torchvision_puts_them():
    for checkpoint in TorchvisionBackbone.known:
        weights = known_weights(checkpoint.model)[str(checkpoint.revision)]
        assert file_of(weights).name == FETCHED[checkpoint.model]


OPTIONS = {"model": "resnet18", "weights": "IMAGENET1K_V1", "device": "cpu"}


def test_weights_are_fetched_once_and_their_hash_is_checked(tmp_path, server):
    items = item_table(1, image_path=good_pictures(tmp_path)[:1])
    assert not TorchvisionBackbone.has(CHECKPOINT)
    vector = encode(NAME, OPTIONS, items).matrix[0]
    assert TorchvisionBackbone.has(CHECKPOINT)
    server.unlink()
    np.testing.assert_array_equal(encode(NAME, OPTIONS, items).matrix[0], vector)
    kept = tmp_path / "torch" / "hub" / "checkpoints" / server.name
    kept.write_bytes(kept.read_bytes()[:-1])
    assert refusal(tmp_path, weights="IMAGENET1K_V1") == (
        f"{kept}: is not what torchvision published under this name; delete it to have it fetched"
    )


def test_weights_that_were_changed_or_are_gone_are_refused(tmp_path, server):
    content = bytearray(server.read_bytes())
    content[-100] ^= 1
    server.write_bytes(content)
    line = refusal(tmp_path, weights="IMAGENET1K_V1")
    assert f"cannot fetch {server.name} from http://127.0.0.1:" in line and "invalid hash value" in line
    server.unlink()
    line = refusal(tmp_path, weights="IMAGENET1K_V1")
    assert "(HTTP Error 404: File not found)" in line
    assert line.endswith(
        f"; put it into {tmp_path}/torch/hub/checkpoints, give a file of your own as `weights`, or use encoder "
        "'visual_descriptors', which needs no weights"
    )
