"""What a dataset's descriptions would stop a run at: a file that lacks columns, a model that can be asked nowhere.

No model is asked for a description.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from recsys.content.descriptions import parse_corpus
from recsys.content.texts import item_texts
from recsys.data.images import pictures_note
from recsys.data.raw import lacks_column
from recsys.errors import UserError, hint
from recsys.study.dataset_spec import CORPUS, OWN_COLUMNS, CorpusSpec
from recsys.study.preparing import describe_items
from recsys.wording import percent

if TYPE_CHECKING:
    from recsys.content.vlm.options import VlmOptions


@dataclass(frozen=True)
class ExpectedCorpus:
    """A description corpus as its encoders will find it; `poolings` where it is still to be made."""

    table: pd.DataFrame
    poolings: tuple[str, ...] | None = None


def expected_corpus(spec: CorpusSpec, items: pd.DataFrame, folder: Path, scratch: Path) -> tuple[ExpectedCorpus, str]:
    """A corpus from its file; or, of one that a model is to write, what it will be like."""
    for column in spec.truth.values():
        if column not in items:
            raise lacks_column("`truth`", column, items)
    if spec.model is None:
        record = describe_items(spec, items, folder, scratch, scratch, lambda done, steps: None)
        table = pd.read_parquet(scratch / CORPUS)
        fields = tuple(str(column) for column in table if column not in ("item_id", "answer"))
        _refuse_unknown(spec.truth, fields, "`fields`")
        checks = "".join(f"; {check.message}" for check in record.checks if fields)
        return ExpectedCorpus(table), f"{share_of_items(len(table), len(items))} are described{checks}"
    return _to_be_written(spec, items, folder)


def _to_be_written(spec: CorpusSpec, items: pd.DataFrame, folder: Path) -> tuple[ExpectedCorpus, str]:
    # Only a study that asks a model imports what that takes.
    from recsys.content.vlm.options import VlmOptions
    from recsys.content.vlm.prompts import load_prompt

    options = VlmOptions.read(spec.options)
    prompt = load_prompt(options.prompt, folder)
    if taken := [field for field in prompt.fields if field in OWN_COLUMNS]:
        raise UserError(f"prompt '{prompt.name}': a field cannot be called '{taken[0]}'; rename it in the prompt")
    fields = prompt.fields if options.max_new_tokens else ()
    _refuse_unknown(spec.truth, fields, f"prompt '{prompt.name}'")
    shown = pd.Series(data=False, index=items.index)
    if "image" in options.inputs:
        shown |= items["image_path"].notna()
    if "text" in options.inputs:
        for column in set(options.text_fields) - set(items):
            raise lacks_column("`text_fields`", column, items)
        shown |= item_texts("", items, options.text_fields, None) != ""
    if not shown.any():
        wanted = " or ".join(options.inputs)
        raise UserError(f"none of the {len(items):,} items has {wanted} to show the model; see `inputs`")
    asked = items.loc[shown, ["item_id"]].reset_index(drop=True)
    answer = ", ".join(f"[{field}] {{value}}" for field in fields) or ("a value" if options.max_new_tokens else "")
    table = asked.assign(answer=answer)
    table = table.merge(parse_corpus(table, fields)[0], on="item_id")
    where = _model(options, folder)
    several = pictures_note(items, options.pictures) if "image" in options.inputs else ""
    about = f"{share_of_items(len(asked), len(items))}{several and f' with {several}'}"
    said = f"asks {options.model} ({where}) about {about}, prompt {prompt.name} "
    return ExpectedCorpus(table, tuple(options.hidden)), f"{said}(version {prompt.version})"


def _model(options: "VlmOptions", folder: Path) -> str:
    """Where a model is; UserError where it can be asked nowhere."""
    if options.endpoint is not None:
        from recsys.content.vlm.served import served_models

        said = f"the server at {options.endpoint.address} answers"
        listed = served_models(options.endpoint)
        if listed and options.model not in listed:
            return f"{said}, and does not list '{options.model}' ({', '.join(listed[:5])})"
        return said
    if options.engine == "vllm":
        from recsys.content.vlm.vllm_describer import library

        library()
    from recsys.content.weights import find

    refuse_missing_device(options)
    place = find(options.model, options.revision, folder)
    if place:
        _refuse_missing_layers(options, place)
    return "on this machine" if place else "to be fetched from the hub"


def refuse_missing_device(options: Any) -> None:
    """UserError where options ask for a GPU, and there is none."""
    if getattr(options, "device", "auto") == "cuda":
        from recsys.runtime import Runtime

        Runtime.choose(options.device, options.precision)


def _refuse_missing_layers(options: "VlmOptions", place: Path) -> None:
    """UserError where a layer is asked for that the model lacks, as far as its config counts them."""
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except ValueError:  # a run says what is wrong with the file
        return
    depth = (config.get("text_config") or config).get("num_hidden_layers")
    for layer in options.layers or (options.layer,):
        if depth and isinstance(layer, int) and not -depth - 1 <= layer <= depth:
            raise UserError(f"`layer` is {layer}; '{options.model}' has layers {-depth - 1} to {depth}")


def _refuse_unknown(truth: dict[str, str], fields: Collection[str], whose: str) -> None:
    for field in truth:
        if fields and field not in fields:
            raise UserError(f"`truth`: {whose} has no field '{field}'{hint(field, fields)}")


def share_of_items(n: int, of: int) -> str:
    """As a sentence has it: 3,631 of 3,650 items (99.5 %)."""
    return f"{n:,} of {of:,} items ({percent(n / max(of, 1))})"
