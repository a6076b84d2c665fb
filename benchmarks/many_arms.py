"""A study of many arms, after its trainings: seconds, and peak memory, of metrics, verdict, analyses and report.

python benchmarks/many_arms.py                          # 25 models x 7 arms x 5 seeds of 35,598 users: 875 cells
python benchmarks/many_arms.py --models 4 --users 5000  # smaller

The lists of the final cells are drawn (`_drawn_study.py`); all else is what a study does. A step's peak is that of the
process until then.
"""

import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from _drawn_study import NAME, TITLE, PlantedCell, Size, dataset, results, selection, study, vectors
from rich.console import Console
from rich.table import Table

from recsys.analyses.base import Inputs
from recsys.analyses.registry import applicable
from recsys.engine.stored import StoredCell
from recsys.report import parts
from recsys.report.model import DatasetReport, RunFacts, StudyReport
from recsys.report.render import render
from recsys.report.rows import Section
from recsys.study.judgement import Judgement, judge
from recsys.study.measuring import UserScores, measure
from recsys.study.readiness import Readiness
from recsys.study.results import ModelResult
from recsys.study.study import Study

console = Console()


class Steps:
    """Seconds and peak memory of each step."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.rows.append((name, time.perf_counter() - wall, time.process_time() - processor, peak))


def page(planned: Study, folder: Path, known: ModelResult, judged: Judgement, inputs: Inputs) -> StudyReport:
    """The report of the one dataset, as the report's asset makes it, without the data's provenance."""
    tables = [
        table
        for analysis in applicable(planned, NAME).values()
        for table in analysis.show(analysis.compute(inputs))
        if table.rows
    ]
    data = DatasetReport(
        name=NAME,
        scenario=parts.scenario(planned, NAME),
        metric=planned.evaluation.primary,
        verdict=judged.overall,
        sources=judged.sources,
        gates=judged.gates,
        tried=judged.tried,
        questions=judged.questions,
        counts={"users": inputs.dataset.n_users, "items": inputs.dataset.n_items},
        results=parts.results(folder, planned, known.arms, {}),
        comparisons=parts.comparisons(judged.comparisons, known.arms),
        tuning=[parts.curve(arm) for arm in known.arms],
        sections=[Section(asset=f"{NAME}/analyses", tables=tables)],
        limits=[f"{line}." for line in known.failures],
    )
    run = RunFacts(
        versions={},
        repeats=planned.n_repeats,
        budget=planned.budget,
        wall_seconds=0,
        training_seconds=0,
        commands=[],
    )
    return StudyReport(title=TITLE, question=planned.question, date=date(2026, 11, 21), datasets=[data], run=run)


def measured(size: Size, folder: Path) -> tuple[str, Steps]:
    """Run all steps in a folder; gives the page and what each step took."""
    planned, steps = study(size), Steps()
    with steps.step("generate the dataset"):
        data = dataset(size)
        data.save(folder)
    known, qualities = results(planned)

    def cell(fingerprint: str) -> StoredCell:
        return PlantedCell(fingerprint, folder, {}, data, qualities[fingerprint])

    with steps.step("draw the lists, which is no part of a study"):
        for fingerprint in qualities:
            cell(fingerprint).lists("test")
    with steps.step("measure, lists drawn again"):
        measure(planned, NAME, data, known, cell, folder)
    with steps.step("judge"):
        judged = judge(planned, NAME, selection(known), UserScores(folder), Readiness([], unchanged=False))
    chosen = selection(known)
    chosen.save(folder)
    folders = dict.fromkeys(("dataset", "controls", "metrics"), folder) | vectors(planned, data.n_items, folder)
    inputs = Inputs(planned, NAME, folders, cell)
    with steps.step("analyses and the parts of the report"):
        report = page(planned, folder, known, judged, inputs)
    with steps.step("render"):
        html = render(report)
    return html, steps


def main(
    models: Annotated[int, typer.Option(help="Models, each on 7 arms.")] = Size.models,
    repeats: Annotated[int, typer.Option(help="Final cells of each arm.")] = Size.repeats,
    users: Annotated[int, typer.Option(help="Users; other sizes of the data follow.")] = Size.users,
    resamples: Annotated[int, typer.Option(help="Resamples of each comparison.")] = Size.resamples,
    out: Annotated[Path | None, typer.Option(help="Where the page is kept.")] = None,
) -> None:
    """Run, and print what each step took."""
    share = users / Size.users
    size = Size(models, repeats, users, int(Size.items * share), int(Size.interactions * share), resamples)
    with tempfile.TemporaryDirectory() as folder:
        html, steps = measured(size, Path(folder))
    table = Table("step", "seconds", "of processor time", "peak, MiB")
    for name, wall, processor, peak in steps.rows:
        table.add_row(name, f"{wall:.1f}", f"{processor:.1f}", f"{peak:.0f}")
    console.print(
        f"{7 * models} arms, {7 * models * repeats} cells, {users:,} users; a page of {len(html) / 1e6:.2f} MB"
    )
    console.print(table)
    if out:
        out.write_text(html, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
