"""The parts of a report, read off what the assets of a dataset left behind."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.evidence.comparison import Comparison
from recsys.evidence.interval import Interval
from recsys.models import registry
from recsys.report.rows import (
    ComparisonRow,
    ContentRow,
    Kind,
    Link,
    QuarantineRow,
    ResultRow,
    Scenario,
    TuningCurve,
)
from recsys.study.checks import BASELINES
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.measuring import SUMMARY
from recsys.study.results import ArmResult
from recsys.study.study import Study


def scenario(spec: DatasetSpec) -> Scenario:
    """What the answer holds for."""
    given = spec.scenario
    return Scenario(
        domain=given.domain,
        feedback=given.feedback,
        seen_before_choice=", ".join(given.seen_before_choosing) or "not stated",
        item_kinds=given.item_kinds,
        split=spec.split.protocol,
        data_date=given.date_of_data,
    )


def quarantine(folder: Path) -> list[QuarantineRow]:
    """Rows left out, counted by table and reason."""
    rows = pd.read_parquet(folder / "quarantine.parquet")
    counts = rows.groupby(["table", "reason"]).size().reset_index(name="n_rows")
    return [QuarantineRow.model_validate(row) for row in counts.to_dict("records")]


def content(found: dict[str, Any], source: str, spec: DatasetSpec) -> ContentRow:
    """Whether a source's vectors can be told apart; `found` are the facts of its embedding set."""
    n_present = round(found["coverage"] * found["n_items"])
    return ContentRow(
        source=source,
        encoder=spec.content[source].encoder,
        dim=found["dim"],
        n_present=n_present,
        n_items=found["n_items"],
        n_distinct=round(found["distinct"] * n_present),
    )


def curve(arm: ArmResult) -> TuningCurve:
    """Best validation score after each trial; one that failed or was pruned adds nothing."""
    best = arm.best.fillna(0).tolist()
    return TuningCurve(model=arm.model, arm=arm.arm, kind=_kind(arm), best=best, pruned=arm.pruned)


def _kind(arm: ArmResult) -> Kind:
    if arm.model in BASELINES:
        return "baseline"
    if arm.control is not None:
        return "control"
    return "interactions" if arm.arm == INTERACTIONS_ONLY else "content"


def results(
    folder: Path, study: Study, arms: list[ArmResult], runs: Callable[[ArmResult], Link | None]
) -> list[ResultRow]:
    """Every (model, arm) on the test part; `runs` says where its trainings are tracked."""
    summary = pd.read_parquet(folder / SUMMARY).dropna(subset=["ci_low"])
    rows: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in summary.to_dict("records"):
        rows.setdefault((row["model"], row["arm"]), {})[row["metric"]] = {str(key): row[key] for key in row}
    results = []
    for arm in arms:
        table = rows[arm.pair]
        results.append(
            ResultRow(
                model=arm.model,
                arm=arm.arm,
                kind=_kind(arm),
                metrics={m: Interval(row["mean"], row["ci_low"], row["ci_high"]) for m, row in table.items()},
                repeat_means=list(table[study.evaluation.primary]["per_repeat"]),
                valid=arm.valid,
                n_trials=len(arm.trials),
                n_pruned=len(arm.pruned),
                exhausted=arm.exhausted,
                deterministic=registry.load(arm.model).deterministic and arm.control is None,
                seconds=arm.seconds,
                params=arm.params,
                cells=arm.finals,
                runs=runs(arm),
            )
        )
    return results


def wall_seconds(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one training ran, from its start to its end: pauses do not count, nor what ran beside it."""
    total, latest = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, latest))
        latest = max(latest, end)
    return total


def comparisons(comparisons: list[Comparison], arms: list[ArmResult]) -> list[ComparisonRow]:
    """Every (model, arm) against the best rival."""
    known = {(arm.model, arm.arm): arm for arm in arms}
    rows = []
    for comparison in comparisons:
        arm = known[comparison.model_a, comparison.arm_a]
        real = next((a.arm for a in arms if a.control is None and a.sources == arm.sources), None)
        rows.append(
            ComparisonRow(
                comparison=comparison,
                kind=_kind(arm),
                control=_control(arm),
                control_of=real if arm.control else None,
            )
        )
    return rows


def _control(arm: ArmResult) -> str | None:
    """What stands in the content's place, None for content itself."""
    if arm.control is None:
        return None
    if not arm.trials and arm.control == "shuffled":
        return f"untuned {arm.control}"
    return arm.control if arm.altered == arm.sources else f"{arm.control} {' and '.join(arm.altered)}"
