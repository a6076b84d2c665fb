"""What steers a generation so that an item's answer and hidden states do not depend on the batch it is in."""

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import LogitsProcessor, StoppingCriteria

from recsys.content.vlm.describer import Pooling


class EndIsFed(StoppingCriteria):
    """Ends an answer one token late: a token has a hidden state only once it was fed to the model.

    Without it the end of the longest answer of a batch would have no state, and that of the others would.
    """

    def __init__(self, start: int, ends: torch.Tensor) -> None:
        """Watch for these tokens from the position on where the answers begin."""
        self.start, self.ends = start, ends

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        """Which rows are done, bool, shape (n_items,)."""
        return torch.isin(input_ids[:, self.start : -1], self.ends).any(dim=1)


class Draws(LogitsProcessor):
    """Makes a drawn token the likeliest one (the Gumbel-max trick), each item by random numbers of its own."""

    def __init__(self, temperature: float, seeds: Sequence[int], device: torch.device) -> None:
        """One stream of random numbers for each seed."""
        self.temperature = temperature
        self.streams = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores whose largest is distributed as softmax(scores / temperature)."""
        waits = [torch.empty_like(scores[0]).exponential_(generator=stream) for stream in self.streams]
        return scores / self.temperature - torch.stack(waits).log()


def seed_of(seed: int, question: str, pictures: Sequence[Image.Image]) -> int:
    """The seed of what is drawn about one item: the same wherever and whenever it is asked about."""
    state = hashlib.blake2b(f"{seed}\0{question}\0".encode(), digest_size=7)
    for picture in pictures:
        state.update(picture.tobytes())
    return int.from_bytes(state.digest())


def lengths(answers: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Numbers of tokens before the first that ends an answer, or of all; shape (n_items,).

    Args:
        answers: tokens, shape (n_items, n_tokens); what stands behind an end does not count.
        ends: the tokens that end an answer.
    """
    ended = torch.isin(answers, ends)
    return torch.where(ended.any(dim=1), ended.int().argmax(dim=1), answers.shape[1])


def pool(
    pooling: Pooling, states: torch.Tensor, start: int, n_tokens: torch.Tensor, is_image: torch.Tensor
) -> torch.Tensor:
    """One vector an item (see `Pooling`), float32, shape (n_items, hidden_size); NaN where there is none.

    Args:
        pooling: which hidden states.
        states: those of the prompts, padded on the left, and the answers: (n_items, n_positions, hidden_size).
        start: the position of the answers' first token.
        n_tokens: lengths of the answers.
        is_image: bool, (n_items, start): which tokens of the prompts stand for the image.
    """
    prompts, answers = states[:, :start], states[:, start:]
    places = torch.arange(answers.shape[1], device=states.device)
    if pooling == "prompt_end":
        return prompts[:, -1].float()
    if pooling == "answer_end":
        last = n_tokens.clamp(max=answers.shape[1] - 1)
        return answers[torch.arange(len(answers), device=states.device), last].float()
    if pooling == "answer_mean":
        return _mean(answers, places < n_tokens[:, None])
    return _mean(prompts, is_image)


def _mean(states: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    # What is not counted may be NaN, as states of padding can be, so it is replaced, not multiplied by zero.
    kept = states.float().masked_fill(~counted[..., None], 0.0)
    return kept.sum(dim=1) / counted.sum(dim=1, keepdim=True)
