"""Is the verdict right where the truth is known? The demo's markets, drawn anew with other seeds.

    .venv/bin/python benchmarks/verdicts.py --draws 20 --first 101

Each draw is a study of its own, run as `modalift run` runs it, in a home that is thrown away. Of the draws of each
market it prints how often the program said what, how often the right source was named, and exact 95 % bounds.
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

from assets.verdict import Judgement
from orchestration import keys
from orchestration.home import Home
from orchestration.materialise import materialise
from orchestration.progress import LogProgress
from orchestration.settings import CHECKOUT, Settings
from orchestration.study import Study
from orchestration.study_file import load_study

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


def judge(study: Study, home: Path) -> dict[str, tuple[str, list[str]]]:
    """Verdict and named sources of each dataset."""
    settings = Settings(home=home)
    done = materialise(study, settings, LogProgress(lambda line: None))
    if done.failures:
        raise SystemExit("\n".join(done.failures))
    place = Home(settings)
    found = {name: Judgement.load(place.folder(place.current(keys.verdict(name)))) for name in study.datasets}
    return {name: (j.overall.name, sorted(s.source for s in j.by_source if s.named)) for name, j in found.items()}


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
    told: dict[str, list[tuple[str, list[str]]]] = {name: [] for name in demo.datasets}
    for seed in range(first, first + draws):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            found = judge(redrawn(demo, seed), Path(folder))
        for name, verdict in found.items():
            told[name].append(verdict)
        console.print(f"seed {seed}: {found} in {time.perf_counter() - started:.0f} s")
    table = Table("market", "helps (exact 95 % interval)", "the right sources", "all verdicts")
    for name, verdicts in told.items():
        options = demo.datasets[name].source.options
        drivers = sorted(s for s in ("image", "text") if options.get(f"{s}_weight", 0) > 0)
        helps = sum(verdict == "helps" for verdict, _ in verdicts)
        right = sum(sources == drivers for _, sources in verdicts)
        counts = Counter(verdict for verdict, _ in verdicts)
        every = ", ".join(f"{verdict} {n}" for verdict, n in counts.most_common())
        table.add_row(name, bounds(helps, draws), bounds(right, draws), every)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
