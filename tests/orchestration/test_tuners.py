"""Tuning in real processes: killed and gone on with, or two at once in one home, it comes to the same."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import pytest

from orchestration.home import Home
from orchestration.materialise import materialise
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from recsys.engine.stored import StoredCell, cell_folders
from tests.orchestration.conftest import TINY, cells, write_study

TUNED = (
    TINY.replace("trials: 3", "trials: 10")
    .replace("  HybridItemKNN:\n", "  HybridItemKNN: {arms: [image, interactions_only, shuffled]}\n")
    .replace(
        "  TopPop:\n",
        "  BPRMF: {n_factors: 8, batch_size: 256, max_epochs: 36, learning_rate: [0.01, 0.02]}\n",
    )
)
RUN = """
import sys
from pathlib import Path
from orchestration.materialise import materialise
from orchestration.progress import LogProgress
from orchestration.settings import Settings
from recsys.study.file import load_study

materialise(load_study(Path(sys.argv[1])), Settings(), LogProgress(lambda line: None))
"""
DIE_AFTER_SIX_TRIALS = """
import os, signal
from recsys.engine.runner import CellRunner

keep, kept = CellRunner._keep, []

def keep_and_die(runner, mark, record, files):
    stored = keep(runner, mark, record, files)
    kept.append(record["model"])
    if kept.count("BPRMF") == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return stored

CellRunner._keep = keep_and_die
"""


def in_home(folder: Path) -> Settings:
    write_study(folder, TUNED)
    return Settings(home=folder / "home", studies=folder, workers=1)


def start(settings: Settings, script: str) -> subprocess.Popen[bytes]:
    env = os.environ | {"MODALIFT_HOME": str(settings.home), "MODALIFT_WORKERS": "1"}
    return subprocess.Popen([sys.executable, "-c", script, str(settings.studies / "tiny.yaml")], env=env)


def outcome(settings: Settings) -> dict[str, Any]:
    """All that tuning and training came to, but for the time it took."""
    home = Home(settings)
    found: dict[str, Any] = {}
    for asset in ("tiny/models/BPRMF", "tiny/models/ItemKNN", "tiny/models/HybridItemKNN", "tiny/controls"):
        arms = json.loads((home.folder(home.current(asset)) / "result.json").read_text())["arms"]
        for row in (*arms, *(trial for arm in arms for trial in arm["trials"])):
            del row["seconds"]
        found[asset] = arms
    found["verdict"] = json.loads((home.folder(home.current("tiny/verdict")) / "verdict.json").read_text())
    summary = pd.read_parquet(home.folder(home.current("tiny/metrics")) / "summary.parquet")
    found["metrics"] = summary.to_json(double_precision=15)
    return found


def check_records(settings: Settings) -> None:
    """Every cell is one ended run in MLflow, and nothing half-written is left."""
    tracker = Home(settings).tracker.direct
    runs = tracker.client.search_runs([tracker.experiment("tiny")], max_results=5000)
    ended = [run for run in runs if run.info.status == "FINISHED"]
    records = {folder.name: StoredCell.load(folder).record for folder in cell_folders(settings.store)}
    assert sorted(run.data.tags["fingerprint"] for run in ended) == sorted(records)
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in ended:
        cell = records[run.data.tags["fingerprint"]]
        assert run.data.tags["stage"] == cell["stage"]
        assert ("pruned" in run.data.tags) == cell["pruned"]
    assert list(settings.home.rglob(".pending*")) == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = in_home(tmp_path_factory.mktemp("undisturbed"))
    done = materialise(write_study(settings.studies, TUNED), settings, LogProgress(lambda line: None))
    assert done.failures == ()
    check_records(settings)
    return outcome(settings)


def test_hopeless_trials_are_given_up_and_never_chosen(undisturbed: dict[str, Any]) -> None:
    (arm,) = undisturbed["tiny/models/BPRMF"]
    finished = [trial for trial in arm["trials"] if not trial["pruned"]]
    assert len(arm["trials"]) >= 10 and not any(trial["pruned"] for trial in arm["trials"][:4])
    given_up = [trial["valid"] for trial in arm["trials"] if trial["pruned"]]
    assert given_up and max(given_up) < median(trial["valid"] for trial in finished)
    assert arm["settings"][0] == max(finished, key=lambda trial: trial["valid"])["params"]
    assert all(trial["valid"] > 0 for trial in arm["trials"])


def test_killed_in_the_middle_of_tuning_it_goes_on_to_the_same(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    settings = in_home(tmp_path)
    killed = start(settings, DIE_AFTER_SIX_TRIALS + RUN)
    assert killed.wait() == -signal.SIGKILL
    kept = cells(settings)
    assert len(kept) == 6 and Home(settings).lineage.latest("tiny/models/BPRMF") is None
    assert start(settings, RUN).wait() == 0
    assert kept.items() <= cells(settings).items()
    check_records(settings)
    assert outcome(settings) == undisturbed


def test_two_at_once_in_one_home_come_to_the_same(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    settings = in_home(tmp_path)
    both = [start(settings, RUN) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    check_records(settings)
    assert outcome(settings) == undisturbed
