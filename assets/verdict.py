"""`<dataset>/verdict`: whether content helps here, which part of it, and how sure that is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from assets.controls import SELECTION, Pair, Selection
from assets.metrics_tables import read_scores
from orchestration import keys
from orchestration.home import Home, Outcome
from orchestration.results import key, materialised, plainly, table
from orchestration.study import Study
from orchestration.study_dataset import Question
from recsys.data.dataset import Dataset
from recsys.evidence.comparison import Comparison, compare, holm
from recsys.evidence.questions import Answered, Asked, answer
from recsys.evidence.scores import Scores
from recsys.evidence.sources import SourceScores, SourceVerdict, judge_sources
from recsys.evidence.verdict import Verdict, decide
from recsys.fingerprints import code_of, fingerprint

VERDICT = "verdict.json"
ACTIVITY = (0, 5, 10, 20, 50)


class Stratum(BaseModel):
    """The chosen content against its best rival among some of the users."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    users: str
    comparison: Comparison


class Judgement(BaseModel):
    """All that is concluded about a dataset.

    Attributes:
        overall: the verdict, with the two comparisons it rests on.
        by_source: one verdict a source, none where content does not help.
        comparisons: every other (model, arm) against the best rival, p-values corrected by Holm.
        questions: the study's own, answered.
        strata: users by their number of training interactions.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    overall: Verdict
    by_source: list[SourceVerdict]
    comparisons: list[Comparison]
    questions: list[Answered]
    strata: list[Stratum]

    @classmethod
    def load(cls, folder: Path) -> "Judgement":
        """Read it from the verdict asset's folder."""
        return cls.model_validate_json((folder / VERDICT).read_text(encoding="utf-8"))


def build(study: Study, name: str) -> dg.AssetsDefinition:
    """The asset of one dataset's verdict."""
    asset = keys.verdict(name)
    inputs = [keys.metrics(name), keys.controls(name), keys.dataset(name)]
    asked = [question.model_dump() for question in study.datasets[name].questions]
    settings = [study.statistics.model_dump(), study.evaluation.primary, asked]
    version = fingerprint(settings, code_of("assets.verdict:_judge"))

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
            build=lambda out, read: _judge(study, name, *(read[upstream] for upstream in inputs), out),
        )
        return materialised(event, _shown(home.folder(event)))

    return verdict


def _judge(study: Study, name: str, metrics: Path, controls: Path, dataset: Path, out: Path) -> Outcome:
    scores = read_scores(metrics)
    chosen = Selection.model_validate_json((controls / SELECTION).read_text(encoding="utf-8"))
    how: dict[str, Any] = {"n_resamples": study.statistics.resamples, "seed": study.statistics.seed}
    margin, metric = study.statistics.margin, study.evaluation.primary
    content, rival, shuffled = scores[chosen.content], scores[chosen.rival], scores[chosen.shuffled]
    overall = decide(content, rival, shuffled, metric=metric, margin=margin, **how)
    sources = [
        SourceScores(
            source=source,
            own=scores[pairs.own],
            own_shuffled=scores[pairs.own_shuffled],
            fused=scores[pairs.fused] if pairs.fused else None,
            fused_altered=scores[pairs.fused_altered] if pairs.fused_altered else None,
        )
        for source, pairs in chosen.sources.items()
    ]
    judgement = Judgement(
        overall=overall,
        by_source=judge_sources(overall, sources, rival, **how),
        comparisons=holm(
            [compare(scores[pair], rival, margin=margin, **how) for pair in scores if pair != chosen.rival]
        ),
        questions=answer(_asked(study.datasets[name].questions, chosen, scores), margin=margin, **how),
        strata=_strata(content, rival, Dataset.load(dataset), **how),
    )
    (out / VERDICT).write_text(judgement.model_dump_json(indent=1), encoding="utf-8")
    named = [source.source for source in judgement.by_source if source.named]
    return Outcome(facts={"verdict": overall.name, "sources": named, "sentence": overall.sentence}, rows=1)


def _asked(questions: Sequence[Question], chosen: Selection, scores: dict[Pair, Scores]) -> list[Asked]:
    """Each question with the scores of its two sides; a source's shuffled control is that of its best model."""

    def side(arm: str) -> list[Scores]:
        return [found for (_, shown), found in scores.items() if shown == arm]

    asked = []
    for question in questions:
        pairs = chosen.sources.get(question.better)
        if question.than == "shuffled" and pairs:
            sides = [scores[pairs.own]], [scores[pairs.own_shuffled]]
        else:
            sides = side(question.better), side(question.than)
        asked.append(Asked(question.ask, *sides))
    return asked


def _strata(content: Scores, rival: Scores, data: Dataset, **how: Any) -> list[Stratum]:
    """Lift among users by activity; strata of fewer than 30 users say nothing and are left out."""
    users = np.intersect1d(content.users, rival.users)
    activity = np.diff(data.train.indptr)[users]
    strata = []
    for low, high in zip(ACTIVITY, (*ACTIVITY[1:], None), strict=True):
        among = users[(activity >= low) & ((activity < high) if high else True)]
        if len(among) >= 30:
            name = f"{low} to {high - 1} training interactions" if high else f"{low} or more training interactions"
            strata.append(
                Stratum(users=name, comparison=compare(content.restricted(among), rival.restricted(among), **how))
            )
    return strata


def _shown(folder: Path) -> dict[str, object]:
    judgement = Judgement.load(folder)
    overall = judgement.overall
    rows = [
        {"against": against, "lift": c.lift, "low": c.lift_low, "high": c.lift_high, "p": c.p_value}
        for against, c in (("best rival", overall.against_rival), ("shuffled", overall.against_shuffled))
    ]
    return {
        "verdict": overall.name,
        "sentence": dg.MetadataValue.md(overall.sentence),
        "sources": ", ".join(source.source for source in judgement.by_source if source.named) or "none",
        "comparisons": table(pd.DataFrame(rows)),
        **{each.ask: dg.MetadataValue.md(each.sentence) for each in judgement.questions},
    }
