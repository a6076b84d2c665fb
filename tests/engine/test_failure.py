"""What a failure says of its exception: one line with the kind, the reason and the place."""

import errno
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file, save_file

from recsys.engine.failure import Failure, attempt
from recsys.errors import UserError

READS: dict[str, Callable[[Path], object]] = {
    "x.parquet": pd.read_parquet,
    "x.safetensors": load_file,
    "x.json": lambda file: json.loads(file.read_text()),
}


def failure(error: BaseException) -> Failure:
    def work() -> None:
        raise error

    outcome = attempt(work)
    assert isinstance(outcome, Failure)
    return outcome


def test_what_is_no_exception_is_returned() -> None:
    assert attempt(lambda: 3) == 3


def test_a_users_error_is_its_own_text() -> None:
    assert failure(UserError("rate: must be above 0")).message == "rate: must be above 0"


def test_any_other_is_its_name_text_and_place_in_one_line() -> None:
    assert failure(KeyError("a")).message == "KeyError: 'a' (tests/engine/test_failure.py:26)"
    assert failure(ValueError("a\n  b")).message == "ValueError: a b (tests/engine/test_failure.py:26)"
    assert failure(ValueError()).message == "ValueError (tests/engine/test_failure.py:26)"
    assert len(failure(ValueError("x" * 10_000)).message) < 600


def test_the_place_is_the_innermost_that_is_no_librarys() -> None:
    outcome = attempt(lambda: np.linalg.inv(np.zeros((2, 2))))
    assert isinstance(outcome, Failure)
    assert outcome.message == "LinAlgError: Singular matrix (tests/engine/test_failure.py:49)"


@pytest.mark.parametrize("allocate", [lambda: np.ones(2**50), lambda: torch.ones(2**50)])
def test_allocations_that_are_refused_are_out_of_memory(allocate) -> None:
    outcome = attempt(allocate)
    assert isinstance(outcome, Failure) and outcome.kind == "out_of_memory"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "error"),
        (UserError("the file is out of memory cards"), "error"),
        (OSError(errno.ENOSPC, "No space left on device"), "machine"),
        (OSError(errno.EMFILE, "Too many open files"), "machine"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "machine"),
        (OSError(errno.EIO, "Input/output error"), "machine"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (OSError(errno.ENFILE, "Too many open files in system"), "exhausted"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "exhausted"),
        (RuntimeError("can't start new thread"), "exhausted"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "words.txt"), "error"),
        (PermissionError(errno.EACCES, "Permission denied"), "error"),
        (OSError(errno.EROFS, "Read-only file system"), "error"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "error"),
        (TimeoutError("timed out"), "error"),
        (OSError("the plug-in's own"), "error"),
        (SystemExit(1), "error"),
    ],
)
def test_kinds(error: BaseException, kind: str) -> None:
    assert failure(error).kind == kind


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("kept", [0, 20])
def test_a_file_that_was_cut_off_is_the_machines_failure(tmp_path: Path, name: str, kept: int) -> None:
    pd.DataFrame({"a": [1.0]}).to_parquet(tmp_path / "x.parquet")
    save_file({"a": np.ones(1)}, tmp_path / "x.safetensors")
    (tmp_path / "x.json").write_text(json.dumps({"a": [1.0] * 20}))
    whole = attempt(lambda: READS[name](tmp_path / name))
    assert not isinstance(whole, Failure)
    with (tmp_path / name).open("r+b") as file:
        file.truncate(kept)
    outcome = attempt(lambda: READS[name](tmp_path / name))
    assert isinstance(outcome, Failure) and outcome.kind == "machine"


def test_a_parquet_file_whose_footer_makes_no_sense_is_the_machines_failure(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1.0]}).to_parquet(file)
    whole = file.read_bytes()
    size = int.from_bytes(whole[-8:-4], "little")
    file.write_bytes(whole[: -8 - size] + bytes(b ^ 0xFF for b in whole[-8 - size : -8]) + whole[-8:])
    outcome = attempt(lambda: pd.read_parquet(file))
    assert isinstance(outcome, Failure) and outcome.message.startswith("OSError: ") and outcome.kind == "machine"


def test_an_error_that_a_library_raised_for_the_systems_is_the_machines() -> None:
    hidden = RuntimeError("could not write")
    hidden.__cause__ = OSError(errno.EIO, "Input/output error")
    assert failure(hidden).kind == "machine"
    own = UserError("words.txt: cannot be read; save it as UTF-8")
    own.__cause__ = hidden
    assert failure(own).kind == "error"


def test_an_interrupt_is_nobodys_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        failure(KeyboardInterrupt())
