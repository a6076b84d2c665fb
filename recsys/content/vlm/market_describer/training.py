"""How the describer learns: from pictures and the right answers about them, all of it at once.

Matrices are updated by Muon (Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024), the rest
by AdamW.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor, PreTrainedTokenizerBase

from recsys.content.vlm.market_describer.architecture import make_model, make_processor, question
from recsys.content.vlm.market_describer.pictures import Pictures, answer, market_pictures
from recsys.data.market.rendering import SIDE

MARKET_SEED = 1_000_000
"""Seed of the market whose pictures are learnt from."""
WARM_UP = 30
"""Steps over which the learning rates rise."""
REPORT_EVERY = 25
"""Steps between two lines of progress."""
UNSCORED = -100
"""The label of tokens that transformers leaves out of the loss."""


@dataclass(frozen=True)
class Recipe:
    """What a training depends on; the defaults are those of the describer that comes with the program.

    Attributes:
        n_steps: number of updates.
        n_pictures: pictures to learn from; batches are drawn from them with replacement.
        batch_size: pictures a step.
        muon_rate: learning rate of the matrices.
        adam_rate: learning rate of the rest.
        weight_decay: of both.
        seed: of the first weights and of the batches.
    """

    n_steps: int = 600
    n_pictures: int = 30_000
    batch_size: int = 64
    muon_rate: float = 0.02
    adam_rate: float = 2e-3
    weight_decay: float = 0.01
    seed: int = 0


def train(
    recipe: Recipe, say: Callable[[str], None]
) -> tuple[Idefics3Processor, Idefics3ForConditionalGeneration, list[float]]:
    """Make a processor and a model, and teach it.

    Equal recipes give equal weights on one thread of one kind of CPU.

    Args:
        recipe: what to do.
        say: called with a line of progress now and then.

    Returns:
        The processor, the model in evaluation mode, and the loss of each step.
    """
    pictures = market_pictures(MARKET_SEED, recipe.n_pictures)
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    processor = make_processor()
    model = make_model(processor).train()
    asked = _asked(processor)
    optimisers = _optimisers(model, recipe)
    paces = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: _pace(step, recipe)) for each in optimisers]
    losses, start = [], time.perf_counter()
    for step in range(recipe.n_steps):
        rows = rng.integers(recipe.n_pictures, size=recipe.batch_size)
        batch = Pictures(pictures.pixels[rows], pictures.codes[rows])
        loss = model(**_lesson(batch, asked, processor.tokenizer), use_cache=False).loss
        loss.backward()
        for optimiser, pace in zip(optimisers, paces, strict=True):
            optimiser.step()
            pace.step()
            optimiser.zero_grad()
        losses.append(loss.item())
        if step % REPORT_EVERY == 0 or step == recipe.n_steps - 1:
            seconds = time.perf_counter() - start
            say(f"step {step + 1:4} of {recipe.n_steps}   loss {losses[-1]:.4f}   {seconds:4.0f} s")
    return processor, model.eval(), losses


def normalised(pixels: np.ndarray) -> Tensor:
    """What the processor makes of pictures that have its size: float32, (n_pictures, 1, 3, SIDE, SIDE), -1 to 1."""
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1)[:, None]


def _asked(processor: Idefics3Processor) -> Tensor:
    """The tokens of the question, which are the same for every picture: (1, n_tokens)."""
    blank = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    return processor(images=[[blank]], text=[question(processor)], return_tensors="pt")["input_ids"]


def _lesson(pictures: Pictures, asked: Tensor, tokeniser: PreTrainedTokenizerBase) -> dict[str, Tensor]:
    """The model's input about the pictures, with the right answers as its labels."""
    right = [answer(values) + tokeniser.eos_token for values in pictures.values()]
    answers = tokeniser(right, return_tensors="pt")["input_ids"]
    asked = asked.expand(len(answers), -1)
    return {
        "pixel_values": normalised(pictures.pixels),
        "input_ids": torch.cat([asked, answers], dim=1),
        "labels": torch.cat([torch.full_like(asked, UNSCORED), answers], dim=1),
    }


def _optimisers(
    model: Idefics3ForConditionalGeneration, recipe: Recipe
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon for the matrices between layers; AdamW for embeddings, the output layer, and what is no matrix."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, weights in model.named_parameters():
        inner = weights.ndim == 2 and "embed" not in name and "lm_head" not in name
        (matrices if inner else rest).append(weights)
    return (
        torch.optim.Muon(matrices, lr=recipe.muon_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(rest, lr=recipe.adam_rate, weight_decay=recipe.weight_decay),
    )


def _pace(step: int, recipe: Recipe) -> float:
    """The share of the learning rates at a step: they rise, stay, and fall to nothing over the second half."""
    return min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / recipe.n_steps))
