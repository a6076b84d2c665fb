"""The command line: one file per command or a pair of commands, each registered with `app` where it is written."""

from orchestration.cli import (  # noqa: F401  (importing a module registers its commands)
    check,
    clean,
    describe,
    doctor,
    encoders,
    export,
    lineage,
    models,
    new,
    recommend,
    report,
    results,
    run,
    ui,
)
from orchestration.cli.app import app

# Help lists commands in the order in which a person meets them.
ORDER = ("new", "check", "describe", "run", "results", "report", "recommend", "lineage", "export", "clean", "ui")
LISTS = ("models", "encoders", "doctor")
app.registered_commands.sort(key=lambda known: (*ORDER, *LISTS).index(known.name or ""))

__all__ = ["app"]
