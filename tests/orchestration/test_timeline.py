"""Runs of the command line in Dagster: under their job, with progress as events, and ended as they really ended."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.workspace.load_target import WorkspaceFileTarget

from orchestration.instance import PID, job_origin, prepare
from orchestration.materialise import materialise
from orchestration.progress import Advance, CombinedProgress, LogProgress
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.fingerprints import CHECKOUT
from recsys.study.study import Study
from recsys.wording import duration
from tests.orchestration.conftest import TINY, run, write_study

ONE_TEXT = '+key:"tiny/embeddings/text"'


class Interrupting:
    """A progress that presses Ctrl-C when work begins."""

    @contextmanager
    def track(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        signal.raise_signal(signal.SIGINT)
        time.sleep(60)
        yield lambda steps: None

    def note(self, line: str) -> None:
        """Nothing is shown."""


@contextmanager
def instance_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_a_run_names_the_place_where_the_webserver_finds_its_job(finished: tuple[Settings, Study]) -> None:
    (location,) = WorkspaceFileTarget([str(CHECKOUT / "workspace.yaml")]).create_origins()
    assert job_origin("study_tiny").repository_origin.code_location_origin == location
    with instance_of(finished[0]) as instance:
        *_, run = instance.get_runs(dg.RunsFilter(job_name="study_tiny", tags={"dagster/code_location": "modalift"}))
    assert run.remote_job_origin == job_origin("study_tiny")
    assert run.is_success


def test_progress_is_recorded_as_events(finished: tuple[Settings, Study]) -> None:
    with instance_of(finished[0]) as instance:
        *_, run = instance.get_runs()  # newest first
        lines = [log.user_message for log in instance.all_logs(run.run_id) if not log.is_dagster_event]
    assert "tiny: HybridItemKNN, 5 arms: 55 cells to do" in lines
    assert any(line.startswith("tiny: HybridItemKNN, 5 arms: 55 of 55 cells in ") for line in lines)


def test_events_report_progress_while_a_model_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.materialise.LogProgress", partial(LogProgress, every=0.0))
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    study = write_study(tmp_path, TINY.replace("  TopPop:\n", "  BPRMF: {n_factors: 4, max_epochs: 1}\n"))
    done = run(study, settings, '+key:"tiny/models/BPRMF"')
    with instance_of(settings) as instance:
        logs = instance.all_logs(done.run)
    lines = [log.user_message for log in logs if log.step_key == "tiny__models__BPRMF"]
    before = lines[: next(n for n, line in enumerate(lines) if line.startswith("Materialized value"))]
    for number in range(1, 9):
        assert any(line.startswith(f"tiny: BPRMF, interactions_only: {number} of 8 cells after ") for line in before)


def test_ctrl_c_cancels_the_run(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path, workers=1)
    with pytest.raises(KeyboardInterrupt):
        materialise(write_study(tmp_path), settings, Interrupting(), ONE_TEXT)
    with instance_of(settings) as instance:
        (run,) = instance.get_runs()
        assert (run.job_name, run.status) == ("study_tiny", dg.DagsterRunStatus.CANCELED)
        assert run.asset_selection == {dg.AssetKey(["tiny", "dataset"]), dg.AssetKey(["tiny", "embeddings", "text"])}


def test_what_happens_outside_of_a_step_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, study = Settings(home=tmp_path / "home", studies=tmp_path, workers=1), write_study(tmp_path)

    def fail(*_: object) -> None:
        raise OSError("no space left")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(InProcessExecutor, "execute", fail)
    assert materialise(study, settings, LogProgress(), ONE_TEXT).failures == ("study_tiny: OSError: no space left",)
    monkeypatch.setattr(InProcessExecutor, "execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        materialise(study, settings, LogProgress(), ONE_TEXT)


def test_a_run_whose_process_was_killed_is_closed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", studies=tmp_path)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    with instance_of(settings) as instance:
        dead = instance.create_run_for_job(dg.GraphDefinition("nothing").to_job(), tags={PID: str(pid)})
        alive = instance.create_run_for_job(dg.GraphDefinition("nothing").to_job(), tags={PID: str(os.getpid())})
    with instance_of(settings) as instance:
        status = {run.run_id: run.status for run in instance.get_runs()}
    assert status == {dead.run_id: dg.DagsterRunStatus.FAILURE, alive.run_id: dg.DagsterRunStatus.NOT_STARTED}


@pytest.mark.parametrize("name", ["half?price", "50%20off"])
def test_a_home_that_dagster_cannot_open_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="set MODALIFT_HOME to another folder"):
        prepare(Settings(home=tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_a_line_is_written_although_nothing_advances() -> None:
    lines: list[str] = []
    deadline = time.monotonic() + 30
    with LogProgress(lines.append, silence=0.01).track("fits", 2, "cells") as advance:
        while len(lines) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        advance(2)
    assert lines[:2] == ["fits: 2 cells to do", "fits: 0 of 2 cells after 1 s"]
    assert lines[-1].startswith("fits: 2 of 2 cells in ")


def test_a_time_is_in_seconds_up_to_two_minutes_wherever_it_is_said() -> None:
    seconds = (0, 1, 90, 119.4, 119.6, 119.4 * 60, 7200)
    words = ["under 1 s", "1 s", "90 s", "119 s", "2 minutes", "119 minutes", "2.0 hours"]
    assert [duration(each) for each in seconds] == words


def test_two_times_of_a_sentence_have_one_unit_where_the_shorter_is_one_of_it_at_least() -> None:
    assert [duration(each, beside=130) for each in (40, 61, 118)] == ["40 s", "1 minute", "2 minutes"]
    assert [duration(each, beside=9000) for each in (1200, 3700)] == ["20 minutes", "1.0 hours"]
    assert duration(118, beside=30) == "118 s"


def test_work_is_shown_in_several_places() -> None:
    first: list[str] = []
    second: list[str] = []
    places = [LogProgress(lines.append, every=0.0) for lines in (first, second)]
    with CombinedProgress(*places).track("fits", 2, "cells") as advance:
        advance(1)
    assert first == second and "fits: 1 of 2 cells after 1 s, about 1 s left" in first
