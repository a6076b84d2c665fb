"""A cell that cannot be run ends in a `Failure` with a reason: it never ends the search or the other cells."""

import errno
import re
import signal
import sysconfig
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import recsys
from recsys.engine.cell import CellResult
from recsys.errors import UserError

FailureKind = Literal["error", "out_of_memory", "killed", "exhausted", "machine"]
PASSING: tuple[FailureKind, ...] = ("out_of_memory", "killed", "exhausted", "machine")
"""What may not happen again, so that the next run tries again."""
Result = TypeVar("Result")

_PACKAGE = Path(recsys.__file__).parent
_LIBRARIES = ("site-packages", "dist-packages", sysconfig.get_paths()["stdlib"])
# PyTorch reports a failed allocation on the CPU, and some on the GPU, as a plain RuntimeError.
_NO_MEMORY = re.compile(r"can't allocate memory|out of memory|CUBLAS_STATUS_ALLOC_FAILED", re.IGNORECASE)
# What reading a file raises that was cut off: named, since a cell should not import pandas or safetensors for them.
_DAMAGED = {"ArrowInvalid", "SafetensorError", "JSONDecodeError"}
# What processes share and others may hold: files open on the whole system; processes and threads of a user.
_EXHAUSTED = {errno.ENFILE, errno.EAGAIN}
# What may pass without a change to the model: a full disk or quota, a limit of a file's size, files left open in this
# process, a failing disk, a file system that lost the file. The system's other errors are the code's own, as of a file
# that it does not find or a server that does not answer, and would come again in each run.
_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.EIO, errno.ESTALE}
_MOST = 500
"""Characters of a message."""


@dataclass(frozen=True)
class Failure:
    """Why a cell has no result.

    Attributes:
        message: the reason, one line.
        seconds: until it failed.
        kind: `out_of_memory`, `killed` and `exhausted` (no thread, process or open file was left on the system) may
            be a matter of what ran beside the cell; `machine` is one of the disk, of files that this process has
            open or of a file that is damaged; `error` is one of the cell itself.
    """

    message: str
    seconds: float
    kind: FailureKind = "error"


CellOutcome = CellResult | Failure


def attempt(work: Callable[[], Result]) -> Result | Failure:
    """What `work` returns, or a Failure for any exception it raises; KeyboardInterrupt is raised."""
    started = time.perf_counter()
    try:
        return work()
    except (Exception, SystemExit) as error:  # a plug-in that calls sys.exit ends its own cell only
        return Failure(_reason(error), time.perf_counter() - started, _kind(error))


def killed(exit_code: int | None, seconds: float) -> Failure:
    """The failure of a cell whose process ended under it; `exit_code` as `multiprocessing.Process` gives it."""
    if exit_code == -signal.SIGKILL:
        message = f"its process was killed (signal {-exit_code}), most often for want of memory"
    elif exit_code is not None and exit_code < 0:
        message = f"its process crashed (signal {-exit_code}, {signal.strsignal(-exit_code)})"
    else:
        message = f"its process ended without a result (exit code {exit_code})"
    return Failure(message, seconds, "killed")


def _kind(error: BaseException) -> FailureKind:
    """The first that fits of the error and of those that it was raised from."""
    if isinstance(error, UserError):
        return "error"
    if _is_out_of_memory(error):
        return "out_of_memory"
    if _errno(error) in _EXHAUSTED or "can't start new thread" in str(error):
        return "exhausted"
    if _errno(error) in _MACHINE or _is_damage(error):
        return "machine"
    # Libraries hide the operating system's error behind one of their own.
    return _kind(error.__cause__) if error.__cause__ is not None else "error"


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _is_damage(error: BaseException) -> bool:
    """Whether a file was cut off or damaged; pyarrow raises a bare OSError where a file makes no sense to it."""
    if type(error) is OSError and error.errno is None:
        frames = traceback.extract_tb(error.__traceback__)
        return bool(frames) and "pyarrow" in frames[-1].filename
    return type(error).__name__ in _DAMAGED


def _is_out_of_memory(error: BaseException) -> bool:
    # torch.OutOfMemoryError by name: a cell without torch should not import it for its error.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or _errno(error) == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, UserError):
        return text
    text = text if len(text) <= _MOST else f"{text[:_MOST]}..."
    name = type(error).__name__.lstrip("_")
    return f"{name}: {text}{_place(error)}" if text else f"{name}{_place(error)}"


def _place(error: BaseException) -> str:
    """Where the error was raised: the innermost line that is this library's or a user's own."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            return f" ({file.relative_to(_PACKAGE.parent)}:{frame.lineno})"
        if not frame.filename.startswith("<") and not any(library in frame.filename for library in _LIBRARIES):
            near = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
            return f" ({near}:{frame.lineno})"
    return ""
