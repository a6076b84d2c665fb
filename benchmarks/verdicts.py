"""Is the verdict right where the truth is known? The demo's markets, drawn anew with other seeds.

    .venv/bin/python benchmarks/verdicts.py --draws 20 --first 101

Each draw is a study of its own, run as `modalift run` runs it, in a home that is thrown away. For everything that is
planted in a market it prints how often the program found it, with exact 95 % bounds, and what it said.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from assets.truth import planted
from assets.verdict import Judgement
from orchestration import keys
from orchestration.home import Home
from orchestration.materialise import materialise
from orchestration.progress import LogProgress
from orchestration.settings import CHECKOUT, Settings
from recsys.report.rows import TruthRow
from recsys.study.file import load_study
from recsys.study.study import Study

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


def judge(study: Study, home: Path) -> dict[str, list[TruthRow]]:
    """What was planted and found in each dataset."""
    settings = Settings(home=home)
    done = materialise(study, settings, LogProgress(lambda line: None))
    if done.failures:
        raise SystemExit("\n".join(done.failures))
    place = Home(settings)
    rows = {}
    for name, spec in study.datasets.items():
        data, verdict = place.current(keys.dataset(name)), place.current(keys.verdict(name))
        rows[name] = planted(data, spec, Judgement.load(place.folder(verdict)))
    return rows


def bounds(hits: int, n: int) -> str:
    """A share with its exact 95 % interval."""
    interval = binomtest(hits, n).proportion_ci(0.95, "exact")
    return f"{hits} of {n} ({interval.low:.0%} to {interval.high:.0%})"


def main(
    draws: Annotated[int, typer.Option(help="Draws of each market.")] = 20,
    first: Annotated[int, typer.Option(help="Seed of the first draw; the demo's own is 1.")] = 101,
) -> None:
    """Tabulate the verdicts on markets whose truth is known."""
    demo = load_study(CHECKOUT / "studies" / "demo.yaml")
    told: dict[str, list[list[TruthRow]]] = {name: [] for name in demo.datasets}
    for seed in range(first, first + draws):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            rows = judge(redrawn(demo, seed), Path(folder))
        for name, found in rows.items():
            told[name].append(found)
        said = {name: [row.found for row in found] for name, found in rows.items()}
        console.print(f"seed {seed}: {said} in {time.perf_counter() - started:.0f} s")
    table = Table("market", "planted", "expected", "as planted (exact 95 % interval)", "found")
    for name, runs in told.items():
        for rows_of_one in zip(*runs, strict=True):
            what, expected = rows_of_one[0].what, rows_of_one[0].expected
            counts = Counter(row.found for row in rows_of_one).most_common()
            every = "; ".join(f"{found} {n}" for found, n in counts)
            table.add_row(name, what, expected, bounds(sum(row.agrees for row in rows_of_one), draws), every)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
