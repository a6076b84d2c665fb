"""The command line as a test calls it: in this process, on a home of its own."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from orchestration.cli import app
from orchestration.settings import Settings


def call(settings: Settings, *arguments: str | Path) -> Result:
    """Run one command with its environment set as the settings say."""
    environment = {
        "MODALIFT_HOME": str(settings.home),
        "MODALIFT_STUDIES": str(settings.studies),
        "MODALIFT_DATA": str(settings.data) if settings.data else None,
        "MODALIFT_WORKERS": str(settings.workers) if settings.workers else None,
    }
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


def printed(settings: Settings, *arguments: str | Path) -> str:
    """What a command that must succeed prints, with its white space made single."""
    result = call(settings, *arguments)
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def parsed(settings: Settings, *arguments: str | Path) -> Any:
    """The JSON that a command prints; strict, so that NaN is refused."""
    result = call(settings, *arguments, "--json")
    assert result.exit_code == 0, result.stderr

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(result.stdout, parse_constant=refuse)


def complaint(settings: Settings, *arguments: str | Path, code: int = 2) -> str:
    """The one line that a command which must fail says on stderr; exit code 2 is a user's mistake, 1 a fault."""
    result = call(settings, *arguments)
    assert result.exit_code == code
    (line,) = result.stderr.splitlines()
    return line
