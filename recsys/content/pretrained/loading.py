"""Models of the transformers library, from a local folder of safetensors, refused where weights are missing."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

from recsys.content.pretrained.encoder import loading
from recsys.errors import UserError

SAFELY: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def load_model(folder: Path, device: torch.device, may_lack: tuple[str, ...] = ()) -> Any:
    """The model in float32, on its device, ready to be used.

    The library draws weights at random where a folder has none, and only warns of it; vectors of such a model are
    noise that looks like content.

    Args:
        folder: `config.json` and weights.
        device: where the model is to run.
        may_lack: beginnings of the names of weights that are not used.

    Raises:
        UserError: the folder is damaged, of an unknown kind, or lacks weights.
    """
    with loading(folder):
        model, info = AutoModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **SAFELY
        )
        _refuse(folder, [name for name in info["missing_keys"] if not name.startswith(may_lack)])
    return model.to(device).eval()


def refuse_incomplete(folder: Path, network: torch.nn.Module) -> None:
    """UserError where a network that another library has loaded has weights that the folder lacks, but for poolers."""
    # transformers marks what it has read from a file, and draws the rest.
    drawn = [name for name, weight in network.named_parameters() if not getattr(weight, "_is_hf_initialized", False)]
    _refuse(folder, [name for name in drawn if "pooler." not in name])


def _refuse(folder: Path, lacking: list[str]) -> None:
    if lacking:
        raise UserError(f"{folder}: lacks trained weights for {len(lacking)} parts of the model, first {min(lacking)}")
