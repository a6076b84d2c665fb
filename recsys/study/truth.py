"""What was planted in a synthetic market, beside what the program found."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from recsys.evidence.sources_wording import named_in_words
from recsys.evidence.verdict import HELPS
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.judgement import Judgement


class TruthRow(BaseModel):
    """What was planted in a synthetic market, and what the program found."""

    model_config = ConfigDict(frozen=True)

    what: str
    expected: str
    found: str
    agrees: bool


def planted(facts: dict[str, Any], spec: DatasetSpec, judgement: Judgement) -> list[TruthRow]:
    """A row for each thing that the market's truth decides; none where nobody knows the truth.

    Args:
        facts: of the dataset; `truth` is what was planted.
        spec: of the dataset.
        judgement: what was found.

    A source is right where what it reads drives choice: a vision-language model that was shown images is right to be
    named where the image drives. A question of a source against its own shuffled control has a known answer too.
    """
    truth = facts.get("truth") or {}
    if "drivers" not in truth:
        return []
    drivers = frozenset(truth["drivers"])
    found = judgement.overall.name
    members = {
        *(each.source for each in judgement.sources.by_source if each.named),
        *(member for each in judgement.sources.groups if each.named for member in each.sources),
    }
    right = all(spec.reads(source) & drivers for source in members)
    reached = frozenset().union(*(spec.reads(source) for source in members))
    return [
        TruthRow(
            what="verdict",
            expected="helps" if drivers else "anything but helps",
            found=found.replace("_", " "),
            agrees=(found in HELPS) == bool(drivers),
        ),
        TruthRow(
            what="sources named",
            expected=f"all made of the {' and the '.join(sorted(drivers))}" if drivers else "none",
            found=named_in_words(judgement.sources) or "none",
            agrees=right and drivers <= reached,
        ),
        *_answers(spec, judgement, drivers),
    ]


def _answers(spec: DatasetSpec, judgement: Judgement, drivers: frozenset[str]) -> list[TruthRow]:
    answers = {each.ask: each.answer for each in judgement.questions}
    rows = []
    for question in spec.questions:
        if question.than == "shuffled" and question.better in spec.content and question.ask in answers:
            expected = bool(spec.reads(question.better) & drivers)
            rows.append(
                TruthRow(
                    what=question.ask,
                    expected="yes" if expected else "anything but yes",
                    found=answers[question.ask],
                    agrees=(answers[question.ask] == "yes") == expected,
                )
            )
    return rows
