"""Questions that a study asks beforehand: is one kind of content better than another here.

Each side is represented by its best model, chosen on validation, so that the answer does not hang on a model that
suits one side; the same models on both sides stand beside it. P-values are corrected over the questions by Holm's
method, those of the single models over all of their rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recsys.evidence.comparison import MARGIN, N_RESAMPLES, Comparison, compare, holm
from recsys.evidence.scores import Pair, Scores
from recsys.evidence.verdict import choose
from recsys.evidence.wording import detectable, lift, percent

AnswerName = Literal["yes", "no", "equal", "not shown"]


@dataclass(frozen=True)
class QuestionInput:
    """A question with what can answer it.

    Attributes:
        ask: the question in words.
        better: every model over the arm that a yes would say is better.
        than: every model over the other arm.
    """

    ask: str
    better: Sequence[Pair]
    than: Sequence[Pair]


@dataclass(frozen=True)
class QuestionResult:
    """What the evidence says to a question.

    Attributes:
        ask: the question in words.
        answer: `yes` and `no` where one side was shown to be better, `equal` where both were shown to lie within
            the margin, else `not shown`.
        sentence: the answer with its figures.
        best: the best model of one side against the best of the other.
        by_model: each model that ran on both sides, one against the other, where that is not `best` already.
    """

    ask: str
    answer: AnswerName
    sentence: str
    best: Comparison
    by_model: list[Comparison]


def answer(
    questions: Sequence[QuestionInput],
    scores: Mapping[Pair, Scores],
    *,
    margin: float = MARGIN,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> list[QuestionResult]:
    """Answer the questions, in their order; those of which a side was not run are left out.

    Args:
        questions: what is asked.
        scores: by (model, arm); no more than three are held at a time.
        margin: of equivalence.
        n_resamples: of each comparison.
        seed: of each comparison.
    """
    how: dict[str, Any] = {"margin": margin, "n_resamples": n_resamples, "seed": seed}
    asked = [question for question in questions if question.better and question.than]
    best = holm([compare(_best(each.better, scores), _best(each.than, scores), **how) for each in asked])
    pairs = [(number, a, b) for number, each in enumerate(asked) for a, b in _same_model(each)]
    compared = holm([compare(scores[a], scores[b], **how) for _, a, b in pairs])
    answered = []
    for number, (question, comparison) in enumerate(zip(asked, best, strict=True)):
        single = [each for (owner, _, _), each in zip(pairs, compared, strict=True) if owner == number]
        single = [each for each in single if (each.a, each.b) != (comparison.a, comparison.b)]
        name = _name(comparison)
        answered.append(QuestionResult(question.ask, name, _SENTENCES[name](comparison), comparison, single))
    return answered


def _best(side: Sequence[Pair], scores: Mapping[Pair, Scores]) -> Scores:
    return choose(scores[pair] for pair in side)


def _same_model(question: QuestionInput) -> list[tuple[Pair, Pair]]:
    other = {pair[0]: pair for pair in question.than}
    return [(pair, other[pair[0]]) for pair in question.better if pair[0] in other]


def _name(comparison: Comparison) -> AnswerName:
    if comparison.a_better:
        return "yes"
    if comparison.b_better:
        return "no"
    return "equal" if comparison.equivalent else "not shown"


_SENTENCES = {
    "yes": lambda c: f"Yes: {c.a} beats {c.b} ({lift(c)}).",
    "no": lambda c: f"No: {c.b} beats {c.a} ({lift(c)}).",
    "equal": lambda c: f"No: {c.a} equals {c.b} within {percent(c.margin)} ({lift(c)}).",
    "not shown": lambda c: f"Not shown: {c.a} and {c.b} are not shown to differ ({lift(c)}; {detectable(c)}).",
}
