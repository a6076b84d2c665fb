"""Whether each model learns with its defaults: loss and validation epoch by epoch on the sets of published tables.

MODALIFT_DATA=... python benchmarks/curves.py                                   # all trained models with content
MODALIFT_DATA=... python benchmarks/curves.py --data tiktok VBPR MGCN           # one set, some models
MODALIFT_DATA=... python benchmarks/curves.py --minutes 5 --write docs/multimodal.md

A training ends by its own stopping rule, or when its time is over, but not before it had three epochs. Taobao and
Douyin are here without content, so that there each model is what remains of it without. One thread.
"""

import math
import os
import time
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
import typer
from _baby import console, features, published
from calibration.page import rows_of_section, with_section

from recsys.errors import UserError
from recsys.evaluation.evaluate import validator
from recsys.evaluation.protocol import Protocol
from recsys.models import registry
from recsys.recommender import TrainingData

SETS = {
    "baby": {"image": "image_feat.npy", "text": "text_feat.npy"},
    "tiktok": {"image": "image_feat.npy", "audio": "audio_feat.npy"},
    "taobao": {},
    "douyin": {},
}
"""Files of features by set and source."""
LEAST_EPOCHS = 3
FALLEN = 0.1
"""How far the last validation lies below the best, as a share of it, for a row to say so."""

Curve = list[dict[str, float]]


def curve_of(name: str, data: str, minutes: float) -> Curve:
    """A training with default hyper-parameters."""
    dataset, content = published(data), features(data, SETS[data])
    assert dataset is not None
    ends = time.process_time() + 60 * minutes

    def time_is_over(curve: Curve, _: int) -> bool:
        return time.process_time() > ends and len(curve) >= LEAST_EPOCHS

    model = registry.load(name)()
    model.fit(TrainingData(dataset.train, content, 0, validator(dataset, Protocol()), None, time_is_over))
    return model.curve


def said(curve: Curve) -> str:
    """A curve in a few words: the best validation, its epoch, and whether anything went wrong."""
    valid = {int(row["epoch"]): row["valid"] for row in curve if "valid" in row}
    best = max(valid, key=valid.__getitem__)
    words = f"{valid[best]:.4f} ({best} of {len(curve)})"
    if curve[-1]["loss"] > curve[0]["loss"]:
        words += ", loss rose"
    last = valid[max(valid)]
    if valid[best] <= 0 or last < (1 - FALLEN) * valid[best]:
        words += f", fell to {last:.4f}"
    return words if math.isfinite(last) else words + ", not finite"


def main(
    models: Annotated[list[str] | None, typer.Argument(help="By our names; all trained ones with content.")] = None,
    data: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SETS)}; all unless said.")] = None,
    minutes: Annotated[float, typer.Option(min=0, help="Processor time of a training.")] = 1.0,
    write: Annotated[Path | None, typer.Option(help="A page whose section of curves is written.")] = None,
) -> None:
    """Train model by model, and print what each curve says."""
    if not os.environ.get("MODALIFT_DATA"):
        raise typer.BadParameter("MODALIFT_DATA names no folder")
    torch.set_num_threads(1)
    files = {name: registry.find(name) for name in registry.load_all()}
    trained = [name for name, file in files.items() if file.takes_content and file.is_trained]
    for each in data or SETS:
        for name in models or trained:
            try:
                words = said(curve_of(name, each, minutes))
            except UserError as error:
                words = str(error)
            console.print(f"{each}, {name}: {words}", soft_wrap=True)
            if write:
                _write(write, name, each, words)


def _write(page: Path, model: str, data: str, words: str) -> None:
    """Put a cell into the page's table; the others stay."""
    text = page.read_text(encoding="utf-8")
    rows = rows_of_section(text, "curves")
    rows[model] = dict.fromkeys(("model", *SETS), "-") | rows.get(model, {}) | {"model": model, data: words}
    table = pd.DataFrame([rows[each] for each in sorted(rows)]).to_markdown(index=False, disable_numparse=True)
    page.write_text(with_section(text, "curves", table), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
