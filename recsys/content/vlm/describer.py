"""The contract between an extraction and what runs a vision-language model, in this process or behind an address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

Pooling = Literal["prompt_end", "answer_end", "answer_mean", "image_mean"]
"""Which hidden states become an item's vector: that of the prompt's last token, from which the answer's first is
told; that of the answer's last token, which is the end-of-sequence token unless the answer was cut off; the mean over
the answer's tokens without that end; or the mean over the image's tokens."""


@dataclass(frozen=True)
class VlmInput:
    """What a model is shown of one item, beside the prompt.

    Attributes:
        images: its pictures' files, in their order; none where the item has none or the study leaves them out.
        text: its words; None likewise.
    """

    images: tuple[Path, ...] = ()
    text: str | None = None


@dataclass(frozen=True)
class VlmOutput:
    """What a model gave for a batch.

    Attributes:
        answers: one an item, raw, without the prompt.
        hidden: by pooling (and layer, where there are several; see `VlmOptions.layers`), float32, shape
            (n_items, hidden_size); rows of NaN where an item has none (the mean over the image's
            tokens, of an item without an image; that over an answer without words). Empty where the model shows none.
        n_tokens: of each answer, its end not counted, or as a server counts; empty where that is not known.
        n_prompt: tokens of each question, likewise.
        cut_off: whether each answer is as long as it may be and was ended by that.
        refused: why an item was not answered, in words that are the same for like items; empty where it was.
        seconds: what each answer took.
        models: what a server says has answered; empty for weights that are run here.
    """

    answers: list[str]
    hidden: dict[str, np.ndarray] = field(default_factory=dict)
    n_tokens: list[int] = field(default_factory=list)
    n_prompt: list[int] = field(default_factory=list)
    cut_off: list[bool] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


class UnfinishedError(Exception):
    """A describer had to stop in the middle of a batch, through no fault of an item: asked again, it may go on.

    Attributes:
        rows: the places in the batch of the items that were answered before.
        said: about these, in this order.
    """

    def __init__(self, reason: str, rows: Sequence[int] = (), said: VlmOutput | None = None) -> None:
        """Say why, in one line."""
        super().__init__(reason)
        self.rows, self.said = rows, said or VlmOutput([])


class Describer(Protocol):
    """Anything that answers a prompt about items.

    Attributes:
        adapted: what had to be asked otherwise than the options say, a sentence each.
        parallel: items that are asked about at a time, each of them taking as long as it says.
    """

    adapted: list[str]
    parallel: int

    def describe(self, prompt: str, batch: Sequence[VlmInput]) -> VlmOutput:
        """Answers about a batch of items, in their order; UnfinishedError where only a part could be had."""
