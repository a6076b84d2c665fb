"""`modalift report`: where a study's page is; it is built where that takes no training."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration import keys
from orchestration.cli.app import command
from orchestration.cli.console import err, note, say
from orchestration.cli.options import StudyArgument
from orchestration.cli.progress import RichProgress
from orchestration.cli.studies import find_study, home_problem, read_settings
from recsys.errors import UserError
from recsys.store import write_text

if TYPE_CHECKING:
    from orchestration.home import Home
    from recsys.study.study import Study


@command("report", "modalift report demo", "modalift report demo --open")
def report(
    study: StudyArgument,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Print the path of a study's report, building it anew from the newest results.

    In a home that can only be read the report is the one that stands there, if it is up to date.
    """
    from assets.report import node
    from orchestration.home import Home
    from orchestration.last_run import last_failure

    settings = read_settings(home_is="read")
    read = find_study(study, settings)
    home = Home(settings)
    for asset in node(read).inputs:  # a run that can only fail would stay in Dagster's timeline
        if home.lineage.latest(asset) is None:
            why = last_failure(read.name, settings)
            failed = f"its last run failed ({why}); " if why else ""
            raise UserError(
                f"study {read.name} has no {asset} yet: {failed}`modalift run {study}` computes it, and the report"
            )
        home.current(asset)
    file = (settings.reports / f"{read.name}.html").resolve()
    if home_problem(settings.home):
        _require_up_to_date(read, home, file)
    else:
        _build(read, home, file)
    say(str(file))
    if open_:
        webbrowser.open(file.as_uri())


def _require_up_to_date(study: "Study", home: "Home", file: Path) -> None:
    """UserError where a home that cannot be written to has no report, or not the one that would be built now."""
    from orchestration.cli.changes import outdated_asset

    remedy = "copy this home and set MODALIFT_HOME to the copy"
    if not file.is_file():
        raise UserError(
            f"{home.settings.home}: has no report of study {study.name} and cannot be written to; {remedy}"
        )
    if why := outdated_asset(study, home, keys.report(study.name)):
        raise UserError(
            f"{home.settings.home}: cannot be written to, and its report is not the newest ({why}); {remedy}, "
            f"or open {file} as it is"
        )


def _build(study: "Study", home: "Home", file: Path) -> None:
    """Build the report, with a line on top where the study or its data have changed since its results were made."""
    from orchestration.cli.changes import outdated
    from orchestration.cli.pages import marked
    from orchestration.materialise import materialise

    changed = outdated(study, home, page=True)
    with RichProgress(err) as progress:
        done = materialise(study, home.settings, progress, f'key:"{keys.report(study.name)}"')
    if done.failures:
        raise UserError(done.failures[0])
    if changed:
        write_text(file, marked(file.read_text(encoding="utf-8"), changed))
        note(changed)
