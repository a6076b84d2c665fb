"""How the describer learns: first to look, then to tell.

A language model of two layers does not learn shapes and patterns from the few words of an answer. So the picture's
part is taught first, by a small classifier for each visible field that is thrown away afterwards; what is left to
learn is which of the things seen to name where. Matrices are updated by Muon (Jordan et al., Muon: an optimizer for
hidden layers in neural networks, 2024), the rest by AdamW.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from recsys.content.vlm.market_describer.architecture import WIDTH, make_model, make_processor, question
from recsys.content.vlm.market_describer.pictures import VISIBLE, WORDS, Pictures, answer, market_pictures
from recsys.data.market.rendering import SIDE

MARKET_SEED = 1_000_000
"""Of the market whose pictures are learnt from."""
WARM_UP = 30
"""Steps over which the learning rates rise."""
REPORT_EVERY = 25
"""Steps between two lines of progress."""


@dataclass(frozen=True)
class Recipe:
    """What a training depends on; the defaults are those of the describer that comes with the program.

    Attributes:
        looking_steps: steps in which only the picture's part learns.
        telling_steps: steps in which all of it learns.
        n_pictures: pictures to learn from; batches are drawn from them with replacement.
        batch_size: pictures a step.
        muon_rate: learning rate of the matrices.
        adam_rate: learning rate of the rest.
        weight_decay: of both.
        rest_weight: weight of the answer's tokens that are no visible field's value, in the loss.
        seed: of the first weights and of the batches.
    """

    looking_steps: int = 400
    telling_steps: int = 400
    n_pictures: int = 30_000
    batch_size: int = 64
    muon_rate: float = 0.02
    adam_rate: float = 2e-3
    weight_decay: float = 0.01
    rest_weight: float = 0.1
    seed: int = 0


class Learner(nn.Module):
    """The model while it learns, with the classifiers that help it to look."""

    def __init__(
        self, model: Idefics3ForConditionalGeneration, processor: Idefics3Processor, rest_weight: float
    ) -> None:
        """A learner around the model, which it changes."""
        super().__init__()
        self.model, self.tokeniser, self.rest_weight = model, processor.tokenizer, rest_weight
        self.classifiers = nn.ModuleList(nn.Linear(WIDTH, len(WORDS[field])) for field in VISIBLE)
        blank = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
        self.question = processor(images=[[blank]], text=[question(processor)], return_tensors="pt")["input_ids"]
        values = [word for field in VISIBLE for word in WORDS[field]]
        self.values = torch.tensor(self.tokeniser.convert_tokens_to_ids(values))

    def looking_loss(self, pictures: Pictures) -> Tensor:
        """Loss of the classifiers, a scalar; it touches no part of the language model."""
        seen = self.model.model.get_image_features(_normalised(pictures.pixels)).pooler_output
        return self._classification(torch.stack(list(seen)), pictures)

    def telling_loss(self, pictures: Pictures) -> Tensor:
        """Loss of the answers, and of the classifiers still, a scalar."""
        n_pictures = len(pictures.pixels)
        right = [answer(values) + self.tokeniser.eos_token for values in pictures.values()]
        answers = self.tokeniser(right, return_tensors="pt")["input_ids"]
        given = self.model(
            input_ids=torch.cat([self.question.expand(n_pictures, -1), answers], dim=1),
            pixel_values=_normalised(pictures.pixels),
            logits_to_keep=answers.shape[1] + 1,
            use_cache=False,
        )
        each = functional.cross_entropy(given.logits[:, :-1].transpose(1, 2), answers, reduction="none")
        weights = torch.where(torch.isin(answers, self.values), 1.0, self.rest_weight)
        seen = given.image_hidden_states.view(n_pictures, -1, WIDTH)
        return (weights * each).sum() / (n_pictures * len(VISIBLE)) + self._classification(seen, pictures)

    def _classification(self, seen: Tensor, pictures: Pictures) -> Tensor:
        """Mean loss of the classifiers, from the image's tokens: (n_pictures, N_IMAGE_TOKENS, WIDTH)."""
        means, codes = seen.mean(dim=1), torch.from_numpy(pictures.codes)
        losses = [functional.cross_entropy(each(means), codes[:, k]) for k, each in enumerate(self.classifiers)]
        return torch.stack(losses).mean()


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
    learner = Learner(make_model(processor), processor, recipe.rest_weight)
    n_steps = recipe.looking_steps + recipe.telling_steps
    optimisers = _optimisers(learner, recipe)
    paces = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: _pace(step, n_steps)) for each in optimisers]
    losses, start = [], time.perf_counter()
    for step in range(n_steps):
        rows = rng.integers(recipe.n_pictures, size=recipe.batch_size)
        batch = Pictures(pictures.pixels[rows], pictures.codes[rows])
        looking = step < recipe.looking_steps
        loss = learner.looking_loss(batch) if looking else learner.telling_loss(batch)
        loss.backward()
        for optimiser, pace in zip(optimisers, paces, strict=True):
            optimiser.step()
            pace.step()
            optimiser.zero_grad()
        losses.append(loss.item())
        if step % REPORT_EVERY == 0 or step == n_steps - 1:
            phase, seconds = "looking" if looking else "telling", time.perf_counter() - start
            say(f"step {step + 1:4} of {n_steps}   {phase}   loss {losses[-1]:.4f}   {seconds:4.0f} s")
    return processor, learner.model.eval(), losses


def _optimisers(learner: Learner, recipe: Recipe) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon for the matrices between layers; AdamW for embeddings, output layers, and what is no matrix."""
    outer = ("embed", "lm_head", "classifiers")
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, weights in learner.named_parameters():
        inner = weights.ndim == 2 and not any(part in name for part in outer)
        (matrices if inner else rest).append(weights)
    return (
        torch.optim.Muon(matrices, lr=recipe.muon_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(rest, lr=recipe.adam_rate, weight_decay=recipe.weight_decay),
    )


def _pace(step: int, n_steps: int) -> float:
    """The share of the learning rates at a step: they rise, stay, and fall to nothing over the second half."""
    return min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / n_steps))


def _normalised(pixels: np.ndarray) -> Tensor:
    """What the processor makes of pictures that have its size: float32, (n_pictures, 1, 3, SIDE, SIDE), -1 to 1."""
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1)[:, None]
