"""Questions that a study asks beforehand: is one kind of content better than another here.

Each side is represented by its best model, chosen on validation, so that the answer does not hang on a model that
suits one side; the same models on both sides stand beside it. Only models that ran on both sides count, for else the
answer would be one about models. Content that neither side gave any weight makes both sides the same model without it:
that is no sameness of content, and answers nothing. P-values are corrected over the questions by Holm's method, those
of the single models over all of their rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.evidence.comparison import DEFAULTS, Comparison, ComparisonOptions, compare, holm
from recsys.evidence.scores import Pair, Scores, best_on_validation
from recsys.evidence.wording import detectable, lift, probability
from recsys.wording import percent

AnswerName = Literal["yes", "no", "equal", "not shown", "not used"]


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
            the margin, `not used` where tuning gave neither side's content any weight, else `not shown`.
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
    questions: Sequence[QuestionInput], scores: Mapping[Pair, Scores], options: ComparisonOptions = DEFAULTS
) -> list[QuestionResult]:
    """Answer the questions, in their order; those that no model can answer, for none ran on both sides, are left out.

    Args:
        questions: what is asked.
        scores: by (model, arm); no more than three are held at a time.
        options: of each comparison.
    """
    asked = [question for question in questions if _same_model(question)]
    best = holm([compare(*_sides(question, scores), options) for question in asked])
    pairs = [(number, a, b) for number, each in enumerate(asked) for a, b in _same_model(each)]
    compared = holm([compare(scores[a], scores[b], options) for _, a, b in pairs])
    answered = []
    for number, (question, comparison) in enumerate(zip(asked, best, strict=True)):
        single = [each for (owner, _, _), each in zip(pairs, compared, strict=True) if owner == number]
        single = [each for each in single if (each.a, each.b) != (comparison.a, comparison.b)]
        sides = (comparison.model_a, comparison.arm_a), (comparison.model_b, comparison.arm_b)
        name = _name(comparison) if any(scores[pair].content_used for pair in sides) else "not used"
        several = len(asked) > 1 and comparison.error.known
        corrected = f"; Holm {probability(comparison.p)} over the questions" if several else ""
        sentence = _SENTENCES[name](comparison, f"{lift(comparison)}{corrected}")
        answered.append(QuestionResult(question.ask, name, sentence, comparison, single))
    return answered


def _sides(question: QuestionInput, scores: Mapping[Pair, Scores]) -> tuple[Scores, Scores]:
    """The best model of either side."""
    better, than = zip(*_same_model(question), strict=True)
    return best_on_validation(scores[pair] for pair in better), best_on_validation(scores[pair] for pair in than)


def _same_model(question: QuestionInput) -> list[tuple[Pair, Pair]]:
    other = {pair[0]: pair for pair in question.than}
    return [(pair, other[pair[0]]) for pair in question.better if pair[0] in other]


def _name(comparison: Comparison) -> AnswerName:
    if comparison.a_better:
        return "yes"
    if comparison.b_better:
        return "no"
    return "equal" if comparison.equivalent else "not shown"


_SENTENCES: dict[AnswerName, Callable[[Comparison, str], str]] = {
    "yes": lambda c, figures: f"Yes: {c.a} beats {c.b} ({figures}).",
    "no": lambda c, figures: f"No: {c.b} beats {c.a} ({figures}).",
    "equal": lambda c, figures: f"No: {c.a} equals {c.b} within {percent(c.margin)} ({figures}).",
    "not shown": lambda c, figures: (
        f"Not shown: {c.a} and {c.b} are not shown to differ ({figures}; {detectable(c)})."
    ),
    "not used": lambda c, _: f"Not answered: tuning gave content no weight, neither in {c.a} nor in {c.b}.",
}
