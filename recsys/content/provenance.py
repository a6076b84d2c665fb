"""Where descriptions and vectors come from, written beside them: model, revision, prompt and library versions."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.content.encoder import Encoder
from recsys.content.weights import digest, on_this_machine
from recsys.store import sha256_of

if TYPE_CHECKING:
    from recsys.content.vlm.options import VlmOptions
    from recsys.content.vlm.prompts import Prompt

PROVENANCE = "provenance.json"
LIBRARIES = ("modalift", "torch", "transformers", "tokenizers", "pillow")
ASKING = ("modalift", "openai", "pillow")
COMPUTING = ("modalift", "numpy", "scikit-learn", "scikit-image", "pillow")
RUNNING = ("torch", "torchvision", "torchaudio", "transformers", "tokenizers", "sentence-transformers")
MISSING = "not installed"
COMMIT = re.compile(r"[0-9a-f]{40}")
SPEED_AND_PLACE = {"batch_size", "workers", "endpoint"}


def of_model(
    options: "VlmOptions", prompt: "Prompt", weights: str | None, served_as: list[str], adapted: list[str]
) -> dict[str, Any]:
    """The record of a corpus that a model was asked for.

    Args:
        options: what it was asked by.
        prompt: its text is recorded, since a file may change.
        weights: digest of the weights' files; None behind an endpoint.
        served_as: what a server says has answered.
        adapted: what was asked otherwise than the options say.
    """
    libraries = LIBRARIES if options.endpoint is None else ASKING
    if options.engine == "vllm" and options.endpoint is None:
        libraries = (*libraries, "vllm")
    record: dict[str, Any] = {
        "model": options.model,
        "revision": options.revision,
        "weights": weights,
        "served_as": served_as,
        "endpoint": options.endpoint.address if options.endpoint else None,
        "prompt": prompt.name,
        "prompt_version": prompt.version,
        "prompt_text": prompt.text,
        "fields": list(prompt.fields),
        "options": options.identity,
        "adapted": adapted,
        "libraries": {library: _version(library) for library in libraries},
    }
    return _filled(record)


def of_file(file: str, digest: str, n_rows: int) -> dict[str, Any]:
    """The record of a corpus that was made elsewhere."""
    return {
        "file": file,
        "sha256": digest,
        "answers": n_rows,
        "made": "elsewhere; which model and prompt is not known",
    }


def of_encoder(name: str, encoder: Encoder, corpus: str | None, folder: Path, files: Sequence[Path]) -> dict[str, Any]:
    """The record of vectors that were made here.

    Args:
        name: the encoder's.
        encoder: with its options.
        corpus: the descriptions that it reads.
        folder: what names in the options are relative to.
        files: that its options name.
    """
    given = encoder.options.model_dump(mode="json", exclude=SPEED_AND_PLACE)
    endpoint = getattr(encoder.options, "endpoint", None)
    if "revision" in given:
        pinned = {checkpoint.model: checkpoint.revision for checkpoint in encoder.known}
        given["revision"] = given["revision"] or pinned.get(given["model"])
        if not COMMIT.fullmatch(given["revision"] or ""):  # what is in a folder, a package or a branch it does not say
            place = on_this_machine(given["model"], given["revision"], folder)
            given["weights"] = digest(place) if place else None
    libraries = ("modalift", "openai") if endpoint else COMPUTING + RUNNING * encoder.needs_weights
    return _filled(
        {
            "encoder": name,
            "corpus": corpus,
            **given,
            "endpoint": endpoint.address if endpoint else None,
            "files": [f"{file.name} (sha256 {sha256_of(file)})" for file in files],
            "libraries": {library: number for library in libraries if (number := _version(library)) != MISSING},
        }
    )


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Put a record beside what it is about."""
    (folder / PROVENANCE).write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")


def lines(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A record as names and words, for a person."""
    said = [(name.replace("_", " "), record[name]) for name in record if name not in ("libraries", "options")]
    given = record.get("options", {})
    asked = given | (given.get("endpoint") or {})
    shown = [key for key in SHOWN if asked.get(key) and (given.get("poolings") or key not in OF_HIDDEN_STATES)]
    options = [f"{key}={_plain(asked[key])}" for key in shown]
    libraries = [f"{name} {number}" for name, number in record.get("libraries", {}).items()]
    listed = [(name, ", ".join(value) if isinstance(value, list) else str(value)) for name, value in said]
    listed += [("options", ", ".join(options)), ("libraries", ", ".join(libraries))]
    return [(name, " ".join(value.split())) for name, value in listed if value]


SHOWN = (
    "inputs",
    "pictures",
    "text_fields",
    "poolings",
    "layer",
    "layers",
    "max_new_tokens",
    "temperature",
    "seed",
    "max_side",
    "detail",
    "structured",
    "extra_body",
)
OF_HIDDEN_STATES = ("layer", "layers")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return MISSING


def _filled(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, [], "")}
