"""How much of what all sources give is due to each: Shapley values over the subsets of up to four sources.

With v(S) the metric of one model that sees the sources S, and v(empty) that of the same model on interactions only,
the Shapley value of source i among n is what it adds to those before it, averaged over all orders:

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S with i) - v(S)).

The values of all sources add up to v(all) - v(empty). Each is a weighted sum of scores, so that one stands for every
user in every repeat, and its interval is that of any other mean. A source is left out here, not shuffled, which takes
its capacity along: shares describe, and name no source.

Source: Shapley, "A value for n-person games", Contributions to the Theory of Games II, 1953.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from recsys.evidence.contrast import Contrast, Estimate, Weights, contrasts
from recsys.evidence.scores import Pair, Scores
from recsys.evidence.wording import with_interval
from recsys.wording import listed

MOST_SOURCES = 4
"""Sixteen subsets to be tuned and trained; each further source would double them."""


@dataclass(frozen=True)
class SourceShare:
    """What is due to one source.

    Attributes:
        source: its name.
        value: its Shapley value, in the units of the metric.
        lift: the same relative to the model on interactions only, whose level is taken as known.
        share: of the total, where that was shown to differ from zero; else None. Shares add up to 1, and one may be
            negative.
    """

    source: str
    value: Estimate
    lift: Estimate
    share: Estimate | None


@dataclass(frozen=True)
class Shares:
    """What all sources give, and how it is divided.

    Attributes:
        model: the model that saw all the subsets.
        total: v(all) - v(empty), in the units of the metric.
        total_lift: the same relative to v(empty).
        by_source: what is due to each.
        sentence: the division in words, with its figures.
    """

    model: str
    total: Estimate
    total_lift: Estimate
    by_source: list[SourceShare]
    sentence: str


def subset_name(sources: Sequence[str]) -> str:
    """What a subset is called in `SourceDesign.subsets`: its sources in the order of the study; "" for none."""
    return "+".join(sources)


def shapley_shares(sources: Sequence[str], subsets: Mapping[str, Pair], scores: Mapping[Pair, Scores]) -> Shares:
    """Divide the gain of one model among its sources.

    Args:
        sources: one to four, in the order of the study.
        subsets: the (model, arm) of every subset, by `subset_name`.
        scores: by (model, arm); one is held at a time, beside one sum per source.

    Raises:
        ValueError: too many sources, a subset is missing, or the subsets are not all of one model.
    """
    if not 1 <= len(sources) <= MOST_SOURCES:
        raise ValueError(f"Shapley shares of {len(sources)} sources: from 1 to {MOST_SOURCES} can be divided")
    missing = [name for name in map(subset_name, _subsets(sources)) if name not in subsets]
    if missing:
        raise ValueError(f"Shapley shares need every subset: missing {listed([repr(name) for name in missing])}")
    models = sorted({model for model, _ in subsets.values()})
    if len(models) > 1:
        raise ValueError(f"Shapley shares are those of one model, and the subsets are of {listed(models)}")
    empty, everything = subsets[""], subsets[subset_name(sources)]
    weights: list[Weights] = [shapley_weights(source, sources, subsets) for source in sources]
    base, gain, *parts = contrasts([{empty: 1.0}, {everything: 1.0, empty: -1.0}, *weights], scores)
    level = float(base.values.mean())
    total = gain.estimate
    by_source = [_share(source, part, gain, level) for source, part in zip(sources, parts, strict=True)]
    return Shares(models[0], total, total.over(level), by_source, _sentence(models[0], total.over(level), by_source))


def shapley_weights(source: str, sources: Sequence[str], subsets: Mapping[str, Pair]) -> dict[Pair, float]:
    """The weight of every subset's score in the Shapley value of a source."""
    weights = dict.fromkeys(subsets.values(), 0.0)
    n = len(sources)
    for without in _subsets([each for each in sources if each != source]):
        weight = math.factorial(len(without)) * math.factorial(n - len(without) - 1) / math.factorial(n)
        joined = [each for each in sources if each in (*without, source)]
        weights[subsets[subset_name(joined)]] += weight
        weights[subsets[subset_name(without)]] -= weight
    return weights


def _subsets(sources: Sequence[str]) -> list[tuple[str, ...]]:
    return [subset for size in range(len(sources) + 1) for subset in combinations(sources, size)]


def _share(source: str, part: Contrast, gain: Contrast, level: float) -> SourceShare:
    value, total = part.estimate, gain.estimate
    share = None
    if total.differs:
        # The ratio's error by the delta method: that of the value less its share of the total, by the total.
        ratio = value.value / total.value
        residual = part.minus(gain, ratio).estimate
        half = (residual.high - residual.low) / 2 / abs(total.value)
        share = Estimate(ratio, ratio - half, ratio + half, value.p_above)
    return SourceShare(source, value, value.over(level), share)


def _sentence(model: str, total: Estimate, shares: Sequence[SourceShare]) -> str:
    opening = f"All sources together give {model} {_interval(total, signed=True)} over interactions only"
    if any(each.share is None for each in shares):
        return f"{opening}, which is not shown to differ from nothing, so that there is nothing to divide."
    parts = [f"{each.source} {_interval(each.share)}" for each in shares if each.share]
    return f"{opening}. Of this gain, by Shapley shares: {listed(parts)}."


def _interval(estimate: Estimate, *, signed: bool = False) -> str:
    return with_interval(estimate.value, estimate.low, estimate.high, signed=signed)
