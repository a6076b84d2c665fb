"""The contract between an extraction and what runs a vision-language model, in this process or behind an address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

Pooling = Literal["prompt_end", "answer_end", "answer_mean", "image_mean"]
"""Which hidden states become an item's vector: that of the prompt's last token, that of the answer's last token
(the end-of-sequence token where the model gave one), the mean over the answer's tokens, or over the image's."""


@dataclass(frozen=True)
class Shown:
    """What a model is shown of one item, beside the prompt.

    Attributes:
        image: its picture's file; None where the item has none or the study leaves it out.
        text: its words; None likewise.
    """

    image: Path | None = None
    text: str | None = None


@dataclass(frozen=True)
class Said:
    """What a model gave for a batch.

    Attributes:
        answers: one an item, raw, without the prompt.
        hidden: by pooling, float32, shape (n_items, hidden_size); rows of NaN where an item has none (the mean over
            the image's tokens, of an item without an image). Empty where the model shows no hidden states.
    """

    answers: list[str]
    hidden: dict[Pooling, np.ndarray] = field(default_factory=dict)


class UnfinishedError(Exception):
    """A describer had to stop in the middle of a batch, through no fault of an item: asked again, it may go on.

    Attributes:
        answers: those it was given before, by the item's place in the batch.
    """

    def __init__(self, reason: str, answers: dict[int, str] | None = None) -> None:
        """Say why, in one line."""
        super().__init__(reason)
        self.answers = answers or {}


class Describer(Protocol):
    """Anything that answers a prompt about items."""

    def describe(self, prompt: str, batch: Sequence[Shown]) -> Said:
        """Answers about a batch of items, in their order; UnfinishedError where only a part could be had."""
