"""Our multimodal models beside MMRec's in one run: the same data, features, batches, rates and stopping rule.

MODALIFT_DATA=... python benchmarks/beside_mmrec.py PATH                    # PATH: a checkout of enoche/MMRec (GPL)
MODALIFT_DATA=... python benchmarks/beside_mmrec.py PATH --data baby --max-epochs 2 FREEDOM    # what an epoch takes
MODALIFT_DATA=... python benchmarks/beside_mmrec.py PATH --write docs/parity.md

MMRec is read and run in a process of its own, never copied; DualGNN, DRAGON, MMGCN and GRCN need torch_geometric, and
are left out without it. Both train in one thread until Recall@20 on the validation part has not risen for 20 epochs,
and measure the test part at the best of them. What was cut short by `--max-epochs N` has a section of its own on the
page, `baby-20-epochs`; of so many its accuracies are compared, of a few they are not. A measurement is kept in
`--folder`, and one that is there is not made again.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from _baby import console
from _mmrec_rows import ROWS, Row
from calibration.page import rows_of_section, with_section

from recsys.fingerprints import fingerprint

PEERS = Path(__file__).parent / "peers"
SOURCES = {
    "lastfm-2k": {"image": "audio_feat.npy", "text": "text_feat.npy"},
    "baby": {"image": "image_feat.npy", "text": "text_feat.npy"},
}
"""By data set and by the two names that MMRec has for sources; on Last.fm its "image" is sound."""
BATCH, PATIENCE, TO_THE_END = 2048, 21, 1000
FOLDER = Path(tempfile.gettempdir(), "modalift-mmrec")
FEW = 10
"""Epochs up to which accuracies say nothing."""
ACCURACIES = ("Recall@20 MMRec", "ours", "gap")
AT_THE_END = "to convergence, times"
"""Of trainings that ended by themselves."""
TAKES_NONE = ("BPRMF", "LightGCN")
DASH = "-"

Numbers = dict[str, float]


def prepared(data: str, folder: Path) -> None:
    """The data by the names that both sides read; in their own folder, since MMRec keeps item graphs beside them."""
    given = Path(os.environ["MODALIFT_DATA"]) / data
    rows = pd.read_csv(given / f"{data}.inter", sep="\t")
    rows[["userID", "itemID", "x_label"]].to_csv(folder / "data.inter", sep="\t", index=False)
    for source, file in SOURCES[data].items():
        np.save(folder / f"{source}_feat.npy", np.load(given / file).astype(np.float32))


def measure(side: str, job: dict[str, Any], mmrec: Path, kept: Path) -> Numbers | None:
    """Train in a process of its own, or read what was kept of the same job; None, and a line, where it fails."""
    file = kept / f"{side}-{job['model']}-{fingerprint(job)}.json"
    if not file.exists():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "data")
            folder.mkdir()
            prepared(job["data"], folder)
            job_file = Path(scratch, "job.json")
            job_file.write_text(json.dumps(job | {"folder": str(folder), "out": str(file)}), encoding="utf-8")
            script = PEERS / f"train_{side}.py"
            done = subprocess.run(
                [sys.executable, str(script), str(job_file)],
                cwd=mmrec / "src" if side == "mmrec" else None,
                env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                said = [line for line in done.stderr.splitlines() if "Error" in line] or [
                    f"ended with {done.returncode}"
                ]
                console.print(f"{job['model']} by {side}: {said[-1]}")
                return None
    return json.loads(file.read_text(encoding="utf-8"))


def jobs(row: Row, data: str, seed: int, max_epochs: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """MMRec's and ours."""
    same = {
        "data": data,
        "seed": seed,
        "batch_size": BATCH,
        "learning_rate": row.learning_rate,
        "max_epochs": max_epochs,
        "patience": PATIENCE,
    }
    sources = [] if row.model in TAKES_NONE else ["image", "text"]
    return (
        same | {"model": row.mmrec, "params": row.theirs},
        same | {"model": row.model, "params": row.ours, "sources": sources},
    )


def line(row: Row, theirs: list[Numbers], ours: list[Numbers], max_epochs: int) -> dict[str, str]:
    """A model's row of the table, of means over seeds, less what says nothing where trainings were cut short."""

    def of(side: list[Numbers], name: str) -> float:
        return mean(each[name] for each in side)

    def whole(side: list[Numbers]) -> float:
        return mean(each["epochs"] * (each["epoch_s"] + each["evaluation_s"]) for each in side)

    gap = of(ours, "recall_at_20") / of(theirs, "recall_at_20") - 1
    times = of(theirs, "epoch_s") / of(ours, "epoch_s")
    found = {
        "model": row.model,
        "Recall@20 MMRec": f"{of(theirs, 'recall_at_20'):.4f}",
        "ours": f"{of(ours, 'recall_at_20'):.4f}",
        "gap": f"{gap:+.1%}".replace("%", " %"),
        "s an epoch MMRec": f"{of(theirs, 'epoch_s'):.2f}",
        "s an epoch ours": f"{of(ours, 'epoch_s'):.2f}",
        "times": f"{times:.1f}",
        "wanted": f"{row.faster:.0f}",
        "evaluation, times": f"{of(theirs, 'evaluation_s') / of(ours, 'evaluation_s'):.1f}",
        "to convergence, times": f"{whole(theirs) / whole(ours):.1f}",
        "epochs MMRec, ours": f"{of(theirs, 'epochs'):.0f}, {of(ours, 'epochs'):.0f}",
        "GiB MMRec, ours": f"{of(theirs, 'memory_mib') / 1024:.2f}, {of(ours, 'memory_mib') / 1024:.2f}",
    }
    ended = all(each["epochs"] < max_epochs for each in theirs + ours)
    if ended:
        return found
    unsaid = (AT_THE_END,) if max_epochs > FEW else (*ACCURACIES, AT_THE_END)
    return found | dict.fromkeys(unsaid, DASH)


def table(lines: Sequence[dict[str, str]], before: Mapping[str, dict[str, str]] | None = None) -> str:
    """The measured rows as Markdown, and those of other models as they stood before; without columns of dashes."""
    rows = dict(before or {}) | {each["model"]: each for each in lines}
    order = [row.model for row in ROWS if row.model in rows]
    frame = pd.DataFrame([rows[model] for model in order]).reindex(columns=list(lines[0])).fillna(DASH)
    return frame.loc[:, (frame != DASH).any()].to_markdown(index=False, disable_numparse=True)


def main(
    mmrec: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A checkout of enoche/MMRec.")],
    models: Annotated[list[str] | None, typer.Argument(help="Models by our names; all unless said.")] = None,
    data: Annotated[str, typer.Option(help=f"One of {', '.join(SOURCES)}.")] = "lastfm-2k",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    max_epochs: Annotated[int, typer.Option(min=1)] = TO_THE_END,
    folder: Annotated[Path, typer.Option(help="Where measurements are kept.")] = FOLDER,
    write: Annotated[Path | None, typer.Option(help="A page whose rows of these models are written anew.")] = None,
) -> None:
    """Measure both sides model by model, and print the table."""
    folder = folder.resolve()  # MMRec runs in a folder of its own
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for row in ROWS:
        if models and row.model not in models:
            continue
        theirs, ours = [], []
        for seed in range(seeds):
            their_job, our_job = jobs(row, data, seed, max_epochs)
            both = measure("mmrec", their_job, mmrec, folder), measure("modalift", our_job, mmrec, folder)
            if both[0] and both[1]:
                theirs.append(both[0])
                ours.append(both[1])
        if ours:
            lines.append(line(row, theirs, ours, max_epochs) | {"seeds": str(len(ours))})
            console.print(lines[-1])
    if not lines:
        raise typer.Exit(1)
    console.print(table(lines))
    if write:
        page = write.read_text(encoding="utf-8")
        section = data if max_epochs == TO_THE_END else f"{data}-{max_epochs}-epochs"
        write.write_text(with_section(page, section, table(lines, rows_of_section(page, section))), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
