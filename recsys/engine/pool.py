"""Cells on this machine: in this process, or side by side in worker processes as far as the slots allow.

A cell that runs out of memory, of threads or of processes, or whose process is killed, while others ran beside it may
be their victim: it is run once more when all others are done, alone and in a fresh process. Where no process can be
started beside others, as without a free file descriptor, the cell waits for them. Whatever happens to a cell, the
others complete.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from recsys.engine.failure import PASSING, CellOutcome, Failure, attempt
from recsys.engine.slots import Gpu, Needs, Place, Room, Slots
from recsys.engine.worker import CellFunction, Worker, free_gpu, one_thread, task_of

_IDLE_SECONDS = 300.0


def run_cells(
    cells: Sequence[Any], slots: Slots, work: CellFunction, needs: Callable[[Any], Needs]
) -> Iterator[tuple[int, CellOutcome]]:
    """Run all cells, yielding each one's position and outcome as it ends, in any order.

    One worker runs in this process with one thread, and a pool is not started, unless a cell has broken CUDA here; a
    cell that kills its process then kills this one.

    Args:
        cells: what to run, in whatever form `work` takes it; they are pickled for other processes, like their results.
        slots: what they may use of this machine.
        work: runs a cell: a pure function that can be pickled. Any exception that it raises is a Failure of the
            cell, SystemExit too; KeyboardInterrupt in this process ends the running cells and is raised.
        needs: what a cell needs while it runs. A cell that needs more than there is runs alone.
    """
    if slots.workers > 1:
        yield from _Schedule(cells, slots, work, needs).run()
        return
    for position, cell in enumerate(cells):
        if not free_gpu():  # what broke it stays with this process
            rest = _Schedule(cells[position:], slots, work, needs).run()
            yield from ((position + later, outcome) for later, outcome in rest)
            return
        with one_thread():
            outcome = attempt(partial(work, cell))
        yield position, outcome


@dataclass
class _Running:
    """A cell in a worker; `alone` as long as nothing else has run at the same time."""

    position: int
    place: Place
    worker: Worker
    alone: bool


class _Schedule:
    def __init__(self, cells: Sequence[Any], slots: Slots, work: CellFunction, needs: Callable[[Any], Needs]) -> None:
        self.cells, self.work = cells, work
        self.needs = [needs(cell) for cell in cells]
        self.waiting = list(range(len(cells)))
        self.suspects: list[int] = []
        self.room = Room(slots, self.needs)
        self.running: dict[Connection, _Running] = {}

    def run(self) -> Iterator[tuple[int, CellOutcome]]:
        try:
            yield from self._try_to_start()
            while self.running:
                ready = wait(self.running)
                for connection in [each for each in self.running if each in ready]:
                    ended = self.running.pop(connection)
                    outcome = self._outcome(ended)
                    # The workers should not wait for what the caller does with an outcome.
                    not_started = self._try_to_start()
                    if outcome is not None:
                        yield ended.position, outcome
                    yield from not_started
        finally:
            for running in self.running.values():
                running.worker.stop()
            _IDLE.stop_later()

    def _try_to_start(self) -> list[tuple[int, CellOutcome]]:
        """Start, in their order, the waiting cells that fit; once they are done, a suspect alone.

        Returns:
            Position and failure of each cell that could not be started though nothing else ran.
        """
        failed: list[tuple[int, CellOutcome]] = []
        for position in list(self.waiting):
            if len(self.running) == self.room.workers:
                return failed
            place = self._place(position)
            if place is None:
                continue
            failure = self._begin(position, place)
            if failure and failure.kind in PASSING and self.running:
                return failed
            self.waiting.remove(position)
            if failure:
                failed.append((position, failure))
        while not self.running and self.suspects:
            # Idle processes may hold memory, too.
            _IDLE.stop(keep=0)
            position = self.suspects.pop(0)
            place = self._place(position)
            assert place is not None  # nothing else runs
            if failure := self._begin(position, place):
                failed.append((position, failure))
        return failed

    def _place(self, position: int) -> Place | None:
        """Where a cell fits now, None while it has to wait."""
        return self.room.place(self.needs[position], [other.place for other in self.running.values()])

    def _begin(self, position: int, place: Place) -> Failure | None:
        """Run a cell at its place, or say why it could not be given to a process."""
        worker = attempt(partial(self._worker, self.cells[position], place.gpu))
        if isinstance(worker, Failure):
            return worker
        for other in self.running.values():
            other.alone = False
        self.running[worker.connection] = _Running(position, place, worker, alone=not self.running)
        return None

    def _worker(self, cell: Any, gpu: Gpu | None) -> Worker:
        """A worker that was given the cell: an idle one that is still alive, else a new one.

        A new one that has died by then is known by its outcome.
        """
        task = task_of(self.work, cell)
        idle = _IDLE.take(gpu)
        if idle is not None:
            if idle.start(task):
                return idle
            idle.stop()
        _IDLE.stop(keep=self.room.workers - len(self.running) - 1)
        worker = Worker(gpu)
        worker.start(task)
        return worker

    def _outcome(self, ended: _Running) -> CellOutcome | None:
        """What came of a cell; None if it is to be run again."""
        outcome = ended.worker.outcome()
        kind = outcome.kind if isinstance(outcome, Failure) else None
        stands = kind in (None, "error")
        if stands and ended.worker.is_sound:
            _IDLE.give(ended.worker)
        else:
            ended.worker.stop()
        if stands or ended.alone or kind == "machine":  # it would find the same disk alone
            return outcome
        self.suspects.append(ended.position)
        return None


class _Idle:
    """Workers without a cell, kept for the next call: a process has its libraries and datasets loaded."""

    def __init__(self) -> None:
        self._workers: list[Worker] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(0, self.stop)

    def take(self, gpu: Gpu | None) -> Worker | None:
        with self._lock:
            worker = next((worker for worker in reversed(self._workers) if worker.gpu == gpu), None)
            if worker is not None:
                self._workers.remove(worker)
            return worker

    def give(self, worker: Worker) -> None:
        with self._lock:
            self._workers.append(worker)

    def stop(self, keep: int = 0) -> None:
        """Stop all but the `keep` that were used last."""
        with self._lock:
            while len(self._workers) > keep:
                self._workers.pop(0).stop()

    def stop_later(self) -> None:
        """Free the memory of workers that nobody wants for a while."""
        self._timer.cancel()
        self._timer = threading.Timer(_IDLE_SECONDS, self.stop)
        self._timer.daemon = True
        self._timer.start()


_IDLE = _Idle()
