"""What would stop the asking of a model, found out before anything is asked and before a model is trained."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import httpx2
import pandas as pd

from recsys.content.vlm.contents import NOTHING, shown
from recsys.content.vlm.describer import Pooling
from recsys.content.vlm.options import EndpointOptions, Layer, VlmOptions, hidden_name
from recsys.content.vlm.prompts import Prompt, load_prompt
from recsys.content.weights import SHIPPED, locate, on_this_machine
from recsys.errors import UserError, nearest_name

PATIENCE_S = 5.0


def preflight(
    options: VlmOptions,
    items: pd.DataFrame,
    folder: Path | None,
    *,
    truth: Mapping[str, str] = {},
    hidden: Collection[tuple[str, Pooling, Layer | None]] = (),
) -> list[str]:
    """Look at everything that a run would need of the model, without asking it about an item.

    Args:
        options: as the study gives them.
        items: the item table of the dataset.
        folder: what file names in the options are relative to.
        truth: columns of the items that tell what a field should say, by field.
        hidden: what reads hidden states of the corpus: source, pooling and layer.

    Returns:
        What was found, a line each.

    Raises:
        UserError: the first thing that a run would stop at, with the remedy.
    """
    prompt = load_prompt(options.prompt, folder)
    contents = {key for key, what in shown(items, options) if what != NOTHING}
    if not contents:
        wanted = " or ".join(options.inputs)
        raise UserError(f"none of the {len(items)} items has {wanted} to show the model; see the column or `inputs`")
    _truth(prompt, items, truth)
    _hidden(options, hidden)
    found = [
        f"asks {options.model}, prompt {prompt.name} (version {prompt.version})",
        f"{len(contents):,} different contents of {len(items):,} items",
    ]
    return [*found, *(_server(options.endpoint, options.model) if options.endpoint else _weights(options, folder))]


def _truth(prompt: Prompt, items: pd.DataFrame, truth: Mapping[str, str]) -> None:
    for field, column in truth.items():
        if field not in prompt.fields:
            raise UserError(f"`truth`: prompt '{prompt.name}' has no field '{field}'{_hint(field, prompt.fields)}")
        if column not in items:
            columns = [str(name) for name in items if name not in ("item_id", "image_path", "image_digest")]
            raise UserError(
                f"`truth`: {field}: items have no column '{column}'{_hint(column, columns)}; add it to the source's "
                "`attributes`"
            )


def _hint(given: str, known: Collection[str]) -> str:
    near = nearest_name(given, list(known))
    return f", did you mean '{near}'?" if near else f" (known: {', '.join(known) or 'none'})"


def _hidden(options: VlmOptions, hidden: Collection[tuple[str, Pooling, Layer | None]]) -> None:
    for source, pooling, layer in hidden:
        wanted = hidden_name(pooling, layer)
        if wanted not in options.hidden:
            known = ", ".join(options.hidden) or "none"
            raise UserError(
                f"content '{source}' reads '{wanted}', which the corpus lacks (it has {known}): add it to the "
                "corpus's `poolings`, or change the content's `pooling`"
            )


def _weights(options: VlmOptions, folder: Path | None) -> list[str]:
    """Says where the weights are; those of the hub need not be here yet, and must be pinned."""
    place = on_this_machine(options.model, options.revision, folder)
    if place is not None:
        locate(options.model, options.revision, folder)
        return [] if options.model in SHIPPED else [f"weights in {place}"]
    if options.model.startswith((".", "/", "~")) or options.model.count("/") != 1:
        raise UserError(
            f"model '{options.model}': there is no such folder with a config.json, and it is no id of a hub model "
            "(such as Qwen/Qwen2-VL-7B-Instruct)"
        )
    if options.revision is None:
        raise UserError(f"model '{options.model}': add `revision`, the commit on the hub that pins it")
    return ["its weights are not on this machine: the run fetches them from the hub"]


def _server(endpoint: EndpointOptions, model: str) -> list[str]:
    key = os.environ.get(endpoint.api_key_env, "").strip()
    served = served_models(endpoint)
    found = [] if key else [f"no key in {endpoint.api_key_env}: the server is asked without one"]
    if served and model not in served:
        near = _hint(model, served[:20])
        found.append(f"the server does not list the model '{model}'{near}")
    return found


def served_models(endpoint: EndpointOptions) -> list[str]:
    """Names of the models that a server lists; none where it keeps no list.

    Raises:
        UserError: nothing listens at the address, or the key is not accepted.
    """
    key = os.environ.get(endpoint.api_key_env, "").strip()
    headers = {"Authorization": f"Bearer {key}"} if key and key.isascii() and key.isprintable() else {}
    try:
        answer = httpx2.get(f"{endpoint.address}/models", params=endpoint.query, headers=headers, timeout=PATIENCE_S)
    except httpx2.HTTPError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{endpoint.address}: no server answers there ({reason}); start the server, or fix `address`"
        ) from None
    if answer.status_code in (401, 403):
        raise UserError(
            f"{endpoint.address}: HTTP {answer.status_code}; put a valid key into the environment variable "
            f"{endpoint.api_key_env}"
        )
    try:
        listed = answer.json()["data"]
        return [str(each["id"]) for each in listed]
    except (ValueError, KeyError, TypeError):
        return []
