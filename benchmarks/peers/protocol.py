"""How one measurement is made, the same for ours and for each peer: a process that gets a job and leaves its lists.

A job is a JSON file: `model` and `params` by our names, `train` (a .npz of scipy), `k`, and `out`, a path to which
`.npy` (the lists) and `.json` (what they cost) are added. Packages are
imported, and JIT compilers and lazy imports warmed up on a tiny market, before the clocks start. The script that
serves jobs needs nothing but numpy and scipy beside the package that it measures.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

Recommend = Callable[[int], np.ndarray]
"""From k to the k best unseen items of each user, int, shape (n_users, k); -1 where there are fewer."""
Fit = Callable[[Any, dict[str, Any]], Recommend]
"""From the data in the package's own form and the hyper-parameters to the fitted model's lists."""

BLOCK = 1024
REPEATS, ENOUGH_SECONDS = 3, 10.0


def serve(package: str, fit_of: Callable[[str], Fit], prepare: Callable[[sparse.csr_matrix], Any]) -> None:
    """Do the job named on the command line.

    Args:
        package: whose version is told.
        fit_of: by our model's name, a variant's with it ("IALS exact").
        prepare: brings the interactions into the package's own form; not timed.
    """
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    fit = fit_of(job["model"])
    fit(prepare(tiny_market()), job["params"])(5)
    data = prepare(sparse.csr_matrix(sparse.load_npz(job["train"])))
    costs: dict[str, Any] = {"version": version(package)}
    costs["fit"], recommend = timed(lambda: fit(data, job["params"]))
    told = Path(job["out"]).with_suffix(".json")
    told.write_text(json.dumps(costs), encoding="utf-8")  # all that is known where the lists take too long
    costs["recommend"], lists = timed(lambda: recommend(job["k"]))
    np.save(told.with_suffix(".npy"), np.asarray(lists, dtype=np.int32))
    told.write_text(json.dumps(costs | {"memory_mib": peak_memory()}), encoding="utf-8")


def timed(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Least seconds of a few runs by the wall clock and by the processor's; and what the last one gave."""
    wall, processor = [], []
    while True:
        starts = time.perf_counter(), time.process_time()
        result = work()
        wall.append(time.perf_counter() - starts[0])
        processor.append(time.process_time() - starts[1])
        if len(wall) == REPEATS or sum(wall) > ENOUGH_SECONDS:
            return {"wall": min(wall), "processor": min(processor)}, result


def peak_memory() -> float:
    """Most memory that this process held, MiB.

    Asked of Linux itself, whose `getrusage` begins with what the process that started this one held.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
    return int(status.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024


def write_training(
    job: dict[str, Any], epochs: list[float], evaluations: list[float], *, recall: float, ndcg: float
) -> None:
    """What a training took, by seconds of each epoch and evaluation, and the metrics at 20 of its test part."""
    measured = {
        "epochs": len(epochs),
        "epoch_s": warm_mean(epochs),
        "evaluation_s": warm_mean(evaluations),
        "recall_at_20": float(recall),
        "ndcg_at_20": float(ndcg),
        "memory_mib": peak_memory(),
    }
    Path(job["out"]).write_text(json.dumps(measured), encoding="utf-8")


def warm_mean(seconds: list[float]) -> float:
    """The mean of all but the first, in which what is lazy is made."""
    warm = seconds[1:] or seconds
    return sum(warm) / len(warm)


def tiny_market() -> sparse.csr_matrix:
    """So many users and items that the usual numbers of factors and neighbours are below theirs."""
    return sparse.csr_matrix(np.random.default_rng(0).random((300, 200)) < 0.1, dtype=np.float32)


def even_penalty(shape: tuple[int, int], n_interactions: int, params: dict[str, Any]) -> float:
    """Weight of every vector's squared norm in our iALS with `frequency_power` 0, where peers take it as it is."""
    n_users, n_items = shape
    weights = 2 * n_interactions + 2 * params["unobserved_weight"] * n_users * n_items
    return params["l2"] * weights / (n_users + n_items)


def best_unseen(score: Callable[[np.ndarray], np.ndarray], train: sparse.csr_matrix, k: int) -> np.ndarray:
    """Lists for a package that only scores: blocks of users, seen items masked, numpy's partial sort."""
    lists = []
    for start in range(0, train.shape[0], BLOCK):
        users = np.arange(start, min(start + BLOCK, train.shape[0]))
        scores, seen = score(users), train[users]
        scores[np.repeat(np.arange(len(users)), np.diff(seen.indptr)), seen.indices] = -np.inf
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
        lists.append(np.take_along_axis(top, order, axis=1))
    return np.concatenate(lists)
