"""`modalift clean`: free what nothing refers to."""

from typing import Annotated

import typer

from orchestration.cli.app import command
from orchestration.cli.console import note, out, say, table
from orchestration.cli.studies import read_settings
from recsys.wording import count

WHAT = {
    "versions": "versions of assets that newer ones replaced",
    "cells": "trainings that no current result refers to",
    "batches": "batches of encodings and descriptions by settings that were replaced",
    "leftovers": "what killed processes left half written",
}


@command("clean", "modalift clean", "modalift clean --dry-run")
def clean(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be freed, and do nothing.")] = False,
) -> None:
    """Free what nothing refers to: replaced versions, their trainings, and what killed processes left.

    The newest version of every asset stays, with all that it was made from, and so does what a stopped run goes on
    with. Reports, lineage and MLflow are not touched. What was freed is computed again if a study asks for it.
    """
    from orchestration import catalog
    from orchestration.home import Home
    from orchestration.unused import free, unused

    home = Home(read_settings(home_is="read" if dry_run else "written"))
    found = unused(home)
    if not found:
        say(f"{home.settings.home}: nothing to free")
        return
    shown = table("what", ">number", ">size", title=str(home.settings.home))
    for kind, what in WHAT.items():
        sizes = [each.size for each in found if each.kind == kind]
        if sizes:
            shown.add_row(what, f"{len(sizes):,}", _size(sum(sizes)))
    out.print(shown)
    size = _size(sum(each.size for each in found))
    if dry_run:
        say(f"{size} in {count(len(found), 'place')} can be freed")
        return
    if not yes:
        typer.confirm(f"Free {size}?", abort=True)
    freed = free(home)
    catalog.refresh(home)
    say(f"Freed {_size(freed.bytes)}")
    for owner in freed.busy:
        note(f"{owner}: skipped, since a run is at work on it; clean again when it has ended")


def _size(n_bytes: int) -> str:
    for unit, limit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= limit:
            return f"{n_bytes / limit:.1f} {unit}"
    return f"{n_bytes} bytes"
