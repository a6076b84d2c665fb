"""The way from contents to vectors: each once, prepared while the model works, and kept as it is done."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from recsys.content.batch_store import BatchStore
from recsys.content.encoder import OnProgress
from recsys.content.features import Features, mean_of_each
from recsys.content.pretrained.contents import Contents
from recsys.errors import UserError
from recsys.memory import keep_freed_memory
from recsys.runtime import Runtime

log = logging.getLogger(__name__)

KEEP = 512
"""So many vectors are kept at a time: what a killed run loses at most, beside the batch under way."""
BATCH_SIZES = {"cpu": 16, "cuda": 64}
MOST_WORKERS = 16
MOST_NAMED = 5

Inputs = dict[str, Any]
"""What a model is called with: tensors with a row per content, lists with a tensor per content, and perhaps plain
values that hold for all of them."""


class Prepared(NamedTuple):
    """A batch on its way to the model: which of its contents could be read, and the inputs that those became."""

    readable: list[bool]
    inputs: Inputs


@dataclass(frozen=True)
class Tower:
    """The part of a model that makes vectors of one modality.

    Attributes:
        prepare: inputs of a batch of contents; runs in worker processes.
        forward: vectors of prepared inputs, shape (n, dim); runs on the device.
        identity: what the vectors depend on beside contents and precision, such as the weights' digest.
        unit: whether the vectors of an item's several contents are scaled to unit length before they are averaged.
    """

    prepare: Callable[[list[Any]], Prepared]
    forward: Callable[[Inputs], Tensor]
    identity: tuple[str, ...]
    unit: bool = False


def vectors(
    contents: Contents,
    tower: Tower,
    runtime: Runtime,
    *,
    batch_size: int | None = None,
    work: Path | None = None,
    progress: OnProgress | None = None,
) -> Features:
    """A vector for each item that has content which can be read; the others are absent, and reported in one line.

    That of an item with several contents is the mean over those that can be read.

    Args:
        contents: what of the items the model is shown.
        tower: the model, already on its device.
        runtime: the device, and the precision there.
        batch_size: contents that the model sees at once; None: what suits the device. Halved while memory is short.
        work: where finished vectors are kept until all are done; None: nowhere, a killed run starts anew.
        progress: called with the number of distinct contents that are done.
    """
    keep_freed_memory()
    wanted = contents.distinct
    with _store(work, tower, runtime) as batches, _explaining_killed_workers():
        known = batches.keys()
        missing = {key: content for key, content in wanted.items() if key not in known}
        unreadable: list[Any] = []
        writer = _Writer(batches)
        done = len(wanted) - len(missing)
        for keys, readable, rows in _encoded(missing, contents, tower, runtime, batch_size):
            writer.add([key for key, good in zip(keys, readable, strict=True) if good], rows)
            unreadable += [missing[key] for key, good in zip(keys, readable, strict=True) if not good]
            done += len(keys)
            if progress:
                progress(done, len(wanted))
        writer.flush()
        _report(unreadable, len(wanted), contents.of)
        return _in_item_order(contents, batches, tower.unit)


def _encoded(
    missing: dict[str, Any], contents: Contents, tower: Tower, runtime: Runtime, batch_size: int | None
) -> Iterator[tuple[list[str], list[bool], Tensor | None]]:
    """Keys of a batch, which of its contents could be read, and their vectors."""
    size = batch_size or BATCH_SIZES[runtime.device.type]
    keys = list(missing)
    batches = [keys[start : start + size] for start in range(0, len(keys), size)]
    shown: Any = [[missing[key] for key in batch] for batch in batches]  # a list is all that a loader asks for
    loader: DataLoader[Prepared] = DataLoader(
        shown,
        batch_size=None,
        collate_fn=tower.prepare,
        num_workers=_workers(contents, runtime, len(batches)),
        pin_memory=runtime.device.type == "cuda",
    )
    forward = _Frugal(tower.forward, size)
    for batch, (readable, inputs) in zip(batches, loader, strict=True):
        with torch.inference_mode(), runtime.autocast():
            rows = forward(runtime.move(inputs), sum(readable)).float() if inputs else None
        yield batch, readable, rows


def _workers(contents: Contents, runtime: Runtime, n_batches: int) -> int:
    """Processes that prepare: as many as a GPU can feed on, or the cores that the model leaves idle on a CPU.

    Where the model takes every core, a process beside it would only make its threads wait for each other: contents
    are then prepared between two passes, by all cores.
    """
    cores = joblib.cpu_count()
    if runtime.device.type == "cuda":
        useful = cores
    else:
        useful = 0 if contents.of == "texts" else max(0, cores - torch.get_num_threads())
    return min(useful, n_batches - 1, MOST_WORKERS) if n_batches else 0


class _Frugal:
    """Calls the model on parts of a batch that memory suffices for."""

    def __init__(self, forward: Callable[[Inputs], Tensor], size: int) -> None:
        self.forward, self.size = forward, size

    def __call__(self, inputs: Inputs, n: int) -> Tensor:
        while True:
            try:
                return torch.cat([self.forward(part) for part in self._parts(inputs, n)])
            except torch.OutOfMemoryError:
                if self.size == 1:
                    raise UserError(
                        "device memory does not suffice for a single item: set `device: cpu`, a lower `precision`, or "
                        "a smaller model"
                    ) from None
            self.size //= 2
            torch.cuda.empty_cache()
            log.info("out of memory: %d items at once from here on", self.size)

    def _parts(self, inputs: Inputs, n: int) -> Iterator[Inputs]:
        for start in range(0, n, self.size):
            rows = slice(start, start + self.size)
            yield {name: value[rows] if isinstance(value, Tensor | list) else value for name, value in inputs.items()}


class _Writer:
    """Hands vectors to what keeps them, many at a time: the device is not asked for them after every batch."""

    def __init__(self, batches: BatchStore) -> None:
        self.batches = batches
        self.keys: list[str] = []
        self.rows: list[Tensor] = []

    def add(self, keys: list[str], rows: Tensor | None) -> None:
        if rows is not None:
            self.keys += keys
            self.rows.append(rows)
        if len(self.keys) >= KEEP:
            self.flush()

    def flush(self) -> None:
        if self.keys:
            self.batches.add(self.keys, {"vector": torch.cat(self.rows).cpu().numpy()})
            self.keys, self.rows = [], []


@contextmanager
def _store(work: Path | None, tower: Tower, runtime: Runtime) -> Iterator[BatchStore]:
    """Where the vectors of just this model, in this precision, are kept."""
    if work is None:
        with TemporaryDirectory() as folder:
            yield BatchStore(Path(folder))
    else:
        identity = repr((tower.identity, str(runtime.dtype)))
        yield BatchStore(work / hashlib.blake2b(identity.encode(), digest_size=10).hexdigest())


@contextmanager
def _explaining_killed_workers() -> Iterator[None]:
    """One line for the error that a loader raises, wherever the main process is, when one of its workers dies."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(
            "a process that prepared contents was killed, most often for want of memory, or of shared memory in a "
            "container (docker run --shm-size=4g): run again with a smaller `batch_size`; finished vectors are kept"
        ) from None


def _report(unreadable: list[Any], n_wanted: int, of: str) -> None:
    if unreadable:
        names = ", ".join(map(str, unreadable[:MOST_NAMED])) + (", ..." if len(unreadable) > MOST_NAMED else "")
        log.warning("%d of %d %s could not be read and are absent: %s", len(unreadable), n_wanted, of, names)


def _in_item_order(contents: Contents, batches: BatchStore, unit: bool) -> Features:
    known = batches.keys()
    keys = [[key for key in of_item if key in known] for of_item in contents.by_item]
    present = np.array([bool(of_item) for of_item in keys], dtype=bool)
    if not present.any():
        return Features(np.zeros((len(keys), 1), np.float32), present)
    rows = batches.column("vector", [key for of_item in keys for key in of_item])
    matrix = np.zeros((len(keys), rows.shape[1]), np.float32)
    matrix[present] = mean_of_each(rows, [len(of_item) for of_item in keys if of_item], unit=unit)
    return Features.where(present, matrix)
