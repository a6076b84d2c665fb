"""What a machine offers to cells that run side by side, what a cell needs, and where the next one fits."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from recsys.errors import UserError

_CONTEXT = 2**29
"""Bytes of GPU memory that CUDA takes for each process before it allocates anything."""
GB = 1e9
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Needs:
    """What a cell needs while it runs.

    Attributes:
        memory: bytes of main memory, 0 where unknown.
        gpu_memory: bytes of a GPU's memory, 0 where unknown; None: it uses no GPU. Where there is no GPU, the
            cell runs on the CPU, and needs the larger of the two numbers in main memory.
    """

    memory: int = 0
    gpu_memory: int | None = None


@dataclass(frozen=True)
class Gpu:
    """A CUDA device.

    Attributes:
        name: as `CUDA_VISIBLE_DEVICES` takes it: an index or a UUID.
        memory: bytes.
    """

    name: str
    memory: int


@dataclass(frozen=True)
class Slots:
    """What cells may use.

    Attributes:
        workers: cells that run at a time, one process and one thread each.
        memory: bytes of main memory for all of them; None: what is free when they start.
        devices: GPUs; None: those that this process sees, looked for only when a cell wants one.
    """

    workers: int
    memory: int | None = None
    devices: Sequence[Gpu] | None = None


@dataclass(frozen=True)
class Place:
    """What a running cell has taken: bytes of main memory, and of a GPU."""

    memory: int
    gpu: Gpu | None = None
    gpu_memory: int = 0


class Room:
    """The slots, resolved to numbers: says where a cell fits beside those that run."""

    def __init__(self, slots: Slots, needs: Collection[Needs]) -> None:
        """Room for cells with these `needs`; torch is imported only if one of them wants a GPU."""
        self.workers = slots.workers
        self.memory = free_memory() if slots.memory is None else slots.memory
        wanted = any(each.gpu_memory is not None for each in needs)
        self.gpus = (visible_gpus() if slots.devices is None else tuple(slots.devices)) if wanted else ()

    def place(self, needs: Needs, running: Collection[Place]) -> Place | None:
        """The place that a cell can take beside the `running` ones, None while it has to wait.

        A cell larger than everything fits where nothing else runs.
        """
        places = self._places(needs, running)
        if not running:
            return places[0]
        if len(running) >= self.workers:
            return None
        return next((place for place in places if self._fits(place, running)), None)

    def _places(self, needs: Needs, running: Collection[Place]) -> list[Place]:
        """One for each GPU, the least busy first; a single one on the CPU."""
        if needs.gpu_memory is None or not self.gpus:
            return [Place(max(needs.memory, needs.gpu_memory or 0))]
        busy = {gpu: sum(place.gpu == gpu for place in running) for gpu in self.gpus}
        least_busy = sorted(self.gpus, key=lambda gpu: (busy[gpu], _taken(gpu, running) - gpu.memory))
        return [Place(needs.memory, gpu, needs.gpu_memory + _CONTEXT) for gpu in least_busy]

    def _fits(self, place: Place, running: Collection[Place]) -> bool:
        in_memory = sum(other.memory for other in running) + place.memory <= self.memory
        return in_memory and (place.gpu is None or _taken(place.gpu, running) + place.gpu_memory <= place.gpu.memory)


def _taken(gpu: Gpu, running: Collection[Place]) -> int:
    return sum(place.gpu_memory for place in running if place.gpu == gpu)


def default_workers() -> int:
    """One worker for each core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory(root: Path = CGROUP) -> int:
    """Bytes that are free for all cells together: what MODALIFT_MEMORY says, else the machine's or the container's.

    Args:
        root: folder of the control group's files, which a container limits memory by.

    Raises:
        UserError: MODALIFT_MEMORY is not a number above 0.
    """
    given = os.environ.get("MODALIFT_MEMORY")
    if given:
        try:
            gigabytes = float(given)
        except ValueError:
            gigabytes = 0
        if not gigabytes > 0:
            raise UserError(f"MODALIFT_MEMORY is '{given}': give the memory that cells may use in GB, such as 12")
        return int(gigabytes * GB)
    return int(min(psutil.virtual_memory().available, _left_in_container(root)))


@cache
def visible_gpus() -> tuple[Gpu, ...]:
    """CUDA devices that this process sees, in torch's order."""
    import torch

    if not torch.cuda.is_available():
        return ()
    names = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    count = torch.cuda.device_count()
    names = names if names != [""] else [str(index) for index in range(count)]
    return tuple(Gpu(names[index], torch.cuda.get_device_properties(index).total_memory) for index in range(count))


def _left_in_container(root: Path) -> float:
    """Bytes up to the limit of the control group, version 2 or 1; infinite without one. Cached files count as free."""
    for folder, limit, used, cached in (
        (root, "memory.max", "memory.current", "inactive_file"),
        (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most = float((folder / limit).read_text().replace("max", "inf"))
            now = float((folder / used).read_text())
            numbers = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue
        return max(most - now + float(numbers.get(cached, 0)), 0)
    return float("inf")
