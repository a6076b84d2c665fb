"""Our interaction-only models beside other packages: time to fit and to recommend, peak memory, accuracy.

MODALIFT_DATA=... python benchmarks/baselines.py --write docs/baselines-speed.md

Needs `uv`, which makes each peer an environment of its own from the first lines of its script in `benchmarks/peers`
(a first run downloads them: some 5 GB), and for WarpRec a Python 3.12 that uv can find. A peer that cannot be had is
told in a line and left out. Measurements are kept, one file each; a second run makes only those that are missing.
The whole takes some two hours of one core.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from _baby import console
from _baselines_page import OURS, Measurement, page, standings
from _baselines_rows import LEFT_OUT, ROWS, Row
from _markets import MARKETS
from scipy import sparse

from recsys.errors import hint
from recsys.evaluation.metrics import accuracy
from recsys.evaluation.metrics.registry import Lists

PEERS = Path(__file__).parent / "peers"
K = 20
LIMIT_S = 150
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON", "LK", "LK_BACKEND")


@dataclass
class Bench:
    """Makes the measurements of one market that are not there yet.

    Attributes:
        market: its name.
        train: where its training pairs stand.
        test: its held-out pairs.
        folder: where measurements are kept.
        left_out: a line for each that could not be made.
    """

    market: str
    train: Path
    test: sparse.csr_array
    folder: Path
    left_out: list[str] = field(default_factory=list)

    def measure(self, row: Row, peer: str, *, anew: bool) -> Measurement | None:
        """The kept measurement or a new one; None where there can be none."""
        package = peer.split()[0]
        reasons = LEFT_OUT.get(self.market, {})
        if reason := reasons.get(row.name) or reasons.get(package) or missing(package):
            self._leave_out(f"{row.name} by {peer}: {reason}")
            return None
        kept = self.folder / f"{row.name} by {peer}.json".replace(" ", "-")
        if anew or not kept.exists():
            console.print(f"{self.market}: {row.name} by {peer} ...", end=" ")
            kept.write_text(json.dumps(self._made(row, peer)), encoding="utf-8")
        found = json.loads(kept.read_text(encoding="utf-8"))
        if "failed" in found:
            self._leave_out(f"{row.name} by {peer}: {found['failed']}")
            return None
        return Measurement(**found)

    def _leave_out(self, why: str) -> None:
        self.left_out.append(f"{self.market}: {why}")

    def _made(self, row: Row, peer: str) -> dict[str, Any]:
        package, _, variant = peer.partition(" ")
        out = self.folder / "lists"
        job = {"model": f"{row.model} {variant}".strip(), "params": row.params, "train": str(self.train)}
        (self.folder / "job.json").write_text(json.dumps(job | {"k": K, "out": str(out)}), encoding="utf-8")
        told = out.with_suffix(".json")
        told.unlink(missing_ok=True)
        failed = run(package, [str(self.folder / "job.json")])
        costs = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
        if failed:
            failed += f", of which its fit {costs['fit']['processor']:.1f} s" if costs else ""
            console.print(failed)
            return {"failed": failed}
        processor, wall = (
            {part: costs[part][clock] for part in ("fit", "recommend")} for clock in ("processor", "wall")
        )
        made = Measurement(
            self.market,
            row.name,
            peer,
            costs["version"],
            processor,
            wall,
            costs["memory_mib"],
            ndcg(np.load(out.with_suffix(".npy")), self.test),
        )
        console.print(f"{processor['fit']:.2f} s, {processor['recommend']:.2f} s, nDCG@{K} {made.ndcg:.4f}")
        return asdict(made)


def ndcg(lists: np.ndarray, test: sparse.csr_array) -> float:
    """Mean nDCG@20 over the users with held-out items."""
    n_relevant = np.diff(test.indptr)
    judged = np.flatnonzero(n_relevant)
    shown, n_relevant = lists[judged, :K], n_relevant[judged]
    hits = test.astype(bool).toarray()[judged[:, None], shown]
    views = Lists(judged, shown, hits, n_relevant, n_relevant, test, np.zeros(test.shape[1]))
    return float(accuracy.ndcg(views).mean())


def run(package: str, arguments: list[str]) -> str:
    """Run a script of `benchmarks/peers`, one thread each; why it failed, empty where it did not."""
    script = str(PEERS / f"run_{package}.py")
    threads = {f"{name}_NUM_THREADS": "1" for name in THREADS} | {"LK_NUM_PROCS": "1"}
    environment = os.environ | threads | {"CUDA_VISIBLE_DEVICES": ""}
    if package != OURS:
        environment.pop("PYTHONPATH", None)
    command = [sys.executable] if package == OURS else ["uv", "run", "--quiet", "--script"]
    # Of processor time: on a busy machine the wall clock would judge the neighbours.
    limited = partial(resource.setrlimit, resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 5))
    done = subprocess.run(
        [*command, script, *arguments], env=environment, capture_output=True, text=True, preexec_fn=limited
    )
    if done.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return f"takes more than {LIMIT_S} s of processor time"
    return last_line(done.stderr) if done.returncode else ""


@cache
def missing(package: str) -> str:
    """Why a peer cannot be had on this machine; empty where it can."""
    if package == OURS:
        return ""
    if not shutil.which("uv"):
        return "it cannot be had here: uv is not on the path"
    script = str(PEERS / f"run_{package}.py")
    done = subprocess.run(["uv", "sync", "--quiet", "--script", script], capture_output=True, text=True)
    return f"it cannot be had here: {last_line(done.stderr)}" if done.returncode else ""


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")


def main(
    only: Annotated[list[str] | None, typer.Option(help="A row's name; again for more. All by default.")] = None,
    data: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(MARKETS)}. All by default.")] = None,
    again: Annotated[list[str] | None, typer.Option(help="A package to measure anew, as modalift.")] = None,
    results: Annotated[Path, typer.Option(help="Where measurements are kept.")] = Path(".modalift/baselines"),
    write: Annotated[Path | None, typer.Option(help="The page to write, in Markdown.")] = None,
) -> None:
    """Measure what is missing, print how we stand, and write the page."""
    for asked, known in ((only, [row.name for row in ROWS]), (data, list(MARKETS))):
        if unknown := set(asked or ()) - set(known):
            raise typer.BadParameter(f"there is no '{min(unknown)}'{hint(min(unknown), known)}")
    measured, left_out = [], []
    for name in data or MARKETS:
        bench = made_ready(name, results / name)
        if bench is None:
            left_out.append(f"{name}: MODALIFT_DATA is not set")
            continue
        for row in (row for row in ROWS if not only or row.name in only):
            for peer in (OURS, *row.peers):
                one = bench.measure(row, peer, anew=peer.split()[0] in (again or ()))
                measured += [one] if one else []
        left_out += bench.left_out
    console.print(standings(measured).to_string(index=False, float_format="%.2f"))
    console.print("\n".join(left_out))
    if write:
        reasons = {row.name: row.slower for row in ROWS if row.slower}
        command = f"python benchmarks/baselines.py --write {write}"
        write.write_text(page(measured, reasons, left_out, command), encoding="utf-8")


def made_ready(name: str, folder: Path) -> Bench | None:
    """The market's files, written once; None where its data are not on this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = folder / "train.npz", folder / "test.npz"
    if not test.exists():
        parts = MARKETS[name]()
        if parts is None:
            return None
        for path, part in zip((train, test), parts, strict=True):
            sparse.save_npz(path, part)
    return Bench(name, train.resolve(), sparse.csr_array(sparse.load_npz(test)), folder.resolve())


if __name__ == "__main__":
    typer.run(main)
