"""Opening every picture once, in processes of their own: a decoder that crashes or does not end costs one item.

A native decoder cannot be interrupted by another thread, and limits of bytes and pixels do not bound its time: a JPEG
of 20 MB whose last scan is repeated takes hours. So a worker sets the system's timer of CPU time before each picture,
and is ended by it; its successor goes on with the next picture. CPU time, unlike the time on the wall, does not depend
on what else the machine does, so that the same pictures are quarantined every day.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from recsys.data.decoding import PictureError, decode, digest_of, read_bytes

CPU_SECONDS = 10.0
"""For one picture. One of 49 million pixels takes 0.1 s (JPEG) to 1.3 s (AVIF)."""
READY = "ready"
PER_WORKER = 50
"""Pictures for which another worker process is worth its start."""


@dataclass(frozen=True)
class Inspection:
    """What opening one picture file showed: `digest` of its bytes, or the `problem` that makes it unusable."""

    digest: str | None = None
    problem: str | None = None


def inspect(path: Path) -> Inspection:
    """Read and decode a picture file once, in this process and without a limit of time."""
    try:
        content = read_bytes(path)
        decode(content, size=64)
    except PictureError as error:
        return Inspection(problem=str(error))
    return Inspection(digest=digest_of(content))


def inspect_all(paths: Sequence[Path], cpu_seconds: float = CPU_SECONDS) -> list[Inspection]:
    """What each of these files is, found out by worker processes side by side."""
    n_workers = min(os.cpu_count() or 1, -(-len(paths) // PER_WORKER))
    shares = [paths[start::n_workers] for start in range(n_workers)]
    found: list[Inspection] = [Inspection()] * len(paths)
    with ThreadPoolExecutor(max(n_workers, 1)) as pool:
        for start, inspected in enumerate(pool.map(lambda share: list(_by_worker(share, cpu_seconds)), shares)):
            found[start::n_workers] = inspected
    return found


def _by_worker(paths: Sequence[Path], cpu_seconds: float) -> Iterator[Inspection]:
    """Inspections by a worker process, which is started anew after a picture that ended it."""
    worker = None
    try:
        for path in paths:
            if worker is None:
                worker = _start(cpu_seconds)
            assert worker.stdin and worker.stdout
            worker.stdin.write(json.dumps(os.fspath(path)) + "\n")
            worker.stdin.flush()
            answer = worker.stdout.readline()
            if answer:
                yield Inspection(**json.loads(answer))
                continue
            status, worker = worker.wait(), None
            slow = status == -signal.SIGPROF
            yield Inspection(problem=f"takes more than {cpu_seconds:g} s to decode" if slow else "crashes its decoder")
    finally:
        if worker is not None:
            worker.kill()
            worker.wait()


def _start(cpu_seconds: float) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    worker = subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import serve; serve({cpu_seconds})"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # where the C libraries write of each fault that they meet
        text=True,
    )
    assert worker.stdout
    if worker.stdout.readline().strip() != READY:  # otherwise every picture would seem to crash its decoder
        raise RuntimeError(f"{sys.executable}: the process that opens pictures does not start")
    return worker


def serve(cpu_seconds: float) -> None:
    """A worker's life: a path a line in, an inspection a line out."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    print(READY, flush=True)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        found = inspect(Path(json.loads(line)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({"digest": found.digest, "problem": found.problem}), flush=True)
