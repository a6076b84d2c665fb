"""Where cells run: in this process, or in a pool of processes of one thread each.

Two threads that fight for a busy core were seen to cost ten times what one costs, so a cell gets one thread
and cells run side by side.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from recsys.engine.cell import Cell, CellResult, run_cell
from recsys.errors import UserError


@dataclass(frozen=True)
class Failure:
    """A cell that could not be run: its hyper-parameters diverge or contradict each other.

    Attributes:
        message: why.
        seconds: that it took to find out.
    """

    message: str
    seconds: float


Outcome = CellResult | Failure


def default_workers() -> int:
    """One worker for each core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_cells(cells: Sequence[Cell], workers: int) -> Iterator[tuple[int, Outcome]]:
    """Run all cells, giving each one's position and outcome as it ends, in any order."""
    if workers == 1 or len(cells) == 1:
        yield from ((position, _outcome(cell)) for position, cell in enumerate(cells))
        return
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        tasks = (delayed(_in_worker)(os.getpid(), position, cell) for position, cell in enumerate(cells))
        try:
            yield from Parallel(return_as="generator_unordered", batch_size=1)(tasks)
        except TerminatedWorkerError:
            raise UserError(
                "a worker process was killed, most often for want of memory: "
                "run again with fewer workers (--workers 1); finished cells are kept"
            ) from None


def _outcome(cell: Cell) -> Outcome:
    started = time.perf_counter()
    try:
        return run_cell(cell)
    except UserError as error:
        return Failure(str(error), time.perf_counter() - started)


def _in_worker(parent: int, position: int, cell: Cell) -> tuple[int, Outcome]:
    import torch

    torch.set_num_threads(1)
    _die_with(parent)
    return position, _outcome(cell)


def _die_with(parent: int) -> None:
    """End this worker when the process that feeds it is gone, which a killed parent cannot do itself."""
    if any(thread.name == "parent-watch" for thread in threading.enumerate()):
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
