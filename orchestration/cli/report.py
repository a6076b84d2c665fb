"""`modalift report`: where a study's page is; it is built where that takes no training."""

import webbrowser
from typing import Annotated

import typer

from orchestration import keys
from orchestration.cli.app import command
from orchestration.cli.console import err, say
from orchestration.cli.options import StudyArgument
from orchestration.cli.progress import RichProgress
from orchestration.cli.studies import find_study, read_settings
from recsys.errors import UserError


@command("report", "modalift report demo", "modalift report demo --open")
def report(
    study: StudyArgument,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Print the path of a study's report, building it anew from the newest results."""
    from assets.report import node
    from orchestration.home import Home
    from orchestration.materialise import materialise

    settings = read_settings()
    read = find_study(study, settings)
    home = Home(settings)
    for asset in node(read).inputs:
        home.current(asset)  # a run that can only fail would stay in Dagster's timeline
    with RichProgress(err) as progress:
        done = materialise(read, settings, progress, f'key:"{keys.report(read.name)}"')
    if done.failures:
        raise UserError(done.failures[0])
    file = (settings.reports / f"{read.name}.html").resolve()
    say(str(file))
    if open_:
        webbrowser.open(file.as_uri())
