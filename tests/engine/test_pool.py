"""Cells side by side: whatever happens to one, the others complete, and each has exactly one outcome."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from threadpoolctl import threadpool_info

from recsys.engine import pool
from recsys.engine.cell import CellResult
from recsys.engine.failure import CellOutcome, Failure, attempt
from recsys.engine.pool import run_cells
from recsys.engine.slots import Gpu, Needs, Slots
from recsys.engine.worker import Worker
from tests.engine.work import cell, work


@pytest.fixture
def no_idle_workers() -> Iterator[None]:
    pool._IDLE.stop()
    yield
    pool._IDLE.stop()


def outcomes(*names: str, slots: Slots | None = None, needs: Needs | None = None, **params: Any) -> list[CellOutcome]:
    """Outcomes of the cells that do what `names` say, in their order."""
    cells = [cell(name, number=number, **params) for number, name in enumerate(names)]
    ended = list(run_cells(cells, slots or Slots(2), work, lambda cell: needs or Needs()))
    assert sorted(position for position, _ in ended) == list(range(len(cells)))
    return [outcome for _, outcome in sorted(ended, key=lambda pair: pair[0])]


def numbers(found: list[CellOutcome]) -> list[float | None]:
    """What each cell computed, None for a failure."""
    return [outcome.valid["number"] if isinstance(outcome, CellResult) else None for outcome in found]


def seen(found: list[CellOutcome], name: str) -> list[Any]:
    assert all(isinstance(outcome, CellResult) for outcome in found), found
    return [outcome.curve[0][name] for outcome in found if isinstance(outcome, CellResult)]


def failure(outcome: CellOutcome) -> tuple[str, str]:
    assert isinstance(outcome, Failure)
    return outcome.kind, outcome.message


@pytest.mark.parametrize("workers", [1, 2])
def test_each_cell_has_its_own_outcome_whatever_the_number_of_workers(workers: int) -> None:
    found = outcomes("ok", "fail", "ok", "refuse", "not_pickled", *["ok"] * 20, slots=Slots(workers))
    assert numbers(found)[5:] == list(range(5, 25))
    assert failure(found[1])[1].startswith("RuntimeError: the loss is odd (tests/engine/work.py:")
    assert failure(found[3]) == ("error", "rate: must be above 0")
    if workers > 1:
        assert failure(found[4])[1].startswith("TypeError: cannot pickle '_thread.lock' object")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cell_that_may_not_have_its_memory_fails_alone(workers: int) -> None:
    found = outcomes("ok", "allocate", "ok", "ok", slots=Slots(workers))
    assert numbers(found) == [0, None, 2, 3]
    kind, message = failure(found[1])
    assert kind == "out_of_memory"
    assert message.startswith("MemoryError: Unable to allocate 4.00 GiB for an array with shape (536870912,)")


@pytest.mark.parametrize("once", ["once", "once_no_thread"])
def test_want_of_memory_or_threads_beside_others_is_tried_once_more_alone(tmp_path: Path, once: str) -> None:
    found = outcomes(once, once, "ok", once, folder=str(tmp_path))
    assert numbers(found) == [0, 1, 2, 3]
    # Each in a process that had run nothing before it.
    assert len(set(seen([found[0], found[1], found[3]], "pid"))) == 3


def test_a_killed_process_fails_its_own_cell_and_no_other() -> None:
    found = outcomes("ok", "die", "ok", "leave", *["ok"] * 6)
    assert numbers(found) == [0, None, 2, None, *range(4, 10)]
    reason = "its process was killed (signal 9), most often for want of memory"
    assert failure(found[1]) == ("killed", reason)
    assert failure(found[3]) == ("killed", "its process ended without a result (exit code 3)")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cell_that_exits_python_fails_by_its_own_error(workers: int) -> None:
    found = outcomes("ok", "exit_python", "ok", slots=Slots(workers))
    assert numbers(found) == [0, None, 2]
    kind, message = failure(found[1])
    assert kind == "error" and message.startswith("SystemExit: 2 (tests/engine/work.py:")


@pytest.mark.parametrize("error", ["OSError", "ValueError"])
def test_an_outcome_that_cannot_be_unpickled_fails_its_cell(error: str) -> None:
    found = outcomes("ok", "unreadable", "ok", error=error)
    assert numbers(found) == [0, None, 2]
    kind, message = failure(found[1])
    assert kind == "error" and message.startswith(f"{error}: cannot be read (tests/engine/work.py:")


def test_a_crash_names_its_signal() -> None:
    found = outcomes("die", "ok", signal=int(signal.SIGSEGV))
    assert failure(found[0]) == ("killed", "its process crashed (signal 11, Segmentation fault)")


def test_a_worker_that_died_between_two_calls_is_replaced(no_idle_workers: None) -> None:
    for pid in set(seen(outcomes("look", "look"), "pid")):
        worker = psutil.Process(pid)
        worker.kill()
        worker.wait()
    assert numbers(outcomes("ok", "ok", "ok")) == [0, 1, 2]


def test_a_worker_that_dies_before_its_cell_fails_that_cell(
    monkeypatch: pytest.MonkeyPatch, no_idle_workers: None
) -> None:
    class Dead(Worker):
        def __init__(self, gpu: Gpu | None = None) -> None:
            super().__init__(gpu)
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.join()

    monkeypatch.setattr(pool, "Worker", Dead)
    assert [failure(each) for each in outcomes("ok", "ok", "ok")] == [
        ("killed", "its process was killed (signal 9), most often for want of memory")
    ] * 3


@pytest.mark.parametrize(("startable", "expected"), [(1, [0, 1, 2, 3]), (0, [None] * 4)])
def test_where_no_second_process_can_be_started_the_cells_run_in_one(
    monkeypatch: pytest.MonkeyPatch, no_idle_workers: None, startable: int, expected: list[int | None]
) -> None:
    started: list[Worker] = []

    def start(gpu: Gpu | None = None) -> Worker:
        if len(started) == startable:
            raise OSError(errno.EMFILE, "Too many open files")
        started.append(Worker(gpu))
        return started[-1]

    monkeypatch.setattr(pool, "Worker", start)
    found = outcomes("ok", "ok", "ok", "ok")
    assert numbers(found) == expected
    assert all(failure(each)[0] == "machine" for each in found if isinstance(each, Failure))


@contextmanager
def free_files(n_free: int) -> Iterator[None]:
    """So many files can still be opened."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    held = []
    while not held or held[-1] < used:
        held.append(os.dup(0))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1] + 1 + n_free, limits[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for file in held:
            os.close(file)


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
@pytest.mark.parametrize("n_free", range(6))
def test_where_files_cannot_be_opened_it_is_the_machine(n_free: int) -> None:
    Worker().stop()  # what loky opens once
    before = len(os.listdir("/proc/self/fd"))
    with free_files(n_free):
        found = attempt(Worker)
    assert isinstance(found, Failure) and found.kind == "machine"
    assert "Too many open files" in found.message
    assert len(os.listdir("/proc/self/fd")) - before <= 1  # loky leaves one open where its second pipe fails


def test_a_cell_that_cannot_be_sent_to_a_process_fails_alone() -> None:
    cells = [cell("ok", number=0), cell("ok", number=1, lock=threading.Lock()), cell("ok", number=2)]
    found = dict(run_cells(cells, Slots(2), work, lambda _: Needs()))
    assert numbers([found[0], found[1], found[2]]) == [0, None, 2]
    assert failure(found[1])[1].startswith("TypeError: cannot pickle '_thread.lock' object")


def test_a_worker_that_dies_in_the_middle_of_its_answer_was_killed() -> None:
    worker = Worker()
    worker.connection.close()
    worker.connection, theirs = Pipe()
    os.write(theirs.fileno(), (1000).to_bytes(4, "big") + b"the beginning")
    theirs.close()
    worker._process.terminate()
    assert failure(worker.outcome())[0] == "killed"
    worker.stop()


def test_a_process_that_closes_its_end_and_goes_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.engine.worker._ENDING_SECONDS", 0.1)
    worker = Worker()
    worker.connection.close()
    worker.connection, theirs = Pipe()
    theirs.close()
    assert failure(worker.outcome())[0] == "killed"
    assert not worker._process.is_alive()
    worker.stop()


@pytest.mark.parametrize("error", [TypeError("cannot pickle"), UnboundLocalError("parent_r")])
def test_what_is_no_refusal_of_the_system_is_raised_as_is(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def start(_: object) -> None:
        raise error

    monkeypatch.setattr("recsys.engine.worker.LokyProcess.start", start)
    with pytest.raises(type(error)):
        Worker()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's way of ending processes for want of memory")
def test_linux_ends_a_worker_before_this_process() -> None:
    here = int(Path("/proc/self/oom_score_adj").read_text())
    assert seen(outcomes("look", "look"), "oom_score_adj") == [min(here + 500, 1000)] * 2


def test_processes_are_used_again(no_idle_workers: None) -> None:
    first, second = (set(seen(outcomes("look", "look", "look"), "pid")) for _ in range(2))
    assert second <= first and os.getpid() not in first


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_whose_cuda_is_broken_runs_no_other_cell(
    workers: int, no_idle_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("is_initialized", "synchronize", "empty_cache"):  # one worker is this process
        monkeypatch.setattr(torch.cuda, name, getattr(torch.cuda, name))
    found = outcomes("break_cuda", *["look"] * 5, slots=Slots(workers))
    kind, message = failure(found[0])
    assert kind == "error" and message.startswith("ValueError: item 7 of 5")
    broken = int(message.split()[6])
    assert broken not in seen(found[1:], "pid")
    assert broken not in seen(outcomes("look", "look", slots=Slots(workers)), "pid")


def test_cells_too_large_to_run_side_by_side_run_one_by_one(no_idle_workers: None) -> None:
    found = outcomes(*["look"] * 3, slots=Slots(3, memory=10), needs=Needs(11))
    assert len(set(seen(found, "pid"))) == 1


def test_two_gpus_are_used_side_by_side(no_idle_workers: None) -> None:
    devices = [Gpu("3", 2**33), Gpu("GPU-5a", 2**33)]
    found = outcomes("look", "look", slots=Slots(2, devices=devices), needs=Needs(gpu_memory=2**32))
    assert seen(found, "gpu") == ["3", "GPU-5a"]


def test_a_gpu_that_is_full_keeps_a_cell_waiting(no_idle_workers: None) -> None:
    found = outcomes(*["look"] * 3, slots=Slots(3, devices=[Gpu("0", 2**33)]), needs=Needs(gpu_memory=2**33))
    assert seen(found, "gpu") == ["0"] * 3 and len(set(seen(found, "pid"))) == 1


def test_every_cell_has_one_thread_and_this_process_its_own_again() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    before = threadpool_info()
    try:
        assert seen(outcomes("count_threads"), "threads") == [1]
        assert torch.get_num_threads() == 3 and threadpool_info() == before
    finally:
        torch.set_num_threads(threads)
    assert seen(outcomes("count_threads", "count_threads"), "threads") == [1, 1]


def test_whoever_stops_listening_ends_the_running_cells(tmp_path: Path) -> None:
    running = run_cells([cell("ok"), *[cell("forever", folder=str(tmp_path))] * 3], Slots(2), work, lambda _: Needs())
    assert next(running)[0] == 0
    pids = _pids(tmp_path, 1)
    running.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    code = f"""
from recsys.engine.pool import run_cells
from recsys.engine.slots import Needs, Slots
from tests.engine.work import cell, work
list(run_cells([cell("forever", folder={str(tmp_path)!r})] * 2, Slots(2), work, lambda _: Needs()))
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    workers = [psutil.Process(pid) for pid in _pids(tmp_path, 2)]
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def _pids(folder: Path, count: int) -> list[int]:
    """Processes of the cells that run `forever`, once so many of them do."""
    deadline = time.monotonic() + 60
    while len(files := list(folder.iterdir())) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(files) >= count
    return [int(file.name) for file in files]


def test_a_worker_that_has_only_just_been_started_ends_too() -> None:
    """It takes over that SIGTERM is ignored, and knows better only once it has begun."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        worker = Worker()
    finally:
        signal.signal(signal.SIGTERM, before)
    worker.stop()
    assert not worker._process.is_alive()


def test_a_program_that_was_started_with_sigterm_ignored_ends_all_the_same() -> None:
    program = (
        "from recsys.engine.pool import run_cells\nfrom recsys.engine.slots import Needs, Slots\n"
        "from tests.engine.work import cell, work\n"
        "print(len(list(run_cells([cell('ok') for n in range(2)], Slots(2), work, lambda _: Needs()))))"
    )
    ignoring = f"trap '' TERM; exec {sys.executable} -c \"$PROGRAM\""
    done = subprocess.run(
        ["bash", "-c", ignoring], env=os.environ | {"PROGRAM": program}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
