"""Vision-language models in this process: an answer, and the hidden states behind it, in one pass.

A batch is padded on the left, and what an item is answered does not depend on the batch it is in. Hidden states are
numbered as transformers numbers them: 0 is what enters the first layer, -1 what leaves the last, normed where the
model norms it.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from inspect import signature
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from PIL import Image

from recsys.content.images import open_rgb
from recsys.content.vlm.describer import VlmInput, VlmOutput
from recsys.content.vlm.families import BLIP2, Loaded, load
from recsys.content.vlm.generation import Draws, EndIsFed, lengths, pool, seed_of
from recsys.content.vlm.options import Layer, VlmOptions
from recsys.errors import UserError
from recsys.runtime import Runtime, threads

log = logging.getLogger(__name__)

REFUSALS = (ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What processors raise at inputs that they do not take; each family has its own."""
LONGEST = 200
"""Characters of what a processor says that are passed on."""
SMALL = 20_000_000
"""Parameters below which one thread answers sooner than two that share a busy machine."""


class TransformersDescriber:
    """A model that transformers runs; it is loaded when the first question is put."""

    def __init__(self, weights: Path, options: VlmOptions) -> None:
        """A describer of the weights in a local folder."""
        self.weights, self.options, self.parallel = weights, options, 1
        self.adapted: list[str] = []
        self.runtime = Runtime.choose(options.device, options.precision)

    def describe(self, prompt: str, batch: Sequence[VlmInput]) -> VlmOutput:
        """Answers about a batch of items; those with as many images are asked together.

        Raises:
            UserError: a picture cannot be opened, the model takes no several at once, or the batch does not fit on
                the device.
        """
        pictures = [[_picture(image, self.options.max_side) for image in shown.images] for shown in batch]
        n, width, loaded = len(batch), self._width, self.loaded
        hidden = {name: np.full((n, width), np.nan, dtype=np.float32) for name in self.options.hidden}
        whole = VlmOutput([""] * n, hidden, [0] * n, [0] * n, [False] * n, [""] * n, [0.0] * n)
        for n_images in sorted({len(of_item) for of_item in pictures}, reverse=True):
            rows = [row for row, of_item in enumerate(pictures) if len(of_item) == n_images]
            started = perf_counter()
            questions = [loaded.question(prompt, batch[row].text, n_images=n_images) for row in rows]
            inputs = self._inputs(questions, [pictures[row] for row in rows])
            if inputs is None:
                for row in rows:
                    whole.refused[row] = f"'{loaded.kind}' cannot be asked without a picture"
                continue
            said = self._ask(inputs, questions, [pictures[row] for row in rows])
            for place, row in enumerate(rows):
                whole.answers[row], whole.n_tokens[row] = said.answers[place], said.n_tokens[place]
                whole.n_prompt[row], whole.cut_off[row] = said.n_prompt[place], said.cut_off[place]
                whole.seconds[row] = (perf_counter() - started) / len(rows)
            for name, vectors in said.hidden.items():
                hidden[name][rows] = vectors
        return whole

    @cached_property
    def loaded(self) -> Loaded:
        """The model, on its device."""
        loaded = load(self.options.model, self.weights, self.runtime.device, self.runtime.dtype)
        n_layers = loaded.network.config.get_text_config(decoder=True).num_hidden_layers
        layers = [self._layer(layer, n_layers) for layer in self._layers]
        if "image_mean" in self.options.poolings and not loaded.image_tokens:
            raise UserError(f"model '{self.options.model}': does not mark its image's tokens; leave out image_mean")

        def keep_layers(module: Any, given: Any, output: Any) -> Any:
            # generate() collects what a forward pass gives: all layers of a batch would be some gigabytes.
            if output.hidden_states is not None:
                output.hidden_states = tuple(output.hidden_states[layer] for layer in layers)
            return output

        loaded.speaker.register_forward_hook(keep_layers)
        return loaded

    @property
    def _layers(self) -> tuple[Layer, ...]:
        return self.options.layers or (self.options.layer,)

    @property
    def _width(self) -> int:
        return self.loaded.network.config.get_text_config(decoder=True).hidden_size

    def _layer(self, wanted: Layer, n_layers: int) -> int:
        index = round(wanted * n_layers) if isinstance(wanted, float) else wanted
        if not -n_layers - 1 <= index <= n_layers:
            raise UserError(f"`layer` is {wanted}; '{self.options.model}' has layers {-n_layers - 1} to {n_layers}")
        return index

    def _ask(self, inputs: Any, questions: list[str], pictures: list[list[Image.Image]]) -> VlmOutput:
        """Answers to questions that all show as many pictures, or none."""
        start = inputs["input_ids"].shape[1]
        n_prompt = inputs["attention_mask"].sum(dim=1).tolist()
        try:
            with self._threads():
                if not self.options.max_new_tokens:
                    return self._look(inputs, n_prompt)
                given = self._generate(inputs, questions, pictures)
        except torch.cuda.OutOfMemoryError:
            raise UserError("a batch is too large for the device; lower `batch_size` or `max_side`") from None
        tokens = given.sequences[:, start:-1]
        n_tokens = lengths(tokens, self._ends)
        words = [row[:length] for row, length in zip(tokens, n_tokens, strict=True)]
        decoded = self.loaded.processor.batch_decode(words, skip_special_tokens=True)
        answers, cut_off = [answer.strip() for answer in decoded], n_tokens >= self.options.max_new_tokens
        said = VlmOutput(answers, n_tokens=n_tokens.tolist(), n_prompt=n_prompt, cut_off=cut_off.tolist())
        if not self.options.poolings:
            return said
        states = [torch.cat(steps, dim=1) for steps in zip(*given.hidden_states, strict=True)]
        if states[0].shape[1] != given.sequences.shape[1] - 1:
            raise UserError(
                f"model '{self.options.model}': gives no hidden state for each token; set `poolings` to []"
            )
        return replace(said, hidden=self._pooled(states, inputs, start, n_tokens))

    def _generate(self, inputs: Any, questions: list[str], pictures: list[list[Image.Image]]) -> Any:
        return self.loaded.network.generate(
            **inputs,
            max_new_tokens=self.options.max_new_tokens + 1,  # the last is drawn, not fed: it is not in the answer
            logits_processor=self._draws(questions, pictures),
            stopping_criteria=[EndIsFed(inputs["input_ids"].shape[1], self._ends)],
            output_hidden_states=bool(self.options.poolings),
            return_dict_in_generate=True,
        )

    @torch.no_grad()
    def _look(self, inputs: Any, n_prompt: list[int]) -> VlmOutput:
        """Hidden states of the prompt alone, by one pass."""
        network, n = self.loaded.network, len(n_prompt)
        # The scores of all words after each token of a long prompt would be some gigabytes, for nothing.
        short = {"logits_to_keep": 1} if "logits_to_keep" in signature(network.forward).parameters else {}
        output = network(**inputs, **short, output_hidden_states=True)
        # Those of BLIP-2 stand one level deeper.
        states = getattr(output, "language_model_outputs", output).hidden_states
        none = torch.zeros(n, dtype=torch.long, device=self.runtime.device)
        hidden = self._pooled(list(states), inputs, inputs["input_ids"].shape[1], none)
        return VlmOutput([""] * n, hidden, [0] * n, n_prompt, [False] * n)

    def _pooled(
        self, states: list[torch.Tensor], inputs: Any, start: int, n_tokens: torch.Tensor
    ) -> dict[str, np.ndarray]:
        images = torch.tensor(self.loaded.image_tokens, device=self.runtime.device)
        is_image = torch.isin(inputs["input_ids"], images)
        by_layer = dict(zip(self._layers, states, strict=True))
        return {
            name: pool(pooling, by_layer[layer], start, n_tokens, is_image).cpu().numpy()
            for name, (pooling, layer) in self.options.hidden.items()
        }

    @property
    def _ends(self) -> torch.Tensor:
        return torch.tensor(self.loaded.ends, device=self.runtime.device)

    def _threads(self) -> AbstractContextManager[None]:
        """One thread for a small model on the CPU, where threads wait for each other longer than they compute."""
        small = sum(each.numel() for each in self.loaded.network.parameters()) < SMALL
        return threads(1) if small and self.runtime.device.type == "cpu" else nullcontext()

    def _draws(self, questions: list[str], pictures: list[list[Image.Image]]) -> list[Draws]:
        if not self.options.temperature:
            return []
        seeds = [seed_of(self.options.seed, *shown) for shown in zip(questions, pictures, strict=True)]
        return [Draws(self.options.temperature, seeds, self.runtime.device)]

    def _inputs(self, questions: list[str], pictures: list[list[Image.Image]]) -> Any:
        """What the model reads of items with as many pictures; None where it reads nothing without one."""
        processor = self.loaded.processor
        bos = processor.tokenizer.bos_token
        words: dict[str, Any] = {
            "text": questions,
            "padding": True,
            "add_special_tokens": not (bos and questions[0].startswith(bos)),
            "return_tensors": "pt",
        }
        if not pictures[0]:
            if self.loaded.kind == BLIP2:
                return None
            try:
                inputs = processor(images=None, **words)
            except REFUSALS as error:
                log.warning("%s without a picture: %s: %s", self.loaded.kind, type(error).__name__, error)
                return None
        elif len(pictures[0]) == 1:
            inputs = processor(images=pictures, **words)
        else:
            inputs = self._of_several(pictures, words)
        inputs.pop("labels", None)  # PaliGemma's, for training
        return inputs.to(self.runtime.device, self.runtime.dtype)

    def _of_several(self, pictures: list[list[Image.Image]], words: dict[str, Any]) -> Any:
        """UserError where the family takes one picture only."""
        kind, reason = self.loaded.kind, "it takes one"
        if kind != BLIP2:
            try:
                return self.loaded.processor(images=pictures, **words)
            except REFUSALS as error:
                reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        raise UserError(
            f"model '{self.options.model}': '{kind}' cannot be shown {len(pictures[0])} pictures of an item at once "
            f"({reason}); set `pictures: 1`, or take another model"
        )


def _picture(path: Path, max_side: int | None) -> Image.Image:
    picture = open_rgb(path)
    if picture is None:
        raise UserError(f"{path}: cannot be read as an image; fix or remove it")
    if max_side is not None:
        picture.thumbnail((max_side, max_side))
    return picture
