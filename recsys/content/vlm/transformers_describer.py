"""Vision-language models in this process: an answer, and the hidden states behind it, in one pass.

A batch is padded on the left, and what an item is answered does not depend on the batch it is in. Hidden states are
numbered as transformers numbers them: 0 is what enters the first layer, -1 what leaves the last, normed where the
model norms it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from recsys.content.images import open_rgb
from recsys.content.vlm.describer import Pooling, VlmInput, VlmOutput
from recsys.content.vlm.families import Loaded, load
from recsys.content.vlm.generation import Draws, EndIsFed, lengths, pool, seed_of
from recsys.content.vlm.options import VlmOptions
from recsys.errors import UserError
from recsys.runtime import Runtime, threads

SMALL = 20_000_000
"""Parameters below which one thread answers sooner than two that share a busy machine."""


class TransformersDescriber:
    """A model that transformers runs; it is loaded when the first question is put."""

    def __init__(self, weights: Path, options: VlmOptions) -> None:
        """A describer of the weights in a local folder."""
        self.weights, self.options = weights, options
        self.runtime = Runtime.choose(options.device, options.precision)

    def describe(self, prompt: str, batch: Sequence[VlmInput]) -> VlmOutput:
        """Answers about a batch of items; those without an image are asked apart from those with one.

        Raises:
            UserError: a picture cannot be opened, or the batch does not fit on the device.
        """
        pictures = [_picture(shown.image, self.options.max_side) for shown in batch]
        answers, n_tokens = [""] * len(batch), [0] * len(batch)
        hidden: dict[Pooling, np.ndarray] = {}
        for image in (True, False):
            rows = [row for row, picture in enumerate(pictures) if (picture is not None) == image]
            if not rows:
                continue
            questions = [self.loaded.question(prompt, batch[row].text, image=image) for row in rows]
            said = self._ask(questions, [pictures[row] for row in rows])
            for row, answer, length in zip(rows, said.answers, said.n_tokens, strict=True):
                answers[row], n_tokens[row] = answer, length
            for pooling, vectors in said.hidden.items():
                shape = len(batch), vectors.shape[1]
                hidden.setdefault(pooling, np.full(shape, np.nan, dtype=np.float32))[rows] = vectors
        return VlmOutput(answers, hidden, n_tokens)

    @cached_property
    def loaded(self) -> Loaded:
        """The model, on its device."""
        loaded = load(self.options.model, self.weights, self.runtime.device, self.runtime.dtype)
        layer = self._layer(loaded.network.config.get_text_config(decoder=True).num_hidden_layers)
        if "image_mean" in self.options.poolings and loaded.image_token is None:
            raise UserError(f"model '{self.options.model}': does not mark its image's tokens; leave out image_mean")

        def keep_layer(module: Any, given: Any, output: Any) -> Any:
            # generate() collects what a forward pass gives: all layers of a batch would be some gigabytes.
            if output.hidden_states is not None:
                output.hidden_states = (output.hidden_states[layer],)
            return output

        loaded.network.register_forward_hook(keep_layer)
        return loaded

    def _layer(self, n_layers: int) -> int:
        wanted = self.options.layer
        index = round(wanted * n_layers) if isinstance(wanted, float) else wanted
        if not -n_layers - 1 <= index <= n_layers:
            raise UserError(f"`layer` is {wanted}; '{self.options.model}' has layers {-n_layers - 1} to {n_layers}")
        return index

    def _ask(self, questions: list[str], pictures: list[Image.Image | None]) -> VlmOutput:
        """Answers to questions that all show a picture, or all show none."""
        processor, options = self.loaded.processor, self.options
        inputs = self._inputs(questions, pictures)
        start = inputs["input_ids"].shape[1]
        ends = torch.tensor(self.loaded.ends, device=self.runtime.device)
        try:
            with self._threads():
                given = self.loaded.network.generate(
                    **inputs,
                    max_new_tokens=options.max_new_tokens + 1,  # the last is drawn, not fed: it is not in the answer
                    logits_processor=self._draws(questions, pictures),
                    stopping_criteria=[EndIsFed(start, ends)],
                    output_hidden_states=bool(options.poolings),
                    return_dict_in_generate=True,
                )
        except torch.cuda.OutOfMemoryError:
            raise UserError("a batch is too large for the device; lower `batch_size` or `max_side`") from None
        tokens = given.sequences[:, start:-1]
        n_tokens = lengths(tokens, ends)
        words = [row[:length] for row, length in zip(tokens, n_tokens, strict=True)]
        answers = [answer.strip() for answer in processor.batch_decode(words, skip_special_tokens=True)]
        if not options.poolings:
            return VlmOutput(answers, n_tokens=n_tokens.tolist())
        states = torch.cat([layer for (layer,) in given.hidden_states], dim=1)
        if states.shape[1] != given.sequences.shape[1] - 1:
            raise UserError(f"model '{options.model}': gives no hidden state for each token; set `poolings` to []")
        is_image = inputs["input_ids"] == (-1 if self.loaded.image_token is None else self.loaded.image_token)
        vectors = {pooling: pool(pooling, states, start, n_tokens, is_image) for pooling in options.poolings}
        return VlmOutput(answers, {name: rows.cpu().numpy() for name, rows in vectors.items()}, n_tokens.tolist())

    def _threads(self) -> AbstractContextManager[None]:
        """One thread for a small model on the CPU, where threads wait for each other longer than they compute."""
        small = sum(each.numel() for each in self.loaded.network.parameters()) < SMALL
        return threads(1) if small and self.runtime.device.type == "cpu" else nullcontext()

    def _draws(self, questions: list[str], pictures: list[Image.Image | None]) -> list[Draws]:
        if not self.options.temperature:
            return []
        seeds = [seed_of(self.options.seed, *shown) for shown in zip(questions, pictures, strict=True)]
        return [Draws(self.options.temperature, seeds, self.runtime.device)]

    def _inputs(self, questions: list[str], pictures: list[Image.Image | None]) -> Any:
        processor = self.loaded.processor
        bos = processor.tokenizer.bos_token
        return processor(
            text=questions,
            images=None if pictures[0] is None else [[picture] for picture in pictures],
            padding=True,
            add_special_tokens=not (bos and questions[0].startswith(bos)),
            return_tensors="pt",
        ).to(self.runtime.device, self.runtime.dtype)


def _picture(path: Path | None, max_side: int | None) -> Image.Image | None:
    if path is None:
        return None
    picture = open_rgb(path)
    if picture is None:
        raise UserError(f"{path}: cannot be read as an image; fix or remove it")
    if max_side is not None:
        picture.thumbnail((max_side, max_side))
    return picture
