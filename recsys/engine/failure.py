"""A cell that cannot be run ends in a `Failure` with a reason: it never ends the search or the other cells."""

import errno
import json
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
from recsys.data import dataset
from recsys.engine.cell import Cell, CellResult
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
_DAMAGED = {"ArrowInvalid", "SafetensorError", "BadZipFile", "BadGzipFile", "EOFError"}
_CUT_OFF = re.compile(r"failed reading zip archive|data was truncated|truncated file", re.IGNORECASE)
# What processes share and others may hold: files open on the whole system; processes and threads of a user.
_EXHAUSTED = {errno.ENFILE, errno.EAGAIN}
# What the operating system says of a wrong name or argument, which would come again in each run. Anything else may
# pass without a change to the model: a full disk, a lost mount, rights that were not given, a server that is away.
_OWN = {
    errno.ENOENT,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.EINVAL,
    errno.EBADF,
}
# What CUDA and its libraries say of the device and its driver. PyTorch's errors name devices too, such as `cuda:0`.
_DEVICE = re.compile(
    r"CUDA (unknown )?error|CUDA driver|No CUDA GPUs|no NVIDIA driver|NVML|CU(BLAS|DNN)_STATUS|STATUS_NOT_INITIALIZED",
    re.IGNORECASE,
)
# What they say of a kernel and its arguments: an index out of range would come again.
_KERNEL = re.compile(
    r"device-side assert|illegal (memory access|instruction)|misaligned address|invalid (configuration )?argument"
    r"|STATUS_(INVALID_VALUE|BAD_PARAM|NOT_SUPPORTED)",
    re.IGNORECASE,
)
_MOST = 500
"""Characters of a message."""


@dataclass(frozen=True)
class Failure:
    """Why a cell has no result.

    Attributes:
        message: the reason, one line.
        seconds: until it failed.
        kind: `out_of_memory`, `killed` and `exhausted` (no thread, process or open file was left on the system) may
            be a matter of what ran beside the cell; `machine` is one of disks, mounts, rights and servers, of a GPU
            or of a file that is damaged; `error` is one of the cell itself.
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


def unread_input(cell: Cell, error: OSError | json.JSONDecodeError) -> str | None:
    """The input that an error is about, None where it is about a file of the model's own.

    Whether the input is there by now says nothing: another run may be replacing it.
    """
    if isinstance(error, OSError):
        named = str(error.filename or error)
        return next((each for each in (*cell.content.values(), f"{cell.dataset}/") if each in named), None)
    # Of the inputs only the dataset has JSON.
    read_by = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    return cell.dataset if dataset.__file__ in read_by else None


def _kind(error: BaseException) -> FailureKind:
    """The first that fits of the error and of those that it was raised from."""
    if isinstance(error, UserError):
        return "error"
    if _is_out_of_memory(error):
        return "out_of_memory"
    if _errno(error) in _EXHAUSTED or "can't start new thread" in str(error):
        return "exhausted"
    if _is_refusal(error) or _is_damage(error) or _is_of_the_gpu(error):
        return "machine"
    # Libraries hide the operating system's error behind one of their own.
    return _kind(error.__cause__) if error.__cause__ is not None else "error"


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _is_refusal(error: BaseException) -> bool:
    """Whether the operating system refused what it may grant another time."""
    number = _errno(error)
    return number is not None and number not in _OWN


def _is_of_the_gpu(error: BaseException) -> bool:
    text = str(error)
    return isinstance(error, RuntimeError) and _DEVICE.search(text) is not None and _KERNEL.search(text) is None


def _is_damage(error: BaseException) -> bool:
    """Whether a file was cut off or damaged; pyarrow raises a bare OSError where a file makes no sense to it."""
    if type(error) is OSError and error.errno is None:
        frames = traceback.extract_tb(error.__traceback__)
        return bool(frames) and "pyarrow" in frames[-1].filename
    return type(error).__name__ in _DAMAGED or _CUT_OFF.search(str(error)) is not None


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
