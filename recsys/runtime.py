"""Where arithmetic runs: the device, the precision, the number of threads."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from recsys.errors import UserError


def device() -> torch.device:
    """A GPU if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Within the block, torch, BLAS and OpenMP use `n` threads each; afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Runtime:
    """A device, and the type that most of the arithmetic is done in there."""

    device: torch.device
    dtype: torch.dtype

    @classmethod
    def choose(cls, device: str, precision: str) -> "Runtime":
        """What the options `device` and `precision` ask for on this machine; UserError where it is not available."""
        has_cuda = torch.cuda.is_available()
        if device == "cuda" and not has_cuda:
            raise UserError("device 'cuda': there is no CUDA device here; set `device` to auto or cpu")
        kind = ("cuda" if has_cuda else "cpu") if device == "auto" else device
        if precision != "auto":
            dtype = getattr(torch, precision)
        elif kind == "cpu":
            dtype = torch.float32
        else:
            dtype = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        return cls(torch.device(kind), dtype)

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision; weights stay float32."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def move(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Tensors, and those in lists, to the device, without waiting for them; other values as they are."""
        return {name: self._moved(value) for name, value in inputs.items()}

    def _moved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._moved(each) for each in value]
        return value.to(self.device, non_blocking=True) if isinstance(value, torch.Tensor) else value
