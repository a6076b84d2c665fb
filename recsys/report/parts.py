"""The parts of a report, read off what the assets of a dataset left behind."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.content.encoders import registry as encoders
from recsys.evaluation.protocol import Protocol
from recsys.evidence.comparison import Comparison
from recsys.evidence.gates import BASELINES
from recsys.evidence.interval import Interval
from recsys.evidence.sensitivity import Agreement
from recsys.report.rows import (
    ComparisonRow,
    ContentRow,
    Kind,
    Link,
    QuarantineRow,
    ResultRow,
    ScenarioRow,
    TuningCurve,
)
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.judgement import Judgement
from recsys.study.judgement_spec import Question
from recsys.study.measuring import SUMMARY
from recsys.study.results import ArmResult
from recsys.study.study import Study

SPLITS = {
    "ratio": "random shares of each user's interactions",
    "leave_one_out": "each user's last interaction",
    "temporal": "the last interactions of each user",
    "global_time": "two points in time for all users",
    "fixed": "fixed by the source",
}
MASKS = {"seen": "training and validation items masked", "train": "training items alone masked"}
IDEALS = {"truncated": "", "retrieved": "nDCG divided by the ideal order of what was found"}


def scenario(study: Study, name: str) -> ScenarioRow:
    """What the answer holds for."""
    spec = study.datasets[name]
    given, rule = spec.scenario, spec.split
    shares = [1 - rule.valid - rule.test, rule.valid, rule.test]
    shared = rule.protocol in ("ratio", "temporal", "global_time")
    split = SPLITS[rule.protocol] + (f", {':'.join(f'{100 * share:g}' for share in shares)}" if shared else "")
    return ScenarioRow(
        domain=given.domain,
        feedback=given.feedback,
        seen_before_choice=", ".join(given.seen_before_choosing) or "not stated",
        item_kinds=given.item_kinds,
        split=f"{split}, seed {rule.seed}" if rule.protocol in ("ratio", "leave_one_out") else split,
        ranking=_ranking(study.evaluation),
        data_date=given.date_of_data,
    )


def _ranking(protocol: Protocol) -> str:
    n = protocol.n_negatives
    sampled = f"each held-out item among {n:,} sampled ones only" if n else ""
    return "; ".join(filter(None, (MASKS[protocol.mask], sampled, IDEALS[protocol.ndcg])))


def losers(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> list[str]:
    """On whom content costs, from the tables of every analysis by name; none where strata were not compared."""
    return (
        [str(sentence) for sentence in tables["strata"]["losers"]["sentence"]]
        if "losers" in tables.get("strata", {})
        else []
    )


def agreement(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> Agreement | None:
    """How often another way of measuring gives the same answer; None where that was not asked."""
    found = tables.get("sensitivity", {}).get("agreement")
    if found is None or found.empty:
        return None
    return Agreement(**{field.name: int(found[field.name].iloc[0]) for field in fields(Agreement)})


def unanswered(asked: Iterable[Question], judgement: Judgement | None) -> list[str]:
    """The study's questions that no model can answer, a sentence each."""
    answered = {each.ask for each in judgement.questions} if judgement else set()
    lost = [each for each in asked if each.ask not in answered]
    return [
        f"“{each.ask}” is not answered: no model could be trained on {each.better} and {each.than}." for each in lost
    ]


def quarantine(folder: Path) -> list[QuarantineRow]:
    """Rows left out, counted by table and reason."""
    rows = pd.read_parquet(folder / "quarantine.parquet")
    counts = rows.groupby(["table", "reason"]).size().reset_index(name="n_rows")
    return [QuarantineRow.model_validate(row) for row in counts.to_dict("records")]


def content(found: dict[str, Any], source: str, spec: DatasetSpec, n_pictures: int | None = None) -> ContentRow:
    """Whether a source's vectors can be told apart; `found` are the facts of its embedding set.

    `n_pictures` are those of the items, where they have several.
    """
    n_present, given = round(found["coverage"] * found["n_items"]), spec.content[source]
    encoder = encoders.load(given.encoder).from_options(given.encoder, given.options)
    return ContentRow(
        source=source,
        encoder=spec.content[source].encoder,
        dim=found["dim"],
        n_present=n_present,
        n_items=found["n_items"],
        n_distinct=round(found["distinct"] * n_present),
        n_pictures=n_pictures if encoder.reads_pictures else None,
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


def results(folder: Path, study: Study, arms: list[ArmResult], runs: Mapping[str, Link]) -> list[ResultRow]:
    """Every (model, arm) on the test part; `runs` says, by model, where its trainings are tracked."""
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
                n_trials=arm.n_trials,
                n_failed=arm.n_failed,
                budget=0 if arm.members or study.tuning.minutes is not None else study.trials_of(arm.model),
                n_nested=arm.n_nested,
                n_weightings=arm.n_weightings,
                n_pruned=len(arm.pruned),
                exhausted=arm.exhausted,
                deterministic=not arm.seeded and arm.control is None,
                seconds=arm.seconds,
                params=arm.shown_params,
                cells=arm.finals,
                runs=runs.get(arm.model),
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
