"""`modalift report`: where a study's page is; it is built where that takes no training."""

import webbrowser
from typing import Annotated

import typer

from orchestration import keys
from orchestration.cli.app import command
from orchestration.cli.console import err, note, say
from orchestration.cli.options import StudyArgument
from orchestration.cli.progress import RichProgress
from orchestration.cli.studies import find_study, read_settings
from recsys.errors import UserError
from recsys.store import write_text


@command("report", "modalift report demo", "modalift report demo --open")
def report(
    study: StudyArgument,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Print the path of a study's report, building it anew from the newest results."""
    from assets.report import node
    from orchestration.cli.changes import outdated
    from orchestration.cli.pages import marked
    from orchestration.home import Home
    from orchestration.last_run import last_failure
    from orchestration.materialise import materialise

    settings = read_settings()
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
    changed = outdated(read, home, page=True)
    with RichProgress(err) as progress:
        done = materialise(read, settings, progress, f'key:"{keys.report(read.name)}"')
    if done.failures:
        raise UserError(done.failures[0])
    file = (settings.reports / f"{read.name}.html").resolve()
    if changed:
        write_text(file, marked(file.read_text(encoding="utf-8"), changed))
        note(changed)
    say(str(file))
    if open_:
        webbrowser.open(file.as_uri())
