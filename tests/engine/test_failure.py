"""What a failure says of its exception: one line with the kind, the reason and the place."""

import numpy as np
import pytest
import torch

from recsys.engine.failure import Failure, attempt
from recsys.errors import UserError


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
    assert failure(KeyError("a")).message == "KeyError: 'a' (tests/engine/test_failure.py:13)"
    assert failure(ValueError("a\n  b")).message == "ValueError: a b (tests/engine/test_failure.py:13)"
    assert failure(ValueError()).message == "ValueError (tests/engine/test_failure.py:13)"
    assert len(failure(ValueError("x" * 10_000)).message) < 600


def test_the_place_is_the_innermost_that_is_no_librarys() -> None:
    outcome = attempt(lambda: np.linalg.inv(np.zeros((2, 2))))
    assert isinstance(outcome, Failure)
    assert outcome.message == "LinAlgError: Singular matrix (tests/engine/test_failure.py:36)"


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
    ],
)
def test_kinds(error: Exception, kind: str) -> None:
    assert failure(error).kind == kind


def test_an_interrupt_is_nobodys_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        failure(KeyboardInterrupt())
