"""Where models stand when no content was compared: the best one, chosen on validation, against all the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.evidence.comparison import DEFAULTS, Comparison, ComparisonOptions, compare, holm
from recsys.evidence.interval import Interval
from recsys.evidence.scores import Pair, Scores, best_on_validation, label
from recsys.evidence.wording import detectable, metric_name
from recsys.wording import listed, percent

OPEN = "is not shown to differ from {}"


@dataclass(frozen=True)
class Leaderboard:
    """The best model of a dataset and how it compares.

    Attributes:
        model: the best one on the validation part.
        arm: what it was shown.
        test: its figure on the test part.
        comparisons: every other (model, arm) against it, best first, p-values corrected by Holm.
        sentence: what holds and what does not, with the figures.
    """

    model: str
    arm: str
    test: Interval
    comparisons: list[Comparison]
    sentence: str

    @property
    def best(self) -> str:
        """The best model in words."""
        return label(self.model, self.arm)


def rank_models(
    candidates: Mapping[Pair, Scores],
    intervals: Mapping[Pair, Interval],
    options: ComparisonOptions = DEFAULTS,
    *,
    metric: str,
) -> Leaderboard:
    """Choose the best candidate on validation and compare all others with it on test.

    Args:
        candidates: every (model, arm); read one at a time.
        intervals: the test figure of each candidate.
        options: of each comparison.
        metric: what all figures are in, such as `ndcg_at_20`.
    """
    best = best_on_validation(candidates[pair] for pair in candidates)
    test = intervals[best.pair]
    others = [pair for pair in candidates if pair != best.pair]
    compared = holm([compare(candidates[pair], best, options) for pair in others])
    comparisons = sorted(compared, key=lambda each: each.mean_a, reverse=True)
    return Leaderboard(best.model, best.arm, test, comparisons, _sentence(best.label, test, comparisons, metric))


def _sentence(best: str, test: Interval, comparisons: Sequence[Comparison], metric: str) -> str:
    place = "the best model on validation" if comparisons else "the only model"
    opening = (
        f"No content was compared: {best} is {place}, with {metric_name(metric)} {test.mean:.4f} on test "
        f"(95 % interval {test.low:.4f} to {test.high:.4f})"
    )
    others: dict[str, list[Comparison]] = {}
    for each in comparisons:
        others.setdefault(_relation(each), []).append(each)
    if not others:
        return f"{opening}."
    found = []
    for relation, rivals in others.items():
        names = listed([each.a for each in rivals])
        found.append(relation.format(f"{names} ({detectable(*rivals)})" if relation == OPEN else names))
    return f"{opening}; there, with p corrected by Holm, it {'; it '.join(found)}."


def _relation(comparison: Comparison) -> str:
    """How B, the best model on validation, relates to A on test, whose name goes into the braces."""
    if comparison.a_better:
        return "is beaten by {}"
    if comparison.b_better:
        return "beats {}"
    if comparison.equivalent:
        return f"equals {{}} within a margin of {percent(comparison.margin)}"
    return OPEN
