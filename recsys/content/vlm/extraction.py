"""A vision-language model over a catalogue: in one pass an answer about each item, and vectors of its hidden states.

Items of equal content are asked about once. What is done is kept batch by batch, so that an extraction that was
killed goes on where it was.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from recsys.content import provenance
from recsys.content.batch_store import BatchStore
from recsys.content.encoder import OnProgress
from recsys.content.features import Features
from recsys.content.vlm.asking import Asking
from recsys.content.vlm.contents import NOTHING, shown
from recsys.content.vlm.describer import Describer, UnfinishedError, VlmInput
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.prompts import Prompt, load_prompt
from recsys.content.vlm.unusable import UnusableError
from recsys.content.weights import digest, locate
from recsys.errors import UserError

__all__ = ["Extraction", "UnusableError", "VlmOptions", "extract"]

LAYOUT = 2
"""Version of the kept batches: goes up when their columns change."""

log = logging.getLogger(__name__)

SEEN_IN_CONTENT = {"inputs", "pictures", "text_fields"}
"""Options by which the model is shown something else, which is another content."""


@dataclass(frozen=True)
class Extraction:
    """What a model made of a catalogue.

    Attributes:
        item_ids: all items, in their order.
        answers: `item_id`, `answer`, raw: a row for each item that was asked about, in their order.
        hidden: vectors by pooling, a row for each item. Absent are items that were not asked about, and those
            without such hidden states (the mean over the image, of an item without one; those of an answer that is
            an excuse).
        facts: `items`; `answered`; `refused`, items about which a server gave no answer, or a model an excuse;
            `contents`, the different ones among all asked; `equal_items`, that share the answer of another; `pictures`
            of all items, where any shows several; `unreadable_images`; `tokens` of the answers to all contents;
            `prompt_tokens`; `cut_off`, answers among these that were ended by `max_new_tokens`; `kept`, contents that
            an earlier run had answered; `seconds` of this run.
        refusals: number of items by why there is no answer.
        provenance: model, revision, prompt and library versions (see `recsys.content.provenance`).
    """

    item_ids: list[str]
    answers: pd.DataFrame
    hidden: dict[str, Features]
    facts: dict[str, int | float]
    refusals: dict[str, int]
    provenance: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write `answers.parquet`, `provenance.json`, and `<pooling>.safetensors` for each pooling."""
        provenance.write(folder, self.provenance)
        self.answers.to_parquet(folder / "answers.parquet", index=False)
        for pooling, features in self.hidden.items():
            features.save(folder / f"{pooling}.safetensors", self.item_ids)


def extract(
    items: pd.DataFrame,
    options: VlmOptions,
    *,
    folder: Path | None = None,
    work: Path | None = None,
    progress: OnProgress | None = None,
) -> Extraction:
    """Ask a model about every item.

    Args:
        items: the item table of a dataset (see `recsys.data.raw`).
        options: the model, the prompt, what is shown and what is pooled.
        folder: what file names in the options are relative to.
        work: where finished batches are kept; None: nowhere, a killed extraction starts anew.
        progress: called with (done, total) different contents after every batch.

    Raises:
        UnusableError: what the model gives is of no use.
        UserError: the prompt, the model or an option cannot be used, or there is nothing to show of any item.
    """
    started = perf_counter()
    with ExitStack() as stack:
        place = work or Path(stack.enter_context(TemporaryDirectory()))
        asking, of_items, weights = prepare(items, options, folder, place)
        before = asking.answered
        describer = None
        if len(before) < len(asking.contents):
            describer = choose(options, weights, asking.prompt.fields)
        _ask(asking, describer, work is not None, progress)
        extraction = _assemble(items["item_id"].tolist(), of_items, asking)
    extraction.facts.update(kept=len(before), seconds=perf_counter() - started)
    if unreadable := extraction.facts["unreadable_images"]:
        log.warning("pictures that could not be read: %d", unreadable)
    return extraction


def prepare(
    items: pd.DataFrame, options: VlmOptions, folder: Path | None, work: Path
) -> tuple[Asking, list[tuple[str, VlmInput]], Path | None]:
    """What is to be asked, what each item shows, and the folder of the weights where the model is run here."""
    prompt = load_prompt(options.prompt, folder)
    of_items = shown(items, options)
    contents = {key: what for key, what in of_items if what != NOTHING}
    weights = None if options.endpoint else locate(options.model, options.revision, folder)
    digested = None if weights is None else digest(weights)
    batches = BatchStore(work / _fingerprint(options, prompt, digested))
    return Asking(contents, options, prompt, batches, digested), of_items, weights


def _ask(asking: Asking, describer: Describer | None, is_kept: bool, progress: OnProgress | None) -> None:
    """Ask what is missing."""
    n = len(asking.contents)
    if describer is None:
        asking.judge(asking.answered, enough=1)
        return
    size = (asking.options.endpoint or asking.options).batch_size
    try:
        for done in asking.ask(describer, size):
            if progress:
                progress(done, n)
    except UnfinishedError as error:
        n_kept = len(asking.answered) if is_kept else 0
        so_far = f"{n_kept} of {n} contents are answered and kept; the same command goes on"
        raise UserError(f"{error}: {so_far}") from None


def choose(options: VlmOptions, weights: Path | None, fields: Sequence[str] = ()) -> Describer:
    """What answers under these options: the weights in a folder, or else an endpoint."""
    if options.endpoint is not None:
        from recsys.content.vlm.endpoint import EndpointDescriber

        return EndpointDescriber(options.endpoint, options, fields)
    assert weights is not None
    if options.engine == "vllm":
        from recsys.content.vlm.vllm_describer import VllmDescriber

        return VllmDescriber(weights, options)
    from recsys.content.vlm.transformers_describer import TransformersDescriber

    return TransformersDescriber(weights, options)


def _fingerprint(options: VlmOptions, prompt: Prompt, weights: str | None) -> str:
    """What the answer to a content depends on, as one short hash."""
    matter = {key: value for key, value in options.identity.items() if key not in SEEN_IN_CONTENT | {"device"}}
    if weights is not None:
        from recsys.runtime import Runtime

        matter["precision"] = str(Runtime.choose(options.device, options.precision).dtype)
        # The same weights under another name or in another place say the same.
        matter |= {"weights": weights, "model": None, "revision": None}
    text = json.dumps([LAYOUT, matter, prompt.text, prompt.fields], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _assemble(item_ids: list[str], of_items: list[tuple[str, VlmInput]], asking: Asking) -> Extraction:
    """Spread what was said about contents over the items that have them."""
    batches, options, contents = asking.batches, asking.options, asking.answered
    if not contents:
        wanted = " or ".join(options.inputs)
        raise UserError(
            f"none of the {len(item_ids)} items has {wanted} to show the model; see the column or `inputs`"
        )
    why = dict(zip(contents, batches.column("refused", contents), strict=True))
    asked = [row for row, (key, _) in enumerate(of_items) if key in why]
    rows = [row for row in asked if not why[of_items[row][0]]]
    reasons = Counter(str(why[of_items[row][0]]) for row in asked if why[of_items[row][0]])
    if not rows:
        most = reasons.most_common(1)[0][0]
        raise UnusableError(f"model '{options.model}': refuses all {len(asked)} items ({most}); take another model")
    keys = [of_items[row][0] for row in rows]
    seen = dict(zip(contents, batches.column("pictured", contents).ravel().tolist(), strict=True))
    facts: dict[str, int | float] = {
        "items": len(item_ids),
        "answered": len(rows),
        "refused": len(asked) - len(rows),
        "contents": len(contents),
        "equal_items": len(asked) - len(contents),
        "unreadable_images": sum(len(what.images) - seen.get(key, 0) for key, what in of_items),
        "tokens": int(batches.column("n_tokens", contents).sum()),
        "prompt_tokens": int(batches.column("n_prompt", contents).sum()),
        "cut_off": int(batches.column("cut_off", contents).sum()),
    }
    if any(len(what.images) > 1 for _, what in of_items):
        facts["pictures"] = sum(len(what.images) for _, what in of_items)
    answers = pd.DataFrame({"item_id": [item_ids[row] for row in rows], "answer": batches.column("answer", keys)})
    adapted = sorted({line for lines in batches.column("adapted", contents) for line in str(lines).splitlines()})
    served_as = sorted(
        {name for names in batches.column("model", contents) for name in str(names).split(", ") if name}
    )
    made_by = provenance.of_model(options, asking.prompt, asking.weights, served_as, adapted)
    if asking.addresses:
        made_by["endpoint"] = ", ".join(asking.addresses)
    shown_keys = [of_items[row][0] for row in asked]
    hidden = {name: _features(batches.column(name, shown_keys), asked, len(item_ids)) for name in options.hidden}
    return Extraction(item_ids, answers.astype("object"), hidden, facts, dict(reasons), made_by)


def _features(vectors: np.ndarray, rows: list[int], n_items: int) -> Features:
    matrix = np.zeros((n_items, vectors.shape[1]), dtype=np.float32)
    present = np.zeros(n_items, dtype=bool)
    matrix[rows], present[rows] = vectors, ~np.isnan(vectors).any(axis=1)
    return Features.where(present, matrix)
