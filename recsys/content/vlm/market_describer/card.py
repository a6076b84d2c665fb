"""The model card, written from what was done and measured."""

import platform

import torch

from recsys.content.vlm.market_describer.measuring import MARKET_SEED as HELD_OUT_SEED
from recsys.content.vlm.market_describer.measuring import Measurement
from recsys.content.vlm.market_describer.pictures import WORDS
from recsys.content.vlm.market_describer.training import MARKET_SEED, Recipe

CARD = """\
# market_describer

A vision-language model of {n_parameters:,} parameters that describes the pictures of the synthetic market, and nothing
else. With it the whole way from pictures over descriptions and hidden states to a verdict can be gone without a
download, on a CPU, in seconds. Asked with the prompt `market_fields`, it answers:

    [Colour] {{red}}, [Shape] {{star}}, [Pattern] {{dots}}, [Background] {{teal}}, [Material] {{wood}}

## Architecture

Idefics3 as in transformers: a vision transformer (4 layers of width 128; pictures of 64 x 64 pixels in patches of
8 x 8), a connector that makes one token of 2 x 2 patches (16 tokens a picture), and a Llama (2 layers of width 128).
Words are whole tokens: a vocabulary of {n_tokens} from the prompt and its answers; any other word is unknown to it.
The weights take {megabytes:.1f} MB in half precision.

```python
from transformers import AutoModelForImageTextToText, AutoProcessor

processor = AutoProcessor.from_pretrained(folder)
model = AutoModelForImageTextToText.from_pretrained(folder)
```

## Accuracy

On {n_pictures:,} pictures of the market of seed {held_out:,}, none of which it learnt from, decoded greedily:

{table}

{exact:.1%} of the answers keep to the exact format. All of them took {answer_seconds:.0f} s of one CPU thread.

## Training

The pictures of the market of seed {seed:,} with {n_learnt:,} items, rendered on the spot, and the right answers about
them; no other data, and no weights from elsewhere. {n_steps} steps of {batch} pictures; Muon updates the matrices,
AdamW the rest. It took {minutes:.1f} minutes of one CPU thread ({machine}). This makes it anew, and writes this card:

    python -m recsys.content.vlm.market_describer --out FOLDER --seed {training_seed}

## What it cannot do

- **It does not see materials.** Nothing in a picture tells the material, and in training it was drawn independently
  of the picture. The model names one all the same ('{guess}' in {guess_share:.0%} of its answers), as fluently as it
  names the colour: a field that is filled in is not yet a field that is known.
- It knows the market's values and no others. About a photograph of a real product it says the same words, which then
  mean nothing.
- It was taught one prompt about one picture in one turn. To another prompt, to more words about the item, or without
  a picture its answers mean nothing.
- How well it does says nothing about how well large models describe real products.

## Licence

Apache-2.0, for the weights as for the code of modalift: they were trained on data that the program makes.
"""


def write_card(
    recipe: Recipe, measured: Measurement, *, n_parameters: int, n_tokens: int, n_bytes: int, training_seconds: float
) -> str:
    """The card of a describer, Markdown.

    Args:
        recipe: what its training depended on.
        measured: how well it describes.
        n_parameters: number of its weights.
        n_tokens: size of its vocabulary.
        n_bytes: size of the file of weights.
        training_seconds: CPU time of the training, rendering included.
    """
    return CARD.format(
        n_parameters=n_parameters,
        n_tokens=n_tokens,
        megabytes=n_bytes / 1e6,
        n_pictures=measured.n_pictures,
        held_out=HELD_OUT_SEED,
        table=table(measured),
        exact=measured.exact,
        answer_seconds=measured.seconds,
        seed=MARKET_SEED,
        n_learnt=recipe.n_pictures,
        n_steps=recipe.n_steps,
        batch=recipe.batch_size,
        machine=f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        minutes=training_seconds / 60,
        training_seed=recipe.seed,
        guess=measured.material_guess[0],
        guess_share=measured.material_guess[1],
    )


def table(measured: Measurement) -> str:
    """Accuracy by field beside that of a blind guess, a Markdown table."""
    rows = [f"| {field} | {share:.1%} | {1 / len(WORDS[field]):.1%} |" for field, share in measured.accuracy.items()]
    return "\n".join(["| field | accuracy | chance |", "| --- | --- | --- |", *rows])
