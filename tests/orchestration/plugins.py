"""A folder of a user's own plug-ins, and the program run beside it in a process of its own, as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from recsys.fingerprints import CHECKOUT


def write(folder: Path, path: str, code: str) -> Path:
    """A plug-in file at its place under `plugins/`."""
    file = folder / "plugins" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(code), encoding="utf-8")
    return file


def modalift(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a working folder with `plugins/`, and `studies/` or study files beside it."""
    own = {
        "MODALIFT_HOME": str(folder / "home"),
        "MODALIFT_STUDIES": str(folder),
        "PYTHONPATH": str(CHECKOUT),
        **environment,
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("MODALIFT_")}
    program = "from orchestration.cli import app; app()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=others | own, capture_output=True, text=True
    )
