"""A vision-language model over a catalogue: in one pass an answer about each item, and vectors of its hidden states.

Items of equal content are asked about once. What is done is kept batch by batch, so that an extraction that was
killed goes on where it was.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from recsys.content.encoder import Progress
from recsys.content.features import Features
from recsys.content.kept import Column, Kept
from recsys.content.vlm.contents import NOTHING, opened, shown
from recsys.content.vlm.describer import Describer, Pooling, UnfinishedError, VlmInput, VlmOutput
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.prompts import Prompt, load_prompt
from recsys.content.weights import digest, locate
from recsys.errors import UserError

__all__ = ["Extraction", "VlmOptions", "extract"]

log = logging.getLogger(__name__)

CHANGE_NO_ANSWER: dict[str, Any] = {
    "batch_size": True,
    "device": True,
    "endpoint": {"api_key_env", "concurrency", "requests_per_minute", "timeout_s", "retries"},
}
SEEN_IN_CONTENT: dict[str, Any] = {"inputs": True, "text_fields": True}
"""Options by which the model is shown something else, which is another content."""


@dataclass(frozen=True)
class Extraction:
    """What a model made of a catalogue.

    Attributes:
        item_ids: all items, in their order.
        answers: `item_id`, `answer`, raw: a row for each item that was asked about, in their order.
        hidden: vectors by pooling, a row for each item. Absent are items that were not asked about, and those
            without such hidden states (the mean over the image, of an item without one).
        facts: `items`; `answered`; `contents`, the different ones among these; `equal_items`, that share the
            answer of another; `unreadable_images`; `tokens` of the answers to all contents; `cut_off`, answers
            among these that reached `max_new_tokens`; `kept`, contents that an earlier run had answered;
            `seconds` of this run.
    """

    item_ids: list[str]
    answers: pd.DataFrame
    hidden: dict[Pooling, Features]
    facts: dict[str, int | float]

    def save(self, folder: Path) -> None:
        """Write `answers.parquet`, and `<pooling>.safetensors` for each pooling."""
        self.answers.to_parquet(folder / "answers.parquet", index=False)
        for pooling, features in self.hidden.items():
            features.save(folder / f"{pooling}.safetensors", self.item_ids)


def extract(
    items: pd.DataFrame,
    options: VlmOptions,
    *,
    folder: Path | None = None,
    work: Path | None = None,
    progress: Progress | None = None,
) -> Extraction:
    """Ask a model about every item.

    Args:
        items: the item table of a dataset (see `recsys.data.raw`).
        options: the model, the prompt, what is shown and what is pooled.
        folder: what file names in the options are relative to.
        work: where finished batches are kept; None: nowhere, a killed extraction starts anew.
        progress: called with (done, total) different contents after every batch.

    Raises:
        UserError: the prompt, the model or an option cannot be used, or there is nothing to show of any item.
    """
    started = perf_counter()
    prompt = load_prompt(options.prompt, folder)
    of_items = shown(items, options)
    contents = {key: what for key, what in of_items if what != NOTHING}
    weights = None if options.endpoint else locate(options.model, options.revision, folder)
    with ExitStack() as stack:
        place = work or Path(stack.enter_context(TemporaryDirectory()))
        kept = Kept(place / _fingerprint(options, prompt, weights))
        before = contents.keys() & kept.keys()
        pending = {key: what for key, what in contents.items() if key not in before}
        if pending:
            size = (options.endpoint or options).batch_size
            try:
                for done in _ask(pending, prompt, choose(options, weights), size, kept):
                    if progress:
                        progress(len(before) + done, len(contents))
            except UnfinishedError as error:
                n_kept = len(contents.keys() & kept.keys()) if work else 0
                so_far = f"{n_kept} of {len(contents)} contents are answered and kept; the same command goes on"
                raise UserError(f"{error}: {so_far}") from None
        if not contents.keys() & kept.keys():
            wanted = " or ".join(options.inputs)
            raise UserError(
                f"none of the {len(items)} items has {wanted} to show the model; see the column or `inputs`"
            )
        extraction = _assemble(items["item_id"].tolist(), of_items, options, kept)
    extraction.facts.update(kept=len(before), seconds=perf_counter() - started)
    if unreadable := extraction.facts["unreadable_images"]:
        log.warning("pictures that could not be read: %d", unreadable)
    return extraction


def choose(options: VlmOptions, weights: Path | None) -> Describer:
    """What answers under these options: the weights in a folder, or else an endpoint."""
    if options.endpoint is not None:
        from recsys.content.vlm.endpoint import EndpointDescriber

        return EndpointDescriber(options.endpoint, options)
    assert weights is not None
    from recsys.content.vlm.transformers_describer import TransformersDescriber

    return TransformersDescriber(weights, options)


def _fingerprint(options: VlmOptions, prompt: Prompt, weights: Path | None) -> str:
    """What the answer to a content depends on, as one short hash."""
    matter = options.model_dump(mode="json", exclude=CHANGE_NO_ANSWER | SEEN_IN_CONTENT)
    if weights is not None:
        from recsys.runtime import Runtime

        matter["precision"] = str(Runtime.choose(options.device, options.precision).dtype)
        matter["weights"] = digest(weights)
    text = json.dumps([matter, prompt.version, prompt.text], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _ask(
    contents: dict[str, VlmInput], prompt: Prompt, describer: Describer, batch_size: int, kept: Kept
) -> Iterator[int]:
    """Ask about contents and keep what is said, batch by batch; tells after each how many are done."""
    # Questions of like length stand together, so that little of a batch is padding.
    order = sorted(contents.items(), key=lambda content: (content[1].image is None, len(content[1].text or "")))
    with opened([what.image for _, what in order]) as opens:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            seen = {key: what if next(opens) else replace(what, image=None) for key, what in batch}
            asked = {key: what for key, what in seen.items() if what != NOTHING}
            if asked:
                try:
                    said = describer.describe(prompt.text, list(asked.values()))
                except UnfinishedError as error:
                    _keep([list(asked.items())[row] for row in error.rows], error.said, kept)
                    raise
                _keep(list(asked.items()), said, kept)
            yield start + len(batch)


def _keep(asked: list[tuple[str, VlmInput]], said: VlmOutput, kept: Kept) -> None:
    """What was said about these contents."""
    if asked:
        tokens = np.array(said.n_tokens or [0] * len(asked), dtype=np.int32)[:, None]
        pictured = np.array([[what.image is not None] for _, what in asked], dtype=np.int8)
        columns: dict[str, Column] = {"answer": said.answers, "n_tokens": tokens, "pictured": pictured}
        kept.add([key for key, _ in asked], columns | {str(pooling): rows for pooling, rows in said.hidden.items()})


def _assemble(
    item_ids: list[str], of_items: list[tuple[str, VlmInput]], options: VlmOptions, kept: Kept
) -> Extraction:
    """Spread what was said about contents over the items that have them."""
    known = kept.keys()
    rows = [row for row, (key, _) in enumerate(of_items) if key in known]
    keys = [of_items[row][0] for row in rows]
    contents = sorted(set(keys))
    pictured = {key for key, read in zip(contents, kept.column("pictured", contents), strict=True) if read}
    tokens = kept.column("n_tokens", contents)
    facts: dict[str, int | float] = {
        "items": len(item_ids),
        "answered": len(rows),
        "contents": len(contents),
        "equal_items": len(rows) - len(contents),
        "unreadable_images": sum(what.image is not None and key not in pictured for key, what in of_items),
        "tokens": int(tokens.sum()),
        "cut_off": int((tokens == options.max_new_tokens).sum()),
    }
    answers = pd.DataFrame({"item_id": [item_ids[row] for row in rows], "answer": kept.column("answer", keys)})
    hidden = {pooling: _features(kept.column(pooling, keys), rows, len(item_ids)) for pooling in options.poolings}
    return Extraction(item_ids, answers.astype("object"), hidden, facts)


def _features(vectors: np.ndarray, rows: list[int], n_items: int) -> Features:
    matrix = np.zeros((n_items, vectors.shape[1]), dtype=np.float32)
    present = np.zeros(n_items, dtype=bool)
    matrix[rows], present[rows] = vectors, ~np.isnan(vectors).any(axis=1)
    return Features.where(present, matrix)
