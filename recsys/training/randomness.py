"""Where random numbers come from: streams of the model's seed, and never the process's global generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def generator(seed: int) -> torch.Generator:
    """The source of a network's starting values."""
    return torch.Generator().manual_seed(seed)


def step_generator(seed: int, device: torch.device) -> torch.Generator:
    """The source of what a network draws in each step, such as noise: another stream than its starting values."""
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


def _stream(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
