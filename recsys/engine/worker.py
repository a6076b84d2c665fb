"""A process of one thread that runs cells, one at a time, and its handle on the parent's side.

A process of its own for each slot, with a pipe of its own, and not a shared queue: when one dies, the cell that it
ran is known, the other cells are not touched, and what it had half written cannot block anybody.
"""

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle

# A process of loky's does not import the caller's `__main__`, so that a script needs no guard, and takes `env`.
from joblib.externals.loky.backend.process import LokyProcess
from threadpoolctl import ThreadpoolController

from recsys.engine.cell import CellResult
from recsys.engine.failure import CellOutcome, Failure, attempt, killed
from recsys.engine.slots import Gpu

CellFunction = Callable[[Any], CellResult]

_ENDING_SECONDS = 5.0
"""How long a process that has closed its end of the pipe may take to end by itself."""
_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in _LIBRARIES} | {"VECLIB_MAXIMUM_THREADS": "1"}


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit this process to one thread of BLAS and OpenMP, PyTorch's included, in the libraries it has loaded.

    Two threads that fight for a busy core were seen to cost ten times what one costs.
    """
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    with _loaded_libraries(len(sys.modules)).limit(limits=1):
        try:
            if torch:
                torch.set_num_threads(1)
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _loaded_libraries(n_modules: int) -> ThreadpoolController:
    """What BLAS and OpenMP there are; kept until a module is imported, for looking costs as much as a small cell."""
    return ThreadpoolController()


def free_gpu() -> bool:
    """Free what torch keeps for later, which is lost to other processes on the GPU; False where CUDA is broken.

    After an error such as an illegal access, CUDA refuses whatever the process asks of it from then on.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return True

    def free() -> None:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()

    return not isinstance(attempt(free), Failure)


def task_of(work: CellFunction, cell: Any) -> bytes:
    """What a worker is sent to run a cell."""
    return cloudpickle.dumps((work, cell))


class Worker:
    """The handle of a worker process; one that is bound to a GPU sees no other.

    Attributes:
        is_sound: whether the process can run another cell after the one whose outcome it gave.
    """

    def __init__(self, gpu: Gpu | None = None) -> None:
        """Start the process; it imports what its first cell needs when that cell comes.

        Raises:
            OSError: no process can be started, for want of memory, of processes or of open files.
        """
        self.gpu, self.is_sound = gpu, True
        self.connection, theirs = Pipe()
        env = _ONE_THREAD | ({"CUDA_VISIBLE_DEVICES": gpu.name} if gpu else {})
        self._process = LokyProcess(target=_serve, args=(theirs, os.getpid()), env=env, daemon=True)
        try:
            _start(self._process)
        except BaseException:
            self.connection.close()
            raise
        finally:
            # With the last copy of its end gone with the process, its death is the end of the file.
            theirs.close()
        self._started = time.perf_counter()

    def start(self, task: bytes) -> bool:
        """Begin a cell; False if the process has gone, as `outcome` says too."""
        self._started = time.perf_counter()
        try:
            self.connection.send_bytes(task)
        except ConnectionError:
            return False
        return True

    def outcome(self) -> CellOutcome:
        """The outcome of its cell, once `connection` is ready; of kind `killed` if the process has ended.

        A process that has closed its end but goes on is ended. An outcome that cannot be unpickled is a failure of
        the cell.
        """
        try:
            answer, self.is_sound = self.connection.recv()
        except (EOFError, OSError):  # OSError: it ended in the middle of its answer
            self._process.join(_ENDING_SECONDS)  # it keeps its exit code where it ends by itself
            self._end()
            return killed(self._process.exitcode, time.perf_counter() - self._started)
        return attempt(partial(pickle.loads, answer))

    def stop(self) -> None:
        """End the process now, whatever it does."""
        self._end()
        self.connection.close()

    def _end(self) -> None:
        if self._process.is_alive():
            # SIGTERM may be lost on a process that has only just been started.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()


def _start(process: LokyProcess) -> None:
    try:
        process.start()
    except OSError as error:
        raise _not_started(error) from error
    except UnboundLocalError as error:
        # Where pipes cannot be opened, loky fails over what it has not assigned yet.
        if isinstance(error.__context__, OSError):
            raise _not_started(error.__context__) from error
        raise


def _not_started(refused: OSError) -> OSError:
    return OSError(refused.errno, f"no process could be started: {refused.strerror or refused}")


def _serve(connection: Connection, parent: int) -> None:
    # Ctrl-C reaches every process of the terminal; the parent decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whoever started the parent may have had it ignored, and it is what ends this process with its parent.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with(parent)
    # Where Linux runs out of memory, it ends the process with the highest score: a worker, never the parent.
    with suppress(OSError):
        score = Path("/proc/self/oom_score_adj")
        score.write_text(str(min(int(score.read_text()) + 500, 1000)))
    with suppress(EOFError, BrokenPipeError):
        while True:
            connection.send((_answer(connection.recv_bytes()), free_gpu()))


def _answer(task: bytes) -> bytes:
    """Run a pickled cell to its pickled outcome; one that cannot be pickled is a Failure too."""

    def run() -> bytes:
        work, cell = pickle.loads(task)
        return pickle.dumps(work(cell))

    answer = attempt(run)
    return answer if isinstance(answer, bytes) else pickle.dumps(answer)


def _end_with(parent: int) -> None:
    """End this process when the one that feeds it is gone, which a killed parent cannot see to itself."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
