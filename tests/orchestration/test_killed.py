"""A run killed with SIGKILL in the middle of a model asset goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from orchestration.home import Home
from orchestration.settings import Settings
from tests.orchestration.conftest import TINY, cells, run, write_study

RUN = """
import sys
from pathlib import Path
from orchestration.materialise import materialise
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from recsys.study.file import load_study

materialise(load_study(Path(sys.argv[1])), Settings(), LogProgress(lambda line: None))
"""
LONG = TINY.replace("trials: 3", "trials: 40").replace("  TopPop:\n", "")


def test_a_killed_run_recomputes_only_what_was_missing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    study = write_study(tmp_path, LONG)
    env = os.environ | {"MODALIFT_HOME": str(settings.home), "MODALIFT_WORKERS": "1"}
    process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path / "tiny.yaml")], env=env)
    deadline = time.monotonic() + 120
    while len(cells(settings)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = cells(settings)
    assert len(kept) >= 5
    assert Home(settings).lineage.latest("tiny/verdict") is None

    run(study, settings)

    assert kept.items() <= cells(settings).items()
    assert len(cells(settings)) > len(kept)
    assert [path for path in settings.home.rglob(".pending*") if path.is_dir()] == []
    home = Home(settings)
    runs = home.tracker.direct.client.search_runs([home.tracker.direct.experiment("tiny")], max_results=5000)
    assert {run.info.status for run in runs} == {"FINISHED"}
    finished = [run.data.tags["fingerprint"] for run in runs if run.info.status == "FINISHED"]
    assert set(cells(settings)) <= set(finished)
