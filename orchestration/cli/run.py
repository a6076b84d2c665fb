"""`modalift run`: materialise a study and say what came of it."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from orchestration.cli.app import command
from orchestration.cli.check import check_before_run
from orchestration.cli.console import complain, err, note, out, print_rows, say
from orchestration.cli.options import StudyArgument
from orchestration.cli.progress import RichProgress
from orchestration.cli.studies import (
    find_study,
    read_settings,
    warn_of_home_that_is_only_read,
    warn_of_shared_datasets,
    warn_of_study_elsewhere,
)
from recsys.wording import count

if TYPE_CHECKING:
    from orchestration.cli.plan import Step
    from orchestration.content_widths import KnownDataset
    from orchestration.home import Home
    from orchestration.materialise import Materialised
    from orchestration.settings import Settings
    from recsys.study.study import Study

A_MOMENT = 0.5
"""Seconds."""
COLOURS = {"up to date": "green", "stale": "yellow", "missing": "red"}
STOPPED = 130


@command("run", "modalift run demo", "modalift run demo --dry-run", "modalift run demo --select 'group:image_market'")
def run(
    study: StudyArgument,
    select: Annotated[
        str | None,
        typer.Option(metavar="SELECTION", help="Only these assets, such as 'key:\"demo/report\"' or '+group:x'."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that train side by side; default: one per core."),
    ] = None,
) -> None:
    """Answer a study's question: compute what is missing, then state the verdict and write the report.

    What was computed before is found again; a run that was stopped goes on where it was.
    """
    settings = read_settings(home_is="read" if dry_run else "written")
    if workers:
        settings = settings.model_copy(update={"workers": workers})
    read = find_study(study, settings, to_run=not dry_run)
    warn_of_shared_datasets(read, settings)
    if dry_run:
        warn_of_home_that_is_only_read(settings)
        _show_plan(read, settings, select)
    else:
        warn_of_study_elsewhere(study, read, settings)
        _materialise(read, settings, select)


def _show_plan(study: "Study", settings: "Settings", select: str | None) -> None:
    """The plan; then whatever a run would stop at ends this too, with the same line and exit code."""
    from orchestration.cli.costs import known_datasets
    from orchestration.cli.plan import plan, without_left_out
    from orchestration.home import Home

    home = Home(settings)
    steps, known = plan(study, home, select), known_datasets(study, home)
    to_do = _to_do(steps)
    try:
        known |= check_before_run(study, home, to_do)
    finally:
        steps = without_left_out(study, steps, known)
        _show_steps(study, steps)
    _show_costs(study, home, to_do, known)
    timed = "" if study.tuning.minutes is None else f", {study.budget} of tuning for each model and arm"
    most = sum(step.cells for step in steps if step.asset in to_do)
    say(f"{len(to_do)} of {count(len(steps), 'asset')} to do, {count(most, 'cell')} at most{timed}")
    if most:
        say(
            "A cell is one training: every trial of every arm, and every repeat. Fewer are run where a model has "
            "fewer settings than trials, where all repeats would give the same, where the choice needs fewer "
            "controls, and where a cell is there already."
        )


def _show_steps(study: "Study", steps: Sequence["Step"]) -> None:
    rows: list[dict[str, str | Text]] = [
        {
            "asset": step.asset,
            "state": Text(step.state, COLOURS[step.state]),
            "why": step.why,
            ">cells at most": str(step.cells or ""),
        }
        for step in steps
    ]
    print_rows(rows, title=f"Study {study.name}")


def _to_do(steps: Sequence["Step"]) -> set[str]:
    return {step.asset for step in steps if step.state != "up to date"}


def _show_costs(study: "Study", home: "Home", to_do: set[str], known: Mapping[str, "KnownDataset"]) -> None:
    """Print what training the models takes."""
    from orchestration import keys
    from orchestration.cli.costs import cost_table, costs, prepared, total

    pairs = [(name, m) for name in study.datasets for m in study.models if keys.model(name, m) in to_do]
    unread = {name for name, _ in pairs} - set(known)
    if pairs:
        found = costs(study, home, {**known, **{name: prepared(study, home, name) for name in unread}}, pairs)
        out.print(cost_table(found))
        say(total(found, home.slots.workers))


def _materialise(study: "Study", settings: "Settings", select: str | None) -> None:
    import dagster as dg

    from orchestration.cli.plan import plan
    from orchestration.home import Home
    from orchestration.materialise import materialise

    home = Home(settings)
    note_other_runs(study, home)
    check_before_run(study, home, _to_do(plan(study, home, select)))
    try:
        with RichProgress(err) as progress:
            done = materialise(study, settings, progress, select)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        complain("stopped; run the same command again to go on")
        raise typer.Exit(STOPPED) from None
    _conclude(study, Home(settings), done)
    lost = _failures(Home(settings), done.assets)
    for failure in (*lost, *done.failures):
        complain(failure)
    if lost or done.failures:
        raise typer.Exit(1)


def note_other_runs(study: "Study", home: "Home") -> None:
    """A line for each dataset, and for the study, that another command is at work on, and not for a moment only."""
    for group in dict.fromkeys((*study.datasets, study.name)):
        if _is_free(home, group):
            continue
        time.sleep(A_MOMENT)  # another command may only have looked, as this one does
        if not _is_free(home, group):
            note(f"waiting for another command that is at work on {group}; what it has computed is used here too")


def _is_free(home: "Home", group: str) -> bool:
    with home.store.lock_all(group) as free:
        return free


def _failures(home: "Home", assets: tuple[str, ...]) -> list[str]:
    """Models that were left out because they failed, one line each."""
    events = [event for asset in assets if (event := home.lineage.latest(asset))]
    return [f"{event.asset.split('/')[0]}: {line}" for event in events for line in event.failures]


def _conclude(study: "Study", home: "Home", done: "Materialised") -> None:
    from orchestration import keys
    from orchestration.cli.describe import outcome_lines
    from orchestration.cli.verdicts import judgements, sentences, verdict_table
    from recsys.study.judgement import together
    from recsys.study.record import LEFT_OUT

    assets = done.assets
    judged = {name: one for name, one in judgements(study, home).items() if keys.verdict(name) in assets}
    events = [event for asset in assets if (event := home.lineage.latest(asset, done.run))]
    found = sum(event.reused for event in events)
    before = f"; {count(found, 'asset')} {'was' if found == 1 else 'were'} up to date" if found else ""
    say(f"Materialised {count(len(events) - found, 'asset')} of study {study.name}{before}")
    for event in events:
        if LEFT_OUT in event.facts:
            say(event.facts[LEFT_OUT])
    for asset in assets:
        if "/descriptions/" in asset and (event := home.lineage.latest(asset)):
            for line in outcome_lines(asset, event.facts):
                say(line)
    if judged:
        out.print(verdict_table(study, home, judged))
    for sentence in sentences(study, home, assets):
        say(sentence)
    if across := together(judged):
        say(f"All datasets together: {across}")
    if keys.report(study.name) in assets:
        say(f"Report: {(home.settings.reports / f'{study.name}.html').resolve()}")
