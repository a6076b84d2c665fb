"""What a failure says of its exception: one line with the kind, the reason and the place."""

import errno
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from zipfile import BadZipFile

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
    "x.pt": torch.load,
    "x.npz": lambda file: np.load(file)["a"],
    "x.pickle": lambda file: pickle.loads(file.read_bytes()),
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
    assert failure(KeyError("a")).message == "KeyError: 'a' (tests/engine/test_failure.py:32)"
    assert failure(ValueError("a\n  b")).message == "ValueError: a b (tests/engine/test_failure.py:32)"
    assert failure(ValueError()).message == "ValueError (tests/engine/test_failure.py:32)"
    assert len(failure(ValueError("x" * 10_000)).message) < 600


def test_the_place_is_the_innermost_that_is_no_librarys() -> None:
    outcome = attempt(lambda: np.linalg.inv(np.zeros((2, 2))))
    assert isinstance(outcome, Failure)
    assert outcome.message == "LinAlgError: Singular matrix (tests/engine/test_failure.py:55)"


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
        (IsADirectoryError(errno.EISDIR, "Is a directory", "words"), "error"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "words.txt/x"), "error"),
        (FileExistsError(errno.EEXIST, "File exists", "words.txt"), "error"),
        (OSError(errno.EINVAL, "Invalid argument"), "error"),
        (TimeoutError("timed out"), "error"),
        (OSError("the plug-in's own"), "error"),
        (SystemExit(1), "error"),
        (EOFError("Ran out of input"), "machine"),
        (BadZipFile("File is not a zip file"), "machine"),
        (UnpicklingError("pickle data was truncated"), "machine"),
        (UnpicklingError("Weights only load failed"), "error"),
        (RuntimeError("PytorchStreamReader failed reading zip archive: failed finding central directory"), "machine"),
        (json.JSONDecodeError("Expecting value", "no JSON", 0), "error"),
    ],
)
def test_kinds(error: BaseException, kind: str) -> None:
    assert failure(error).kind == kind


REFUSALS = """
    EACCES EPERM EROFS EBUSY ENOLCK ENXIO ENODEV EFBIG EREMOTEIO
    ENOTCONN ECONNREFUSED ECONNRESET ETIMEDOUT EHOSTDOWN EHOSTUNREACH ENETDOWN
"""


@pytest.mark.parametrize("name", REFUSALS.split())
def test_what_the_system_refuses_may_pass(name: str) -> None:
    number = getattr(errno, name)
    assert failure(OSError(number, os.strerror(number))).kind == "machine"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("No CUDA GPUs are available", "machine"),
        ("Can't initialize NVML: Driver/library version mismatch", "machine"),
        ("Found no NVIDIA driver on your system", "machine"),
        ("CUDA driver initialization failed, you might not have a CUDA gpu.", "machine"),
        ("CUDA unknown error - this may be due to an incorrectly set up environment", "machine"),
        ("CUDA error: unspecified launch failure", "machine"),
        ("CUDA error: uncorrectable ECC error encountered", "machine"),
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", "machine"),
        ("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED", "machine"),
        ("CUDA error: out of memory", "out_of_memory"),
        ("CUDA error: device-side assert triggered", "error"),
        ("CUDA error: an illegal memory access was encountered", "error"),
        ("CUDA error: invalid configuration argument", "error"),
        ("CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasSgemm`", "error"),
        ("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!", "error"),
        ("\"addmm_impl_cuda\" not implemented for 'Long'", "error"),
    ],
)
def test_what_cuda_says_of_the_device_is_the_machines_and_of_a_kernel_the_models(said: str, kind: str) -> None:
    assert failure(RuntimeError(said)).kind == kind


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("kept", [0, 20])
def test_a_file_that_was_cut_off_is_the_machines_failure(tmp_path: Path, name: str, kept: int) -> None:
    pd.DataFrame({"a": [1.0]}).to_parquet(tmp_path / "x.parquet")
    save_file({"a": np.ones(1)}, tmp_path / "x.safetensors")
    torch.save(torch.ones(1), tmp_path / "x.pt")
    np.savez(tmp_path / "x.npz", a=np.ones(1))
    (tmp_path / "x.pickle").write_bytes(pickle.dumps({"a": [1.0] * 20}))
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
