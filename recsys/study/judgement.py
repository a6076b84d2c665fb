"""What is concluded about a dataset: verdict, sources and the study's questions, or the best model without content."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from recsys.engine.worker import one_thread
from recsys.evidence.across import answer_together
from recsys.evidence.comparison import Comparison, compare, holm
from recsys.evidence.decision import Sides, decide
from recsys.evidence.gates import Gate
from recsys.evidence.interval import Interval
from recsys.evidence.leaderboard import Leaderboard, rank_models
from recsys.evidence.questions import QuestionInput, QuestionResult, answer
from recsys.evidence.scores import Pair, Scores
from recsys.evidence.source_verdicts import WhichSources
from recsys.evidence.sources import judge_sources
from recsys.evidence.verdict import Verdict
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.measuring import UserScores
from recsys.study.readiness import Readiness
from recsys.study.selection import Selection, Tally
from recsys.study.study import Study

VERDICT = "verdict.json"
LEADERBOARD = "leaderboard.json"
"""What a dataset without a verdict has instead."""


class Judgement(BaseModel):
    """All that is concluded about a dataset with content.

    Attributes:
        overall: the verdict, with the comparisons it rests on.
        sources: which of them it is, whatever the verdict.
        gates: what stops the verdict or stands beside it; red, amber, then green.
        tried: what was tried with content, and on interactions alone.
        comparisons: every other (model, arm) against the best rival, p-values corrected by Holm.
        questions: the study's own, answered.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    overall: Verdict
    sources: WhichSources
    gates: list[Gate]
    tried: dict[str, Tally]
    comparisons: list[Comparison]
    questions: list[QuestionResult]

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        (folder / VERDICT).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Judgement":
        """Read it from a folder."""
        return cls.model_validate_json((folder / VERDICT).read_text(encoding="utf-8"))


def together(judged: Mapping[str, Judgement]) -> str:
    """What the verdicts of several datasets say together; empty where there are fewer than two."""
    verdicts = {name: each.overall for name, each in judged.items()}
    found = answer_together({name: (each.name, each.against_rival) for name, each in verdicts.items()})
    return found.sentence if found else ""


@one_thread()
def judge(study: Study, name: str, chosen: Selection, scores: UserScores, readiness: Readiness) -> Judgement:
    """Compare what was chosen, and all else with the best rival; few scores are in memory at a time.

    Args:
        study: gives metric and statistics.
        name: the dataset's.
        chosen: who is compared.
        scores: of every (model, arm).
        readiness: whether the question is ready to be answered.
    """
    options, spec = study.statistics.options, study.datasets[name]
    sides = sides_of(chosen, scores)
    overall = decide(
        sides, options, stopped=readiness.stopped, unchanged=readiness.unchanged, metric=study.evaluation.primary
    )
    reads = {source: spec.reads(source) for source in spec.content}
    sources = judge_sources(chosen.sources, scores, sides.rival, reads, options)
    others = [pair for pair in scores if pair != chosen.rival]
    questions = _asked(spec, chosen, scores)
    return Judgement(
        overall=overall,
        sources=sources,
        gates=readiness.gates,
        tried=chosen.tried,
        comparisons=holm([compare(scores[pair], sides.rival, options) for pair in others]),
        questions=answer(questions, scores, options),
    )


def sides_of(chosen: Selection, scores: Mapping[Pair, Scores]) -> Sides:
    """The scores that a verdict compares."""
    return Sides(
        content=scores[chosen.content],
        rival=scores[chosen.rival],
        shuffled=scores[chosen.shuffled],
        untuned=scores[chosen.untuned],
        popularity=scores[chosen.popularity],
        itself=scores[chosen.itself] if chosen.itself else None,
    )


@one_thread()
def rank_without_content(study: Study, scores: UserScores, summary: pd.DataFrame) -> Leaderboard:
    """Which model is best, for a dataset on which no content is compared.

    Args:
        study: gives metric and statistics.
        scores: of every (model, arm).
        summary: the metrics' table (see `recsys.study.measuring`).
    """
    table = summary[summary["metric"] == study.evaluation.primary]
    rows = {(row["model"], row["arm"]): row for row in table.to_dict("records")}
    return rank_models(
        scores,
        {pair: Interval(*(rows[pair][figure] for figure in ("mean", "ci_low", "ci_high"))) for pair in scores},
        study.statistics.options,
        metric=study.evaluation.primary,
    )


def _asked(spec: DatasetSpec, chosen: Selection, known: Iterable[Pair]) -> list[QuestionInput]:
    """Each question with the two sides that can answer it.

    A source's shuffled control is that of its best model, and no other arm's where it could not be trained: the arm
    `shuffled` is the control of what is fused.
    """
    sides: dict[str, list[Pair]] = {}
    for pair in known:
        sides.setdefault(pair[1], []).append(pair)
    asked = []
    for question in spec.questions:
        pairs = chosen.sources.sources.get(question.better)
        better, than = sides.get(question.better, []), sides.get(question.than, [])
        if question.than == "shuffled" and pairs:
            better, than = [pairs.own], [pairs.own_shuffled]
        elif question.than == "shuffled" and spec.fused and question.better != spec.fused.name:
            than = []
        asked.append(QuestionInput(question.ask, better, than))
    return asked
