"""Where a description corpus comes from, written beside it: model, revision, prompt and library versions."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.prompts import Prompt

PROVENANCE = "provenance.json"
LIBRARIES = ("modalift", "torch", "transformers", "tokenizers", "pillow")
ASKING = ("modalift", "openai", "pillow")


def of_model(
    options: VlmOptions, prompt: Prompt, weights: str | None, served_as: list[str], adapted: list[str]
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
    return {key: value for key, value in record.items() if value not in (None, [])}


def of_file(file: str, digest: str, n_rows: int) -> dict[str, Any]:
    """The record of a corpus that was made elsewhere."""
    return {
        "file": file,
        "sha256": digest,
        "answers": n_rows,
        "made": "elsewhere; which model and prompt is not known",
    }


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Put a record beside its corpus."""
    (folder / PROVENANCE).write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")


def lines(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A record as names and words, for a person."""
    said = [(name.replace("_", " "), record[name]) for name in record if name not in ("libraries", "options")]
    options = [f"{key}={value}" for key, value in record.get("options", {}).items() if key in SHOWN and value]
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
)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
