"""What is concluded about a dataset: verdict, sources and the study's questions, or the best model without content."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from recsys.engine.worker import one_thread
from recsys.evidence.comparison import Comparison, compare, holm
from recsys.evidence.interval import Interval
from recsys.evidence.leaderboard import Leaderboard, rank_models
from recsys.evidence.questions import QuestionInput, QuestionResult, answer
from recsys.evidence.scores import Scores
from recsys.evidence.sources import SourceScores, SourceVerdict, judge_sources
from recsys.evidence.verdict import Verdict, decide
from recsys.study.dataset_spec import Question
from recsys.study.measuring import UserScores
from recsys.study.selection import Selection
from recsys.study.study import Study

VERDICT = "verdict.json"


class Judgement(BaseModel):
    """All that is concluded about a dataset with content.

    Attributes:
        overall: the verdict, with the two comparisons it rests on.
        by_source: one verdict a source, none where content does not help.
        comparisons: every other (model, arm) against the best rival, p-values corrected by Holm.
        questions: the study's own, answered.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    overall: Verdict
    by_source: list[SourceVerdict]
    comparisons: list[Comparison]
    questions: list[QuestionResult]

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        (folder / VERDICT).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Judgement":
        """Read it from a folder."""
        return cls.model_validate_json((folder / VERDICT).read_text(encoding="utf-8"))


@one_thread()
def judge(study: Study, name: str, chosen: Selection, scores: UserScores) -> Judgement:
    """Compare what was chosen, and all else with the best rival."""
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
    return Judgement(
        overall=overall,
        by_source=judge_sources(overall, sources, rival, **how),
        comparisons=holm(
            [compare(scores[pair], rival, margin=margin, **how) for pair in scores if pair != chosen.rival]
        ),
        questions=answer(_asked(study.datasets[name].questions, chosen, scores), margin=margin, **how),
    )


@one_thread()
def rank_without_content(study: Study, scores: UserScores, summary: pd.DataFrame) -> Leaderboard:
    """Which model is best, for a dataset on which no content is compared.

    Args:
        study: gives metric and statistics.
        scores: of every (model, arm).
        summary: the metrics' table (see `recsys.study.measuring`).
    """
    table = summary[summary["metric"] == study.evaluation.primary].set_index(["model", "arm"])
    rows = [table.loc[pair] for pair in scores]
    return rank_models(
        [scores[pair] for pair in scores],
        [Interval(row["mean"], row["ci_low"], row["ci_high"]) for row in rows],
        metric=study.evaluation.primary,
        margin=study.statistics.margin,
        n_resamples=study.statistics.resamples,
        seed=study.statistics.seed,
    )


def _asked(questions: Sequence[Question], chosen: Selection, scores: UserScores) -> list[QuestionInput]:
    """Each question with the scores of its two sides; a source's shuffled control is that of its best model."""

    def side(arm: str) -> list[Scores]:
        return [scores[pair] for pair in scores if pair[1] == arm]

    asked = []
    for question in questions:
        pairs = chosen.sources.get(question.better)
        if question.than == "shuffled" and pairs:
            sides = [scores[pairs.own]], [scores[pairs.own_shuffled]]
        else:
            sides = side(question.better), side(question.than)
        asked.append(QuestionInput(question.ask, *sides))
    return asked
