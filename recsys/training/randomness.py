"""Where random numbers come from: streams of the model's seed, and never the process's global generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


def generator(seed: int) -> torch.Generator:
    """The source of a network's starting values."""
    return torch.Generator().manual_seed(seed)


def step_generator(seed: int, device: torch.device) -> torch.Generator:
    """A second source: for noise in each step, and for parts whose starting values must not move other parts'."""
    return torch.Generator(device).manual_seed(_stream(seed, 2))


@contextmanager
def seeded_region(seed: int) -> Iterator[None]:
    """Within the block torch's global generators follow the seed; afterwards they are as they were before it.

    So are dropout, Gumbel noise, attention and the starting values of torch's own layers reproducible, although they
    take no generator.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(_stream(seed, 3))
        yield


def dropout(x: Tensor, rate: float, training: bool = True) -> Tensor:
    """What torch's dropout does, with four entries to a draw, six times faster: some are hidden, the others scaled up.

    Args:
        x: float32.
        rate: below 1, taken to the nearest of 65,536ths that leaves something.
        training: otherwise nothing is hidden.
    """
    n_hidden = min(round(rate * 2**16), 2**16 - 1)
    if not training or not n_hidden:
        return x
    draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
    kept = draws.view(torch.int16)[: x.numel()].view(x.shape) >= n_hidden - 2**15
    return x * kept.to(x.dtype).mul_(2**16 / (2**16 - n_hidden))


def _stream(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
