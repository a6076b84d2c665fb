"""What the engine's tests run in place of `run_cell`; worker processes import it from here."""

import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from recsys.content.arms import Arm
from recsys.engine.cell import Cell, CellResult
from recsys.errors import UserError
from recsys.evaluation.protocol import Protocol


def cell(name: str, **params: Any) -> Cell:
    return Cell("", 1, {}, name, params, Arm("interactions_only"), 0, "tuning", Protocol())


def work(cell: Cell) -> CellResult:
    """Do what the cell's name says."""
    return ACTIONS[cell.model](cell)


def result(cell: Cell, **seen: Any) -> CellResult:
    return CellResult({"number": cell.params.get("number", 0)}, [seen], False, False, {}, 0.0)


def fail(cell: Cell) -> CellResult:
    raise RuntimeError("the loss\nis odd")


def refuse(cell: Cell) -> CellResult:
    raise UserError("rate: must be above 0")


def allocate(cell: Cell) -> CellResult:
    """More memory than this process may have."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, limits[1]))
    try:
        return result(cell, total=np.ones(2**29).sum())
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def once(cell: Cell) -> CellResult:
    """Out of memory where it is run for the first time."""
    mark = Path(cell.params["folder"], str(cell.params["number"]))
    if not mark.exists():
        mark.touch()
        raise MemoryError
    return result(cell, pid=os.getpid())


def once_no_thread(cell: Cell) -> CellResult:
    """Without a thread where it is run for the first time."""
    mark = Path(cell.params["folder"], str(cell.params["number"]))
    if not mark.exists():
        mark.touch()
        raise RuntimeError("can't start new thread")
    return result(cell, pid=os.getpid())


def die(cell: Cell) -> CellResult:
    os.kill(os.getpid(), cell.params.get("signal", signal.SIGKILL))
    raise AssertionError("unreachable")


def leave(cell: Cell) -> CellResult:
    os._exit(3)


def exit_python(cell: Cell) -> CellResult:
    sys.exit(2)


class Unreadable:
    """What is pickled and cannot be unpickled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return _raise, (self.name,)


def _raise(name: str) -> None:
    raise {"OSError": OSError, "ValueError": ValueError}[name]("cannot be read")


def unreadable(cell: Cell) -> CellResult:
    return result(cell, answer=Unreadable(cell.params["error"]))


def not_pickled(cell: Cell) -> CellResult:
    return result(cell, lock=threading.Lock())


def look(cell: Cell) -> CellResult:
    """Where it runs."""
    score = int(Path("/proc/self/oom_score_adj").read_text())
    return result(cell, pid=os.getpid(), gpu=os.environ.get("CUDA_VISIBLE_DEVICES"), oom_score_adj=score)


def look_at_job(job: Any) -> CellResult:
    """Where a runner's job runs."""
    return look(job.cell)


def break_cuda(cell: Cell) -> CellResult:
    """Fails, and so does from then on whatever this process asks of CUDA."""
    import torch

    def refuse() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    torch.cuda.is_initialized = lambda: True
    torch.cuda.synchronize = torch.cuda.empty_cache = refuse
    raise ValueError(f"item 7 of 5, in {os.getpid()}")


def count_threads(cell: Cell) -> CellResult:
    import torch

    blas = [pool["num_threads"] for pool in threadpool_info()]
    return result(cell, threads=max(torch.get_num_threads(), *blas))


def forever(cell: Cell) -> CellResult:
    """Says that it runs, then runs until somebody ends it."""
    Path(cell.params["folder"], str(os.getpid())).touch()
    while True:
        time.sleep(0.05)


ACTIONS = {
    "ok": result,
    "fail": fail,
    "refuse": refuse,
    "allocate": allocate,
    "once": once,
    "once_no_thread": once_no_thread,
    "exit_python": exit_python,
    "unreadable": unreadable,
    "die": die,
    "leave": leave,
    "not_pickled": not_pickled,
    "look": look,
    "break_cuda": break_cuda,
    "count_threads": count_threads,
    "forever": forever,
}
