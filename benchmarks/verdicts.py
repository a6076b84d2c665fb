"""Is the verdict right where the truth is known? The demo's markets, drawn anew with other seeds.

    .venv/bin/python benchmarks/verdicts.py --draws 20 --first 101
    .venv/bin/python benchmarks/verdicts.py --page docs/calibration.md    # and writes the table there

Each draw is a study of its own, run by `recsys.run`. For everything that is planted in a market it prints how often
the program found it, with exact 95 % bounds, and what it said. What was found of a draw is kept in `--folder`, and a
draw that is there is not run again; its cells are thrown away.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from calibration.page import section, with_section
from pydantic import TypeAdapter
from rich.console import Console
from scipy.stats import binomtest

from recsys.content.encoders import registry
from recsys.data.readers import registry as readers
from recsys.engine.code import model_code
from recsys.fingerprints import code_of, fingerprint
from recsys.run import run
from recsys.study.file import load_study
from recsys.study.study import Study
from recsys.study.truth import TruthRow

DEMO = Path(__file__).parents[1] / "studies" / "demo.yaml"
FOLDER = Path(tempfile.gettempdir(), "modalift-verdicts")
FOUND = TypeAdapter(dict[str, list[TruthRow]])
console = Console()


def redrawn(study: Study, seed: int) -> Study:
    """The same study with its markets drawn and split anew."""
    datasets = {
        name: spec.model_copy(
            update={
                "source": spec.source.model_copy(update={"seed": seed}),
                "split": spec.split.model_copy(update={"seed": seed}),
            }
        )
        for name, spec in study.datasets.items()
    }
    return study.model_copy(update={"datasets": datasets})


def place_of(study: Study, folder: Path) -> Path:
    """Where what was found of a draw is kept: another place for other settings, and for other code."""
    encoders = {content.encoder for spec in study.datasets.values() for content in spec.content.values()}
    models = [model_code(model, study.evaluation.primary_name) for model in study.models]
    sources = {spec.source.reader for spec in study.datasets.values()}
    modules = [*map(registry.module, sorted(encoders)), *map(readers.module, sorted(sources))]
    code = code_of("recsys.run:run", *modules)
    return folder / fingerprint(study.model_dump(mode="json"), models, code)


def judge(study: Study, folder: Path) -> dict[str, list[TruthRow]]:
    """What was planted and found in each dataset: read from the folder, or run now."""
    file, work = folder / "found.json", folder / "work"
    if not file.exists():
        found = {name: result.truth for name, result in run(study, work).items()}
        file.write_bytes(FOUND.dump_json(found, indent=1))
        shutil.rmtree(work)
    return FOUND.validate_json(file.read_bytes())


def bounds(hits: int, n: int) -> str:
    """A share with its exact 95 % interval."""
    interval = binomtest(hits, n).proportion_ci(0.95, "exact")
    return f"{hits} of {n} ({interval.low:.0%} to {interval.high:.0%})"


def main(
    draws: Annotated[int, typer.Option(help="Draws of each market.")] = 20,
    first: Annotated[int, typer.Option(help="Seed of the first draw; the demo's own is 1.")] = 101,
    study: Annotated[Path, typer.Option(help="The study whose markets are drawn.")] = DEMO,
    folder: Annotated[Path, typer.Option(help="Keeps what was found, so that a stopped run goes on.")] = FOLDER,
    page: Annotated[Path | None, typer.Option(help="The page whose table is written.")] = None,
) -> None:
    """Tabulate the verdicts on markets whose truth is known."""
    read = load_study(study)
    found: dict[str, list[list[TruthRow]]] = {name: [] for name in read.datasets}
    seconds: list[float] = []
    for number, seed in enumerate(range(first, first + draws), start=1):
        drawn, started = redrawn(read, seed), time.perf_counter()
        place = place_of(drawn, folder)
        known = (place / "found.json").exists()
        place.mkdir(parents=True, exist_ok=True)
        judged = judge(drawn, place)
        for name, of_one in judged.items():
            found[name].append(of_one)
        if not known:
            seconds.append(time.perf_counter() - started)
        left = (draws - number) * sum(seconds) / max(len(seconds), 1) / 60
        answers = {name: [row.found for row in of_one] for name, of_one in judged.items()}
        console.print(f"seed {seed}: {answers}; {number} of {draws}, about {left:.0f} minutes left")
    rows = [row for name, runs in found.items() for row in tabulated(name, runs)]
    table = pd.DataFrame(rows).to_markdown(index=False)
    console.print(table, soft_wrap=True, markup=False)
    if page:
        command = f"python benchmarks/verdicts.py --draws {draws} --first {first}"
        text = with_section(page.read_text(encoding="utf-8"), "demo", section(table, command))
        page.write_text(text, encoding="utf-8")


def tabulated(name: str, runs: list[list[TruthRow]]) -> Iterator[dict[str, str]]:
    """A row for each thing that is planted in a market."""
    for rows_of_one in zip(*runs, strict=True):
        counts = Counter(row.found for row in rows_of_one).most_common()
        yield {
            "market": name,
            "planted": rows_of_one[0].what,
            "expected": rows_of_one[0].expected,
            "as planted (exact 95 % interval)": bounds(sum(row.agrees for row in rows_of_one), len(runs)),
            "found": "; ".join(f"{answer} {n}" for answer, n in counts),
        }


if __name__ == "__main__":
    typer.run(main)
