"""A study of six models, four of which cannot be trained, ends with the verdict and the report of the other two."""

import errno
import json
import subprocess
from pathlib import Path

import pytest

from orchestration.cli.plan import AGAIN, plan
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.engine.cell import Cell, CellResult, run_cell
from tests.orchestration.command_line import call
from tests.orchestration.conftest import TINY, cells, write_study
from tests.orchestration.plugins import modalift, write

MODEL = '''
"""A model that cannot be trained."""

{imports}

from recsys.models.registry import register
from recsys.models.scoring import ItemWeightsModel
from recsys.recommender import TrainingData


@register
class {name}(ItemWeightsModel):
    """{name}."""

    source = "made for a test"

    def fit(self, data: TrainingData) -> None:
        """Fail."""
        with open("tried.txt", "a", encoding="utf-8") as tried:
            tried.write("{name}\\n")
        {fit}
'''
RAISES = 'raise RuntimeError("the matrix is singular")'
OUT_OF_MEMORY = """limit = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + 2**26, limit[1]))
        try:
            self.weights = np.ones(2**28)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, limit)"""
DISK_FULL = 'raise OSError(errno.ENOSPC, "No space left on device")'
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
STUDY = TINY.replace("models:\n  TopPop:\n", "models:\n  AlwaysRaises:\n  OutOfMemory:\n  Killed:\n  DiskFull:\n")
LINES = {
    "AlwaysRaises": "AlwaysRaises left out (interactions_only): every trial failed, the last with: "
    "RuntimeError: the matrix is singular (plugins/models/linear/alwaysraises.py:",
    "OutOfMemory": "OutOfMemory left out (interactions_only): every trial failed, the last with: MemoryError: "
    "Unable to allocate 2.00 GiB",
    "Killed": "Killed left out (interactions_only): every trial failed, the last with: "
    "its process was killed (signal 9), most often for want of memory",
    "DiskFull": "DiskFull left out (interactions_only): every trial failed, the last with: "
    "OSError: [Errno 28] No space left on device (plugins/models/linear/diskfull.py:",
}
PASSING = {"OutOfMemory", "Killed", "DiskFull"}
Ran = tuple[Path, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("failures")
    for name, imports, fit in (
        ("AlwaysRaises", "", RAISES),
        ("OutOfMemory", "import resource\n\nimport numpy as np\nimport psutil", OUT_OF_MEMORY),
        ("Killed", "import os\nimport signal", KILLED),
        ("DiskFull", "import errno", DISK_FULL),
    ):
        code = MODEL.format(name=name, imports=imports, fit=fit)
        write(folder, f"models/linear/{name.lower()}.py", code)
    (folder / "tiny.yaml").write_text(STUDY, encoding="utf-8")
    return folder, modalift(folder, "run", "tiny", "--workers", "2")


def home_of(folder: Path) -> Home:
    return Home(Settings(home=folder / "home", studies=folder))


def test_the_run_ends_with_exit_code_1_and_names_the_four(ran: Ran) -> None:
    folder, done = ran
    assert done.returncode == 1, done.stderr
    named = [line for line in done.stderr.splitlines() if " left out (" in line]
    assert len(named) == 4
    for expected in LINES.values():
        assert sum(line.startswith(f"tiny: {expected}") for line in named) == 1
    again = {line.split()[1] for line in named if line.endswith("; the next run tries again")}
    assert again == PASSING
    assert f"Materialised {len(home_of(folder).lineage.assets())} assets of study tiny" in done.stdout
    assert "Report: " in done.stdout


def test_the_verdict_compares_the_other_two(ran: Ran) -> None:
    home = home_of(ran[0])
    assert home.current("tiny/verdict").facts["verdict"]
    page = (ran[0] / "home/reports/tiny.html").read_text(encoding="utf-8")
    for expected in LINES.values():
        assert expected in page
    assert "HybridItemKNN" in page


def test_results_name_them_with_reasons(ran: Ran) -> None:
    folder, _ = ran
    shown = modalift(folder, "results", "tiny").stdout
    assert all(expected in shown for expected in LINES.values())
    left_out = json.loads(modalift(folder, "results", "tiny", "--json").stdout)["datasets"]["tiny"]["left_out"]
    assert [(each["model"], each["arm"]) for each in left_out] == [(name, "interactions_only") for name in LINES]
    for each in left_out:
        assert each["reason"].startswith(LINES[each["model"]].partition(": ")[2])
    markdown = modalift(folder, "results", "tiny", "--markdown").stdout
    assert all(f"- {expected}" in markdown for expected in LINES.values())


def test_mlflow_has_failed_runs_with_reasons(ran: Ran) -> None:
    tracker = home_of(ran[0]).tracker.direct
    runs = tracker.client.search_runs([tracker.experiment("tiny")], max_results=1000)
    failed = {run.data.tags["model"]: run for run in runs if run.info.status == "FAILED"}
    assert set(failed) == set(LINES)
    for name, run in failed.items():
        said = " ".join(run.data.tags.values())
        assert LINES[name].partition("the last with: ")[2] in said


def test_what_is_tried_again_is_to_do_and_results_say_what_they_lack(ran: Ran) -> None:
    folder, _ = ran
    shown = modalift(folder, "run", "tiny", "--dry-run").stdout
    stale = {line.split("│")[1].strip() for line in shown.splitlines() if "a part failed" in line}
    assert stale == {f"tiny/models/{name}" for name in PASSING}
    said = modalift(folder, "results", "tiny").stderr
    assert "made while parts of tiny/models/OutOfMemory, tiny/models/Killed, tiny/models/DiskFull failed for" in said


def test_the_next_run_tries_again_what_may_do_better_and_nothing_else(ran: Ran) -> None:
    folder, _ = ran
    settings = Settings(home=folder / "home", studies=folder)
    before, tried = cells(settings), folder / "tried.txt"
    tried.unlink()
    again = modalift(folder, "run", "tiny", "--workers", "2")
    assert again.returncode == 1
    assert all(f"tiny: {expected}" in again.stderr for expected in LINES.values())
    assert set(tried.read_text(encoding="utf-8").splitlines()) == PASSING
    assert cells(settings) == before
    lineage = home_of(folder).lineage
    made = {asset for asset in lineage.assets() if (event := lineage.latest(asset)) and not event.reused}
    assert made == {f"tiny/models/{name}" for name in PASSING}


@pytest.mark.parametrize(
    ("error", "named_as"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "OSError: [Errno 24] Too many open files"),
        (MemoryError("Unable to allocate 2.00 GiB"), "MemoryError: Unable to allocate 2.00 GiB"),
    ],
)
def test_a_trial_that_the_machine_lost_is_named_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, named_as: str
) -> None:
    """Two of three trials leave the model in, and the third may have been the best."""
    lost: list[Cell] = []

    def once(cell: Cell, out: Path) -> CellResult:
        if cell.model == "ItemKNN" and not lost:
            lost.append(cell)
            raise error
        return run_cell(cell, out)

    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    monkeypatch.setattr("recsys.engine.runner.run_cell", once)
    select, home, study = '+key:"tiny/models/ItemKNN"', Home(settings), write_study(tmp_path)
    first = call(settings, "run", "tiny", "--select", select)
    assert first.exit_code == 1
    named = [line for line in first.stderr.splitlines() if line.startswith("tiny: ItemKNN: ")]
    assert len(named) == 1 and named[0].startswith("tiny: ItemKNN: 1 of ")
    assert f" trainings failed, which the next run tries again: {named_as}" in named[0]
    assert [(step.asset, step.why) for step in plan(study, home, select) if step.state != "up to date"] == [
        ("tiny/models/ItemKNN", AGAIN)
    ]
    assert call(settings, "run", "tiny", "--select", select).exit_code == 0
    assert home.current("tiny/models/ItemKNN").failures == ()
    assert {step.state for step in plan(study, home, select)} == {"up to date"}
