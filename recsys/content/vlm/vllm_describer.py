"""Vision-language models in this process by vLLM's offline engine, which needs a GPU and vLLM."""

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from recsys.content.vlm.chat import turn
from recsys.content.vlm.describer import VlmInput, VlmOutput
from recsys.content.vlm.options import VlmOptions
from recsys.errors import UserError

MAX_SIDE = 768
"""Longer side of the pictures that are shown, in pixels, unless the study says otherwise; the same as for a server."""


class VllmDescriber:
    """A model that vLLM runs; it is loaded when the first question is put. It shows no hidden states."""

    def __init__(self, weights: Path, options: VlmOptions) -> None:
        """A describer of the weights in a local folder."""
        self.weights, self.options, self.parallel = weights, options, 1
        self.adapted: list[str] = []

    def describe(self, prompt: str, batch: Sequence[VlmInput]) -> VlmOutput:
        """Answers about a batch of items, in their order.

        Raises:
            UserError: vLLM is not installed, or a picture cannot be opened.
        """
        engine, started = self._engine, perf_counter()
        turns = [turn(prompt, shown, self.options.max_side or MAX_SIDE) for shown in batch]
        given = engine.chat(turns, self._sampling, use_tqdm=False)
        firsts = [each.outputs[0] for each in given]
        return VlmOutput(
            [first.text.strip() for first in firsts],
            n_tokens=[len(first.token_ids) for first in firsts],
            n_prompt=[len(each.prompt_token_ids) for each in given],
            cut_off=[first.finish_reason == "length" for first in firsts],
            seconds=[(perf_counter() - started) / len(batch)] * len(batch),
        )

    @cached_property
    def _vllm(self) -> Any:
        return library()

    @cached_property
    def _engine(self) -> Any:
        return self._vllm.LLM(
            model=str(self.weights), dtype=self.options.precision, seed=self.options.seed, trust_remote_code=False
        )

    @property
    def _sampling(self) -> Any:
        return self._vllm.SamplingParams(
            max_tokens=self.options.max_new_tokens,
            temperature=self.options.temperature,
            seed=self.options.seed,
        )


def library() -> Any:
    """The module `vllm`; UserError where it is not installed."""
    try:
        return import_module("vllm")
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"`engine: vllm`: vLLM cannot be imported ({reason}); `pip install 'modalift[vllm]'`, or leave `engine` "
            "out"
        ) from None
