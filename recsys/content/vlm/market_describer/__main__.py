"""Makes the describer anew, or measures one."""

import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from recsys.content.vlm.market_describer.card import table, write_card
from recsys.content.vlm.market_describer.measuring import measure
from recsys.content.vlm.market_describer.training import Recipe, train

app = typer.Typer(add_completion=False)


@app.command()
def main(
    out: Annotated[Path | None, typer.Option(help="Train a describer into this new folder.")] = None,
    measured: Annotated[Path | None, typer.Option("--measure", help="Measure the describer in this folder.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights and the batches.")] = Recipe.seed,
) -> None:
    """Train a tiny vision-language model to describe the synthetic market's pictures, or measure one."""
    torch.set_num_threads(1)  # more threads add up in another order, and so give other weights
    if out is not None and measured is None:
        if out.exists():
            raise typer.BadParameter(f"{out} is there already; give a new folder, and move it when it is good")
        make(out, Recipe(seed=seed))
    elif measured is not None and out is None:
        typer.echo(table(measure(measured)))
    else:
        raise typer.BadParameter("give either --out FOLDER or --measure FOLDER")


def make(out: Path, recipe: Recipe) -> None:
    """Train a describer, measure it as it lies on disk, and write its card; `out` appears when all is done."""
    start = time.process_time()  # other programs on the machine do not count
    processor, model, _ = train(recipe, say=typer.echo)
    training_seconds = time.process_time() - start
    partial = out.with_name(out.name + ".partial")
    processor.save_pretrained(partial)
    # Weights in half precision under a configuration that says float32: a CPU computes with nothing less.
    model.save_pretrained(partial, state_dict={name: weights.half() for name, weights in model.state_dict().items()})
    measured = measure(partial)
    card = write_card(
        recipe,
        measured,
        n_parameters=model.num_parameters(),
        n_tokens=len(processor.tokenizer),
        n_bytes=(partial / "model.safetensors").stat().st_size,
        training_seconds=training_seconds,
    )
    (partial / "README.md").write_text(card, encoding="utf-8")
    partial.rename(out)
    typer.echo(f"{table(measured)}\n{out}")


if __name__ == "__main__":
    app()
