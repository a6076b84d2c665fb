"""What the measurements say: which peer is fastest among those as accurate as we are, and by how much."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import psutil

from recsys.wording import DASH

EQUAL = 0.99
"""A peer is as accurate as we are from this share of our nDCG@20 on."""
LIMIT = 1.2
"""From this ratio of our time to the fastest equal peer's on, the page says why."""
OURS = "modalift"
PARTS = ("fit", "recommend")
HOW = """\
Same training pairs, same hyper-parameters as far as the packages share them, one thread and one process for each
measurement. Imports, bringing the data into a package's own form, and a first run on a tiny market that warms up
compilers are not timed. Seconds are of processor time, the least of three runs where a run takes less than ten
seconds; by the wall clock they stand in brackets. Where other work runs beside, processor time rises
too, as caches are shared: the same measurement may then differ by a third. *Recommend* is the twenty best unseen items
of all users; a package that only scores gets numpy's or torch's partial sort. nDCG@20 is computed by our own code from
the lists that each package gave. A ratio is ours divided by the peer's: below 1 we need less. A peer is as accurate as
we are (*equal*) from 99 % of our nDCG@20 on."""


@dataclass(frozen=True)
class Measurement:
    """One model of one package on one market.

    Attributes:
        market: whose name.
        row: which model with which hyper-parameters.
        peer: the package, with a variant's name where it has several ways to fit the model.
        version: of the package.
        processor: seconds of processor time of `fit` and of `recommend`.
        wall: likewise by the wall clock.
        memory_mib: the most that its process held.
        ndcg: nDCG@20 of its lists on the held-out part.
    """

    market: str
    row: str
    peer: str
    version: str
    processor: dict[str, float]
    wall: dict[str, float]
    memory_mib: float
    ndcg: float


def fastest_equal(ours: Measurement, peers: Sequence[Measurement], part: str) -> Measurement | None:
    """The peer that needs least processor time for the part among those as accurate as we are; None without one."""
    equal = [peer for peer in peers if peer.ndcg >= EQUAL * ours.ndcg]
    return min(equal, key=lambda peer: peer.processor[part], default=None)


def ratio(ours: float, theirs: float) -> float:
    """Ratio of two times in seconds; what takes less than a millisecond counts as one."""
    return max(ours, 1e-3) / max(theirs, 1e-3)


def standings(measured: Sequence[Measurement]) -> pd.DataFrame:
    """For each market and row our seconds, and the fastest equal peer's for fitting and for recommending.

    Returns:
        Columns `market`, `model`, and for both parts `<part> s`, `<part>: fastest equal peer` and `<part>: ratio`
        (ours / its; NaN without such a peer); rows without a measurement of ours are left out.
    """
    rows = []
    for (market, row), group in _grouped(measured).items():
        ours = next((one for one in group if one.peer == OURS), None)
        if ours is None:
            continue
        told: dict[str, object] = {"market": market, "model": row}
        for part in PARTS:
            best = fastest_equal(ours, [one for one in group if one.peer != OURS], part)
            told[f"{part} s"] = ours.processor[part]
            told[f"{part}: fastest equal peer"] = f"{best.peer}, {best.processor[part]:.2f} s" if best else "none"
            told[f"{part}: ratio"] = ratio(ours.processor[part], best.processor[part]) if best else float("nan")
        rows.append(told)
    return pd.DataFrame(rows)


def details(measured: Sequence[Measurement], market: str) -> pd.DataFrame:
    """All figures of one market; ratios are ours / the peer's, in processor time and in memory."""
    rows = []
    for (name, row), group in _grouped(measured).items():
        if name != market:
            continue
        ours = next((one for one in group if one.peer == OURS), None)
        for one in sorted(group, key=lambda one: (one.peer != OURS, one.processor["fit"])):
            told: dict[str, object] = {"model": row, "by": one.peer}
            for part in PARTS:
                told[f"{part} s (wall)"] = f"{one.processor[part]:.2f} ({one.wall[part]:.2f})"
            told |= {"MiB": round(one.memory_mib), "nDCG@20": f"{one.ndcg:.4f}"}
            for part in PARTS:
                told[f"{part} ratio"] = f"{ratio(ours.processor[part], one.processor[part]):.2f}" if ours else ""
            told["memory ratio"] = f"{ours.memory_mib / one.memory_mib:.2f}" if ours else ""
            rows.append(told)
    return pd.DataFrame(rows)


def page(measured: Sequence[Measurement], reasons: dict[str, str], left_out: Sequence[str], command: str) -> str:
    """The page in Markdown.

    Args:
        measured: all measurements.
        reasons: by row, why we are slower there; told where a ratio is above the limit.
        left_out: a line for each measurement that there is not, and why.
        command: that made the page.
    """
    standing = standings(measured)
    slower = standing[(standing[[f"{part}: ratio" for part in PARTS]] > LIMIT).any(axis=1)]
    shown = standing.astype(object).where(standing.notna(), None)
    versions = sorted({f"{one.peer.split()[0]} {one.version}" for one in measured if one.peer != OURS})
    lines = [
        "# The interaction-only models beside other packages: speed and accuracy",
        "",
        f"Measured by `{command}` on {machine()}. Packages: {', '.join(versions)}; modalift with {ours_with()}.",
        "",
        HOW,
        "",
        "## Beside the fastest peer of equal accuracy",
        "",
        shown.to_markdown(index=False, floatfmt=".2f", missingval=DASH),
        "",
    ]
    why: dict[str, list[str]] = {}
    for row in slower["model"].unique():
        why.setdefault(reasons.get(row, "the reason is not known."), []).append(row)
    lines += [f"- **{'; '.join(rows)}**: {reason}" for reason, rows in why.items()] + [""]
    for market in dict.fromkeys(one.market for one in measured):
        lines += [f"## All figures: {market}", "", details(measured, market).to_markdown(index=False), ""]
    if left_out:
        lines += ["## Not measured", "", *(f"- {line}" for line in left_out), ""]
    return "\n".join(lines)


def machine() -> str:
    """Processor, cores, memory and system, as the machine tells them."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in told.splitlines() if line.startswith("model name")), "")
    memory = psutil.virtual_memory().total / 2**30
    return f"{model or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def ours_with() -> str:
    """What our models rest on."""
    return ", ".join(
        [f"Python {platform.python_version()}"] + [f"{name} {version(name)}" for name in ("numpy", "scipy", "torch")]
    )


def _grouped(measured: Sequence[Measurement]) -> dict[tuple[str, str], list[Measurement]]:
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for one in measured:
        groups.setdefault((one.market, one.row), []).append(one)
    return groups
