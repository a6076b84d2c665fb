"""`<dataset>/verdict`: whether content helps here, which part of it, and how sure that is."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from assets.controls import SELECTION, Pair, Selection
from orchestration import keys
from orchestration.fingerprints import code_version, fingerprint
from orchestration.home import Home, Outcome
from orchestration.results import key, materialised, plainly, table
from orchestration.study import Study
from orchestration.trainings import ModelResult

VERDICT = "verdict.json"


def build(study: Study, name: str) -> dg.AssetsDefinition:
    """The asset of one dataset's verdict."""
    asset = keys.verdict(name)
    inputs = [keys.metrics(name), keys.controls(name)]
    settings = [study.statistics.model_dump(), study.evaluation.primary]
    version = fingerprint(settings, code_version("assets/verdict.py", "recsys/evidence"))

    @dg.asset(
        key=key(asset),
        deps=[key(upstream) for upstream in inputs],
        group_name=name,
        kinds={"python"},
        code_version=version,
        description="Content against its best rival and against its shuffled control; sources where it helps.",
    )
    @plainly
    def verdict(context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
        event = home.produce(
            asset,
            run=context.run.run_id,
            code_version=version,
            inputs=inputs,
            build=lambda out, read: _judge(study, read[inputs[0]], read[inputs[1]], out),
        )
        return materialised(event, _shown(home.folder(event)))

    return verdict


def _judge(study: Study, metrics: Path, controls: Path, out: Path) -> Outcome:
    from recsys.evidence.comparison import compare, holm
    from recsys.evidence.sources import SourceScores, judge_sources
    from recsys.evidence.verdict import decide

    scores = read_scores(metrics)
    selection = Selection.model_validate_json((controls / SELECTION).read_text(encoding="utf-8"))
    how: dict[str, Any] = {"n_resamples": study.statistics.resamples, "seed": study.statistics.seed}
    content, rival, shuffled = (scores[pair] for pair in (selection.content, selection.rival, selection.shuffled))
    verdict = decide(content, rival, shuffled, metric=study.evaluation.primary, margin=study.statistics.margin, **how)
    judged = [
        SourceScores(
            source=source,
            own=scores[pairs.own],
            own_shuffled=scores[pairs.own_shuffled],
            fused=_maybe(scores, pairs.fused),
            fused_altered=_maybe(scores, pairs.fused_altered),
        )
        for source, pairs in selection.sources.items()
    ]
    sources = judge_sources(verdict, judged, rival, **how)
    others = [pair for pair in scores if pair != selection.rival]
    compared = [compare(scores[pair], rival, margin=study.statistics.margin, **how) for pair in others]
    said = {
        "overall": asdict(verdict),
        "by_source": [asdict(source) for source in sources],
        "comparisons": [asdict(comparison) for comparison in holm(compared)],
    }
    (out / VERDICT).write_text(json.dumps(said, indent=1), encoding="utf-8")
    named = [source.source for source in sources if source.named]
    return Outcome(facts={"verdict": verdict.name, "sources": named, "sentence": verdict.sentence}, rows=1)


def read_scores(metrics: Path) -> dict[Pair, Any]:
    """Per-user scores of every (model, arm), as comparisons want them, from the metrics asset's folder."""
    from recsys.evidence.scores import Scores

    table_ = pd.read_parquet(metrics / "scores.parquet")
    groups = table_.groupby(["model", "arm"], observed=True)
    results = {(arm.model, arm.arm): arm for arm in ModelResult.load(metrics).arms}
    scores = {}
    for pair, result in results.items():
        wide = groups.get_group(pair).pivot(index="seed", columns="user", values="value")
        scores[pair] = Scores(
            *pair,
            users=wide.columns.to_numpy(),
            values=wide.to_numpy(),
            valid=result.valid,
            content_used=result.content_used,
        )
    return scores


def _maybe(scores: dict[Pair, Any], pair: Pair | None) -> Any:
    return None if pair is None else scores[pair]


def _shown(folder: Path) -> dict[str, object]:
    said = json.loads((folder / VERDICT).read_text(encoding="utf-8"))
    overall = said["overall"]
    rows = [
        {"against": against, "lift": c["lift"], "low": c["lift_low"], "high": c["lift_high"], "p": c["p_value"]}
        for against, c in (("best rival", overall["against_rival"]), ("shuffled", overall["against_shuffled"]))
    ]
    return {
        "verdict": overall["name"],
        "sentence": dg.MetadataValue.md(overall["sentence"]),
        "sources": ", ".join(s["source"] for s in said["by_source"] if s["named"]) or "none",
        "comparisons": table(pd.DataFrame(rows)),
    }
