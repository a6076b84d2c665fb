"""A home that can only be read, such as a colleague's or an archive: whatever only reads works there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from orchestration.settings import Settings
from recsys.fingerprints import CHECKOUT
from recsys.study.study import Study
from tests.orchestration.command_line import call, complaint, parsed, printed
from tests.orchestration.conftest import TINY

Finished = tuple[Settings, Study]
READING = (
    "results tiny",
    "lineage tiny/metrics",
    "report tiny",
    "recommend tiny ItemKNN --user {user}",
    "models ItemKNN --on tiny",
    "clean --dry-run",
    "run tiny --dry-run",
    "check tiny",
)
WRITING = ("run tiny", "clean --yes")
AS_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
EACH = """
import sys
from typer.testing import CliRunner
from orchestration.cli import app

for line in sys.argv[1:]:
    done = CliRunner().invoke(app, line.split())
    print(done.exit_code, line, " ".join(done.stderr.split()))
"""


@pytest.fixture
def only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder can be written to, as far as anybody asks."""
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.W_OK and allowed(place, mode))


def user_of(settings: Settings) -> str:
    (file,) = (settings.store / "tiny" / "dataset").glob("*/users.parquet")
    return str(pd.read_parquet(file)["user_id"].iloc[0])


@pytest.mark.usefixtures("only_read")
def test_what_only_reads_needs_no_home_that_can_be_written_to(finished: Finished) -> None:
    settings, _ = finished
    assert printed(settings, "lineage", "tiny/metrics").startswith("tiny/metrics: ")
    assert "ItemKNN" in printed(settings, "results", "tiny")
    assert printed(settings, "report", "tiny") == str(settings.reports / "tiny.html")
    assert len(parsed(settings, "recommend", "tiny", "ItemKNN", "--user", user_of(settings))["items"]) == 10
    assert "nothing to free" in printed(settings, "clean", "--dry-run")
    assert "GB" in printed(settings, "models", "ItemKNN", "--on", "tiny")
    assert "cannot be written to" in complaint(settings, "run", "tiny")
    assert "cannot be written to" in complaint(settings, "clean", "--yes")


@pytest.mark.usefixtures("only_read")
@pytest.mark.parametrize("command", [("check", "tiny"), ("run", "tiny", "--dry-run")])
def test_what_looks_ahead_of_a_run_says_that_it_would_stop(finished: Finished, command: tuple[str, ...]) -> None:
    done = call(finished[0], *command)
    assert done.exit_code == 0 and "ItemKNN" in done.stdout
    home = finished[0].home
    assert done.stderr.splitlines()[0] == (
        f"! {home}: cannot be written to; to run anything, set MODALIFT_HOME to a folder of yours"
    )


@pytest.mark.usefixtures("only_read")
def test_a_report_that_would_have_to_be_built_is_refused_with_what_helps(finished: Finished, tmp_path: Path) -> None:
    settings, _ = finished
    (tmp_path / "tiny.yaml").write_text(TINY.replace("trials: 3", "trials: 4"), encoding="utf-8")
    changed = settings.model_copy(update={"studies": tmp_path})
    line = complaint(changed, "report", "tiny")
    assert line.startswith(f"{settings.home}: cannot be written to, and its report is not the newest (")
    assert line.endswith(
        f"copy this home and set MODALIFT_HOME to the copy, or open {settings.reports / 'tiny.html'} as it is"
    )


@pytest.mark.usefixtures("only_read")
def test_a_home_without_its_report_is_refused_with_what_helps(finished: Finished, tmp_path: Path) -> None:
    for part in ("store", "lineage"):
        (tmp_path / part).symlink_to(finished[0].home / part)
    line = complaint(finished[0].model_copy(update={"home": tmp_path}), "report", "tiny")
    assert line == (
        f"{tmp_path}: has no report of study tiny and cannot be written to; "
        "copy this home and set MODALIFT_HOME to the copy"
    )


def test_on_a_file_system_that_is_mounted_read_only_the_same_holds(finished: Finished) -> None:
    settings, _ = finished
    as_read_only = ["unshare", "-m", "sh", "-c", AS_READ_ONLY, "sh", str(settings.home)]
    if not shutil.which("unshare"):
        pytest.skip("there is no `unshare` here to mount anything with")
    possible = subprocess.run([*as_read_only, "true"], capture_output=True, text=True)
    if possible.returncode:
        pytest.skip(f"nothing can be mounted here: {possible.stderr.strip()}")
    commands = [line.format(user=user_of(settings)) for line in (*READING, *WRITING)]
    own = {"MODALIFT_HOME": str(settings.home), "MODALIFT_STUDIES": str(settings.studies), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [*as_read_only, sys.executable, "-c", EACH, *commands],
        cwd=settings.studies,
        env=os.environ | own,
        capture_output=True,
        text=True,
    )
    said = done.stdout.splitlines()
    assert len(said) == len(commands), done.stderr
    assert [line for line in said[: len(READING)] if not line.startswith("0 ")] == []
    for line in said[len(READING) :]:
        assert line.startswith("2 ") and "cannot be written to" in line
